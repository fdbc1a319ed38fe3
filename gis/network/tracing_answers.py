"""The trace in the city's words: which valves, who loses service by name and count, and which bodies have to act."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from gis.network import tracing_queries as queries
from gis.network.outage_rules import Crossing, NoSuchPlace, TraceKind
from gis.network.trace import Isolation
from gis.network.tracing import CityNetwork, city

FEEDS_MOST = 5
COUNTS = ("households", "people", "vulnerable_households")


@dataclass(frozen=True)
class Asked:
    """A question: from the section, or the valve or station (`thing`, `id`), with valves that turned out not to work."""

    kind: TraceKind = TraceKind.ISOLATION
    crossing: Crossing = Crossing.FUNCTIONAL
    thing: str = "section"
    id: int = 0
    refused: tuple[int, ...] = ()
    opened: tuple[int, ...] = ()  # closed valves that are to be opened, to feed some of the lost from elsewhere


@dataclass(frozen=True)
class Lost:
    """Who loses service: stations and supply points by name, communities by count, totals without counting a place twice."""

    stations: list[dict[str, Any]]
    points: list[dict[str, Any]]
    areas: list[dict[str, Any]]
    totals: dict[str, int]


@dataclass(frozen=True)
class Answer:
    """What a trace found. `start` is the section it began at; `inside` and `lost_sections` are ids of sections."""

    asked: Asked
    start: int
    pipe: dict[str, Any] | None
    sections: list[int]  # of the same pipe, to choose another one
    served: bool
    found: list[int]  # upstream, downstream, connected: sections
    inside: list[int]
    lost_sections: list[int]
    valves: list[dict[str, Any]]
    feeds: list[dict[str, Any]]
    fewest: list[int] | None
    sources: list[dict[str, Any]]
    lost: Lost
    units: list[dict[str, Any]]
    metres: float = 0.0
    close: tuple[int, ...] = field(default=())
    ends: list[dict[str, Any]] = field(default_factory=list)  # stations on the isolated stretch itself: shut there too


def start_of(net: CityNetwork, thing: str, id_: int) -> tuple[int, list[int]]:
    """The place in the arrays: a section, and of a valve or a station its nodes, which are isolated as such."""
    if thing == "section":
        found = np.flatnonzero(net.section_id == id_)
        if not len(found):
            raise NoSuchPlace()
        return int(found[0]), []
    if thing == "pipe":
        places = net.sections_of.get(id_)
        if not places:
            raise NoSuchPlace()
        return max(places, key=lambda i: (net.trace.pipes.length_m[i], -i)), []
    one = net.node_of_valve.get(id_)
    nodes = net.node_of_station.get(id_, []) if thing == "station" else [] if one is None else [one]
    beside = _beside(net, nodes)
    if not beside:
        raise NoSuchPlace()
    return beside[0], nodes


def _beside(net: CityNetwork, nodes: Iterable[int]) -> list[int]:
    """The sections that end at these nodes, those of the first node first."""
    tail, head = net.trace.pipes.tail, net.trace.pipes.head
    return [int(i) for node in nodes for i in np.flatnonzero((tail == node) | (head == node))]


def ask(session: Session, asked: Asked, *, more: bool = True) -> Answer:
    """Trace, and name what was found; `more`: also what would feed the lost, and the fewest valves. Raises NoSuchPlace."""
    net = city(session)
    section, nodes = start_of(net, asked.thing, asked.id)
    if asked.kind == TraceKind.ISOLATION:
        return _isolated(session, net, asked, section, nodes, more)
    return _followed(session, net, asked, section)


def isolate(net: CityNetwork, asked: Asked, section: int, nodes: list[int]) -> Isolation:
    """The isolation alone, in numbers."""
    refused, functional = net.nodes_of(asked.refused), asked.crossing == Crossing.FUNCTIONAL
    if nodes:
        return net.trace.isolate_nodes(nodes, refused, functional=functional)
    return net.trace.isolate_section(section, refused, functional=functional)


def _isolated(session: Session, net: CityNetwork, asked: Asked, section: int, nodes: list[int], more: bool) -> Answer:
    functional = asked.crossing == Crossing.FUNCTIONAL
    found = isolate(net, asked, section, nodes)
    loss = found.loss
    if opened := net.nodes_of(asked.opened):
        loss = net.trace.loss([*found.close], functional=functional, reopen=opened)
    lost = named(session, net, loss.nodes)
    pipe = _pipe(session, net, section)
    feeds = net.trace.feeds(found, functional=functional)[:FEEDS_MOST] if more else []
    valves = _steps(session, net, asked, found)
    fewest = net.trace.fewest(section, net.nodes_of(asked.refused)) if more and not nodes else None
    return Answer(
        asked, int(net.section_id[section]), pipe, _sections(net, section), bool(net.trace.segments.met[net.trace.segments.of_section[section]] >= 0),
        [], net.section_id[found.inside].tolist(), net.section_id[np.setdiff1d(loss.sections, found.inside)].tolist(), valves,
        _feeds(session, net, feeds), net.valves(fewest) if fewest is not None else None, _sources(session, net, found.sources), lost,
        _units(session, pipe, lost), float(net.trace.pipes.length_m[found.inside].sum()), tuple(net.valves(found.close)),
        queries.stations(session, net.at(found.inside_nodes, net.station_id)),
    )  # fmt: skip


def _followed(session: Session, net: CityNetwork, asked: Asked, section: int) -> Answer:
    ways = {
        TraceKind.UPSTREAM: net.trace.upstream,
        TraceKind.DOWNSTREAM: net.trace.downstream,
        TraceKind.CONNECTED: net.trace.connected,
    }
    found = np.unique(np.concatenate([ways[follow(net, asked.kind, i)](i) for i in _starts(net, asked, section)]))
    if asked.crossing == Crossing.FUNCTIONAL:
        found = _across(net, asked.kind, found)
    pipes = net.trace.pipes
    nodes = np.unique(np.concatenate([pipes.tail[found], pipes.head[found]]))
    lost, pipe = named(session, net, nodes), _pipe(session, net, section)
    valves = queries.valves(session, net.at(nodes, net.valve_id))
    return Answer(
        asked, int(net.section_id[section]), pipe, _sections(net, section), len(found) > 0, net.section_id[found].tolist(), [], [],
        [row | {"role": None} for row in valves.values()], [], None, _sources(session, net, nodes[pipes.source[nodes]]), lost,
        _units(session, pipe, lost), float(pipes.length_m[found].sum()),
    )  # fmt: skip


def _starts(net: CityNetwork, asked: Asked, section: int) -> list[int]:
    """A station begins at what it needs, or at what it feeds; everything else where it lies."""
    needs = net.trace.pipes.needs
    if asked.thing != "station" or asked.crossing != Crossing.FUNCTIONAL or not len(needs):
        return [section]
    mine = np.isin(needs[:, 0], net.node_of_station[asked.id])
    ends = {TraceKind.UPSTREAM: needs[mine, 1], TraceKind.DOWNSTREAM: needs[mine, 0]}.get(asked.kind, needs[mine, 1])
    return _beside(net, np.unique(ends).tolist()) or [section]


def follow(net: CityNetwork, kind: TraceKind, section: int) -> TraceKind:
    """On a return pipe water runs towards the source: there upstream is what lies behind, as seen from the source."""
    from gis.network.graphs import SIDES

    back = SIDES[int(net.side[net.trace.pipes.tail[section]])].endswith("return")
    turned = {TraceKind.UPSTREAM: TraceKind.DOWNSTREAM, TraceKind.DOWNSTREAM: TraceKind.UPSTREAM}
    return turned.get(kind, kind) if back else kind


def _across(net: CityNetwork, kind: TraceKind, found: np.ndarray) -> np.ndarray:
    """Go on over the exchangers and the dependencies: to what is fed (downstream) or what is needed (upstream), or both."""
    pipes, trace = net.trace.pipes, net.trace
    fed, needed = (pipes.needs[:, 0], pipes.needs[:, 1]) if len(pipes.needs) else (np.empty(0, np.int64),) * 2
    hops = {
        TraceKind.DOWNSTREAM: [(needed, fed)],
        TraceKind.UPSTREAM: [(fed, needed)],
        TraceKind.CONNECTED: [(needed, fed), (fed, needed)],
    }
    seen = np.zeros(len(pipes.tail), np.bool_)
    seen[found] = True
    visited: set[int] = set()
    while True:
        at = np.zeros(pipes.nodes, np.bool_)
        at[pipes.tail[seen]] = at[pipes.head[seen]] = True
        fresh = {int(y) for xs, ys in hops[kind] for y in ys[at[xs]]} - visited
        if not fresh:
            return np.flatnonzero(seen)
        visited |= fresh
        for node in sorted(fresh):
            for section in np.flatnonzero((pipes.tail == node) | (pipes.head == node)).tolist():
                if kind == TraceKind.CONNECTED:
                    seen[trace.connected(section)] = True
                else:
                    seen[trace.downstream(section) if kind == TraceKind.DOWNSTREAM else trace.upstream(section)] = True


def named(session: Session, net: CityNetwork, nodes: np.ndarray) -> Lost:
    """The stations and supply points at these nodes, by name and count."""
    stations = queries.stations(session, net.at(nodes, net.station_id))
    return lost_of(stations, queries.points(session, net.at(nodes, net.point_id)))


def lost_of(stations: list[dict[str, Any]], points: list[dict[str, Any]]) -> Lost:
    """Totals and communities. Who loses heat and water at one building is one household."""
    places: dict[Any, dict[str, Any]] = {}
    for row in points:
        key = ("building", row["building_id"]) if row["building_id"] else ("name", row["area_id"], row["name"])
        kept = places.setdefault(key, dict.fromkeys(COUNTS, 0) | {"area_id": row["area_id"], "area": row["area"]})
        for count in COUNTS:
            kept[count] = max(kept[count], row[count])
    areas: dict[Any, dict[str, Any]] = {}
    for place in places.values():
        at = areas.setdefault(
            place["area_id"], {"id": place["area_id"], "name": place["area"], "places": 0} | dict.fromkeys(COUNTS, 0)
        )
        at["places"] += 1
        for count in COUNTS:
            at[count] += place[count]
    totals = {count: sum(place[count] for place in places.values()) for count in COUNTS}
    totals |= {
        "stations": len(stations),
        "areas": len([a for a in areas if a is not None]),
        "points": len(points),
        "places": len(places),
    }
    ordered = sorted(areas.values(), key=lambda a: (-a["households"], a["name"] or "", a["id"] or 0))
    return Lost(stations, points, ordered, totals)


def _steps(session: Session, net: CityNetwork, asked: Asked, found: Isolation) -> list[dict[str, Any]]:
    """The valves in order, each with what it costs more when it cannot be reached, and which ones take its place."""
    known = queries.valves(session, net.valves(step.node for step in found.steps))
    rows = []
    for n, step in enumerate(found.steps, 1):
        row = known[int(net.valve_id[step.node])]
        metres = round(step.metres) if np.isfinite(step.metres) else None
        rows.append(row | {"n": n, "role": str(step.role), "metres": metres})
    return rows


def without(session: Session, asked: Asked, valve: int) -> dict[str, Any]:
    """When this valve cannot be reached: which ones take its place, and who loses service in addition?"""
    net = city(session)
    section, nodes = start_of(net, asked.thing, asked.id)
    one = isolate(net, asked, section, nodes)
    other = isolate(
        net, Asked(asked.kind, asked.crossing, asked.thing, asked.id, (*asked.refused, valve)), section, nodes
    )
    more = named(session, net, np.setdiff1d(other.loss.nodes, one.loss.nodes))
    instead = [v for v in net.valves(other.close) if v not in set(net.valves(one.close))]
    return {
        "instead": list(queries.valves(session, instead).values()),
        "more": more.totals,
        "stops": len(other.sources) > len(one.sources),
    }


def _feeds(session: Session, net: CityNetwork, feeds: Sequence[tuple[int, Any]]) -> list[dict[str, Any]]:
    rows = queries.valves(session, net.valves(node for node, _ in feeds))
    return [
        rows[int(net.valve_id[node])]
        | {"again": lost_of([], queries.points(session, net.at(again, net.point_id))).totals, "stations": len(net.at(again, net.station_id))}
        for node, again in feeds
    ]  # fmt: skip


def _sources(session: Session, net: CityNetwork, nodes: Iterable[int]) -> list[dict[str, Any]]:
    return queries.sources(session, [int(net.node_id[n]) for n in nodes if net.source_id[n]])


def _pipe(session: Session, net: CityNetwork, section: int) -> dict[str, Any] | None:
    rows = queries.pipes(session, [int(net.pipeline_id[section])])
    return rows[0] if rows else None


def _sections(net: CityNetwork, section: int) -> list[int]:
    places = net.sections_of[int(net.pipeline_id[section])]
    long = [i for i in places if net.trace.pipes.length_m[i] > 0 or i == section]
    return net.section_id[long].tolist()


def _units(session: Session, pipe: dict[str, Any] | None, lost: Lost) -> list[dict[str, Any]]:
    """Who must act: whoever owns the pipe repairs it; whoever runs a station, or serves a supply point, tells its people."""
    acts: dict[int, dict[str, Any]] = {}

    def of(unit_id: int | None) -> dict[str, Any] | None:
        return (
            acts.setdefault(unit_id, {"repairs": False, "stations": 0, "points": 0, "households": 0})
            if unit_id
            else None
        )

    if pipe and (one := of(pipe["unit_id"])):
        one["repairs"] = True
    for station in lost.stations:
        if one := of(station["unit_id"]):
            one["stations"] += 1
    for point in lost.points:
        if one := of(point["unit_id"]):
            one["points"] += 1
            one["households"] += point["households"]
    rows = [dict(row) | acts[row["id"]] for row in queries.units(session, sorted(acts))]
    return sorted(rows, key=lambda row: (not row["repairs"], -row["households"], row["name"], row["id"]))

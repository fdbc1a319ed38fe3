"""Which asset explains the calls of the last hours: the calls of the database weighed by `gis.network.explain`, in names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from gis.complaints import explaining_queries as queries
from gis.complaints.explaining_rules import CAUSES, LEAST_ODDS, NAMED, OTHERS, SEEN_AT, NotANetwork
from gis.complaints.rules import WITH_CREW
from gis.network.asset_rules import CALL_RATES, CALLS_PER_HOUSEHOLD_HOUR, AssetKind, background, per_year
from gis.network.assets import ASSETS, Assets, assets
from gis.network.explain import Heard, Ranked, learned
from gis.network.rules import PIPED, NodeKind
from gis.people.rules import Scope

Row = Mapping[str, Any]
YEAR_H = 365 * 24.0
# Which of things that calls cannot tell apart gives its name to all: the one a crew would be sent to first.
FIRST = (
    AssetKind.SOURCE,
    AssetKind.STATION,
    AssetKind.SEGMENT,
    AssetKind.PIPELINE,
    AssetKind.CUSTOMER,
    AssetKind.VALVE,
)
SOURCES = {"heat": "heat_source"}
LEADS = queries.JOINABLE | WITH_CREW


@dataclass(frozen=True)
class Named:
    """A thing by its kind, id and name; of a customer also the utility, as a building has several."""

    kind: str
    id: int
    name: str
    utility: str = ""


@dataclass(frozen=True)
class Cause:
    """One possible failure with its evidence. `things[0]` stands for all that calls cannot tell from it.

    `share` are households and callers by utility; `silent` the parts from which nobody called; `ids` the calls from where
    service was lost, `free` those of them that an incident can take in, `lead_id` the one that would lead it.
    """

    utility: str
    things: list[Named]
    more: int
    valves: list[Named]
    stations: list[Named]
    areas: list[str]
    ranked: Ranked
    share: list[tuple[str, int, int]]
    silent: list[tuple[Named, int]]
    ids: list[int]
    free: list[int]
    lead_id: int | None
    category: str | None
    incident: tuple[int, str] | None
    points: list[int]
    sections: list[int]

    @property
    def households(self) -> int:
        """How many are without service, of the utility that most of them lost."""
        return max((n for _, n, _ in self.share), default=0)

    @property
    def key(self) -> str:
        """By what it is found again a moment later."""
        return f"{self.things[0].kind}-{self.things[0].id}"


@dataclass(frozen=True)
class Explanation:
    """What the calls of a window speak for: failures, each with other explanations of the same calls, the surest first."""

    since: datetime
    until: datetime
    utilities: list[str]
    calls: list[Row]
    placed: int
    households: int
    causes: list[list[Cause]]
    customers: dict[int, Row]
    called: Counter[int]


def explain(
    session: Session, scope: Scope, now: datetime, *, hours: float, utilities: Sequence[str] = ()
) -> Explanation:
    """Weigh every asset, as the networks are now, against the calls of the hours up to `now`. Raises NotANetwork where no
    topology was built."""
    known = assets(session)
    if known is None:
        raise NotANetwork()
    since, chosen = now - timedelta(hours=hours), [u for u in map(str, PIPED) if u in (utilities or PIPED)]
    rows = queries.calls(session, scope, since, now, chosen)
    customers = {row["id"]: row for row in queries.customers(session, scope, chosen) if row["id"] in known.point_node}
    placed = [row for row in rows if row["point_id"] in customers]
    called: Counter[int] = Counter(
        point for point, _ in {(row["point_id"], row["phone"] or row["id"]) for row in placed}
    )
    failures = queries.known_failures(session)
    heard = _heard(session, known, customers, called, since, now)
    rates = learned(
        np.array(CALL_RATES), [(f["callers"], f["asset_households"]) for f in failures if f["asset_households"]]
    )
    explainer = known.explainer.with_prior(_prior(session, known, failures, hours, now))
    found = explainer.causes(heard, rates, least=LEAST_ODDS, causes=CAUSES, others=OTHERS) if placed else []
    told = _Teller(session, known, customers, placed, heard)
    return Explanation(
        since, now, chosen, rows, len(placed), int(heard.households.sum()), [[told.cause(one) for one in one_of] for one_of in found],
        customers, called,
    )  # fmt: skip


def _heard(
    session: Session, known: Assets, customers: Mapping[int, Row], called: Counter[int], since: datetime, now: datetime
) -> Heard:
    """Per node: households, callers among them, and who calls anyway, by the same hours of the days before."""
    n = known.households.size
    households, calls, rate, utility = np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, 0.5), known.node_utility
    nodes = {point: known.point_node[point] for point in customers}
    for point, node in nodes.items():
        households[node] = known.households[node]
        calls[node] = min(called[point], int(households[node]))
    first = queries.history_from(session, now)
    days = 0.0 if first is None else max((since - first).total_seconds(), 0.0) / 86_400
    usual = queries.usual(session, since, now, first)
    base = CALLS_PER_HOUSEHOLD_HOUR * (now - since).total_seconds() / 3600
    for each in {row["utility"] for row in customers.values()}:
        mine = [
            (node, customers[point]["area_id"] or 0)
            for point, node in nodes.items()
            if customers[point]["utility"] == each
        ]
        in_area: Counter[int] = Counter()
        for node, area in mine:
            in_area[area] += int(households[node])
        total = sum(many for (name, _), many in usual.items() if name == each)
        city = background(total, sum(in_area.values()) * days, base)
        for node, area in mine:
            rate[node] = min(background(usual.get((each, area), 0), in_area[area] * days, city), 0.5)
    return Heard(households, calls, rate, utility)


def _prior(session: Session, known: Assets, failures: Sequence[Row], hours: float, now: datetime) -> np.ndarray:
    """The log odds that each thing fails within so many hours."""
    first = min((row["opened_at"] for row in failures), default=now)
    years = (now - first).total_seconds() / 3600 / YEAR_H
    counted = Counter(_kind_of(row["asset_kind"]) for row in failures)
    odds = [
        np.log(per_year(counted[kind], years * int((known.kind == i).sum())) * hours / YEAR_H)
        for i, kind in enumerate(ASSETS)
    ]
    return np.array(odds)[known.kind]


def _kind_of(asset_kind: str) -> AssetKind:
    return AssetKind.SOURCE if asset_kind.endswith("_source") else AssetKind(asset_kind)


class _Teller:
    """Puts explanations into names."""

    def __init__(
        self, session: Session, known: Assets, customers: Mapping[int, Row], placed: Sequence[Row], heard: Heard
    ) -> None:
        self.session, self.known, self.customers, self.placed, self.heard = session, known, customers, placed, heard
        self.point_of = {known.point_node[point]: point for point in customers}

    def cause(self, ranked: Ranked) -> Cause:
        known = self.known
        lost = known.explainer.members(ranked.things[0])
        points = [
            self.point_of[node] for node in lost.tolist() if node in self.point_of and self.heard.households[node]
        ]
        inside = set(points)
        rows = [row for row in self.placed if row["point_id"] in inside]
        things = self._things(ranked)
        utility = known.utility[int(known.node_utility[known.node[self._leader(ranked)]])]
        lead = self._lead(rows, utility)
        incident = queries.open_incident_of(self.session, things[0].kind, things[0].id)
        return Cause(
            utility, things[:NAMED], max(len(things) - NAMED, 0), self._valves(lost), self._stations(lost),
            queries.areas_of(self.session, points), ranked, self._share(lost), self._silent(ranked),
            [row["id"] for row in rows], queries.free(rows, lead["id"] if lead and not incident else None), lead["id"] if lead else None, lead["category"] if lead else None,
            (incident.id, incident.no) if incident else None, points, self._sections(ranked),
        )  # fmt: skip

    def _leader(self, ranked: Ranked) -> int:
        return min(ranked.things, key=lambda one: (FIRST.index(ASSETS[int(self.known.kind[one])]), one))

    def _things(self, ranked: Ranked) -> list[Named]:
        """Sources, stations, pipelines (those of a segment among them, the widest first), customers, valves; each once."""
        order = sorted(ranked.things, key=lambda one: (FIRST.index(ASSETS[int(self.known.kind[one])]), one))
        keys: dict[tuple[str, int], None] = {}
        for one in order:
            for key in self._keys(one):
                keys.setdefault(key)
        wanted: dict[str, set[int]] = {}
        for kind, number in keys:
            wanted.setdefault(kind, set()).add(number)
        names = queries.names(self.session, wanted)
        return [Named(kind, number, names.get((kind, number), f"{kind} {number}")) for kind, number in keys]

    def _keys(self, one: int) -> list[tuple[str, int]]:
        kind, ref = ASSETS[int(self.known.kind[one])], int(self.known.ref[one])
        if kind == AssetKind.SOURCE:
            utility = self.known.utility[int(self.known.node_utility[self.known.node[one]])]
            return [(SOURCES.get(utility, "supply_source"), ref)]
        if kind != AssetKind.SEGMENT:
            return [(str(kind), ref)]
        pipes = {int(self.known.pipeline_of[node]) for node in self._segment(one)}
        wide = queries.diameters(self.session, pipes)
        return [("pipeline", pipe) for pipe in sorted(pipes, key=lambda pipe: (-wide.get(pipe, 0.0), pipe))]

    def _segment(self, one: int) -> list[int]:
        segment = self.known.segment_of[self.known.node[one]]
        return np.flatnonzero(self.known.segment_of == segment).tolist()

    def _sections(self, ranked: Ranked) -> list[int]:
        nodes = [node for one in ranked.things
                 for node in (self._segment(one) if ASSETS[int(self.known.kind[one])] == AssetKind.SEGMENT else [int(self.known.node[one])])]  # fmt: skip
        return sorted({int(self.known.node_section[node]) for node in nodes} - {0})

    def _valves(self, lost: np.ndarray) -> list[Named]:
        """The open valves on the border of what has no service: to be checked first, and closed to isolate it."""
        inside = np.zeros(self.known.households.size, bool)
        inside[lost] = True
        tail, head = self.known.supply.tail, self.known.supply.head
        border = np.unique(np.concatenate([tail[inside[head] & ~inside[tail]], head[inside[tail] & ~inside[head]]]))
        valve = border[self.known.node_kind[border] == _NODE[NodeKind.VALVE]]
        return self._named("valve", sorted({int(self.known.node_ref[node]) for node in valve})[:NAMED])

    def _stations(self, lost: np.ndarray) -> list[Named]:
        """The stations that stopped with it: their readings tell more than calls do."""
        station = lost[self.known.node_kind[lost] == _NODE[NodeKind.STATION]]
        return self._named("station", sorted({int(self.known.node_ref[node]) for node in station})[:NAMED])

    def _named(self, kind: str, ids: Sequence[int]) -> list[Named]:
        names = queries.names(self.session, {kind: set(ids)}) if ids else {}
        return [Named(kind, one, names[(kind, one)]) for one in ids if (kind, one) in names]

    def _share(self, lost: np.ndarray) -> list[tuple[str, int, int]]:
        found = []
        for i, utility in enumerate(self.known.utility):
            mine = lost[self.known.node_utility[lost] == i]
            households = int(self.heard.households[mine].sum())
            if households:
                found.append((utility, households, int(self.heard.calls[mine].sum())))
        return sorted(found, key=lambda row: -row[2])

    def _silent(self, ranked: Ranked) -> list[tuple[Named, int]]:
        found = []
        for branch in ranked.silent:
            kind, number = self._keys(branch.thing)[0]
            utility = self.known.utility[int(self.known.node_utility[self.known.node[branch.thing]])]
            found += [(replace(one, utility=utility), branch.households) for one in self._named(kind, [number])]
        return found

    def _lead(self, rows: Sequence[Row], utility: str) -> Row | None:
        """Who would lead: one that has a crew already, else whoever saw the place of the utility's damage, else who called first."""
        able = [
            row
            for row in rows
            if row["merged_into_id"] is None and row["incident_id"] is None and row["status"] in LEADS
        ]
        return min(able, default=None, key=lambda row: (
            row["status"] in queries.JOINABLE, row["utility"] != utility, row["category"] not in SEEN_AT, row["received_at"], row["id"],
        ))  # fmt: skip


_NODE = {kind: i for i, kind in enumerate(NodeKind)}

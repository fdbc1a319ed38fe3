"""Bringing a street network in: split at junctions, compare with what is there, write by COPY. All of a file or nothing."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import journal
from gis.db import SRID
from gis.errors import BadInput
from gis.geo import Floats, distance_m
from gis.journal import Who
from gis.places.road_files import FileReport, Way, read_ways
from gis.places.road_turns import Turns, read_turns, signed
from gis.places.roads import Edges, RoadNetwork
from gis.places.turns import Way as Turn


@dataclass(frozen=True)
class Stretch:
    """A street between two junctions, ready to be stored."""

    ref: str
    from_ref: str
    to_ref: str
    name: str | None
    highway: str
    length_m: float
    forward_s: float | None
    backward_s: float | None
    walk_s: float | None
    coordinates: Floats


def split(ways: Sequence[Way]) -> Iterator[Stretch]:
    """Cut every street where it meets another or itself, and at its ends. Stretches without length vanish."""
    met: Counter[str] = Counter()
    for way in ways:
        met.update(way.nodes)
        met.update((way.nodes[0], way.nodes[-1]))
    for way in ways:
        cuts = [i for i, node in enumerate(way.nodes) if met[node] > 1]
        steps = _steps_m(way.coordinates)
        for number, (start, end) in enumerate(pairwise(cuts)):
            length = float(steps[start:end].sum())
            if length > 0.0:
                yield _stretch(way, f"{way.ref}/{way.part}{number}", start, end, length)


def _steps_m(xy: Floats) -> Floats:
    return distance_m(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])


def _stretch(way: Way, ref: str, start: int, end: int, length_m: float) -> Stretch:
    def seconds(kmh: float | None) -> float | None:
        return None if kmh is None else round(length_m / (kmh / 3.6), 3)

    road = way.road
    return Stretch(
        ref, way.nodes[start], way.nodes[end], road.name, road.highway, round(length_m, 3), seconds(road.forward_kmh),
        seconds(road.backward_kmh), seconds(road.walk_kmh), way.coordinates[start : end + 1],
    )  # fmt: skip


def import_roads(
    session: Session, who: Who, path: Path, *, name: str | None = None, layer: str | None = None, highway: str = "road"
) -> dict[str, Any]:
    """Make the network `name` (the file's name if none is given) equal to the file. The same file twice adds nothing.

    Counts are in streets of the file: read = added + unchanged + refused + not_located + skipped. One refused row refuses
    the file; the report then says why and nothing is stored. `turns` are ways that may not be driven; `turns_unused` rules
    of the map that could not be used (only at times, unclear, or about no street that is driven). The door commits.
    """
    name = (name or path.name.split(".")[0]).strip()
    if not name or len(name) > 160:
        raise BadInput(reason="name")
    report = FileReport()
    ways = list(read_ways(path, report, layer=layer, highway=highway))
    stretches = list(split(ways)) if not report.refused else []
    result: dict[str, Any] = {
        "read": report.read, "added": 0, "unchanged": 0, "refused": report.refused, "not_located": report.not_located,
        "skipped": report.skipped, "errors": report.errors, "network": name, "edges": len(stretches), "removed_edges": 0,
        "unreachable": 0, "turns": 0, "turns_unused": 0,
    }  # fmt: skip
    if report.refused or not stretches:
        return result
    result["unreachable"] = unreachable(stretches)
    rules = Turns(stretches)
    turns = {ref: signed(way, stretches) for ref, way in rules.forbidden(read_turns(path)).items()}
    result |= {"turns": len(turns), "turns_unused": rules.unused}
    result |= _store(session, who, name, path.name, stretches, turns)
    # A street whose every stretch vanished (all its nodes on one spot) is in no count above.
    result["skipped"] += result["read"] - sum(result[k] for k in ("added", "unchanged", "not_located", "skipped"))
    return result


def unreachable(stretches: Sequence[Stretch]) -> int:
    """How many stretches that may be driven cannot be both reached and left. They stay on the map; nobody is sent there."""
    drivable = [s for s in stretches if s.forward_s is not None or s.backward_s is not None]
    if not drivable:
        return 0
    return len(drivable) - int(RoadNetwork(as_edges(drivable)).connected.sum())


def as_edges(stretches: Sequence[Stretch], forbidden: Sequence[Turn] = ()) -> Edges:
    """The same streets as arrays, for the network in memory."""
    numbers: dict[str, int] = {}
    ends = [
        [numbers.setdefault(ref, len(numbers)) for ref in (s.from_ref, s.to_ref)] for s in stretches
    ]  # a node's number is the order of its first appearance
    from_to = np.array(ends, np.int64).reshape(-1, 2)
    return Edges(
        from_to[:, 0], from_to[:, 1], np.array([s.length_m for s in stretches]),
        np.array([s.forward_s for s in stretches], float), np.array([s.backward_s for s in stretches], float),
        np.array([shapely.LineString(s.coordinates) for s in stretches], object), forbidden,
    )  # fmt: skip


# --- storing ---------------------------------------------------------------------------------------------------------
_TEMPORARY = """
    CREATE TEMP TABLE new_node (ref text PRIMARY KEY, geom geometry(Point, 4326)) ON COMMIT DROP;
    CREATE TEMP TABLE new_edge (
        ref text PRIMARY KEY, way text, from_ref text, to_ref text, name text, highway text, length_m float8,
        forward_s float8, backward_s float8, walk_s float8, geom geometry(LineString, 4326)) ON COMMIT DROP;
"""
_SAME = """
    (e.from_node, e.to_node, e.name, e.highway, e.length_m, e.forward_s, e.backward_s, e.walk_s)
        IS NOT DISTINCT FROM (a.id, b.id, n.name, n.highway, n.length_m, n.forward_s, n.backward_s, n.walk_s)
    AND ST_AsBinary(e.geom) IS NOT DISTINCT FROM ST_AsBinary(n.geom)
"""
_MATCHED = """
    new_edge n
    LEFT JOIN road_node a ON a.network_id = :id AND a.ref = n.from_ref
    LEFT JOIN road_node b ON b.network_id = :id AND b.ref = n.to_ref
    LEFT JOIN road_edge e ON e.network_id = :id AND e.ref = n.ref
"""
_COUNT = text(
    f"""
    WITH old AS (SELECT regexp_replace(ref, '/[0-9.]+$', '') AS way, count(*) AS n FROM road_edge
                  WHERE network_id = :id GROUP BY 1),
         ways AS (SELECT n.way, bool_and(e.id IS NOT NULL AND {_SAME}) AS same, count(*) AS n
                    FROM {_MATCHED} GROUP BY n.way)
    SELECT count(*) FILTER (WHERE same AND ways.n = old.n) AS unchanged,
           count(*) FILTER (WHERE NOT (same AND ways.n = coalesce(old.n, 0))) AS added
      FROM ways LEFT JOIN old USING (way)
    """
)
_REMOVE_EDGES = text(
    """
    DELETE FROM road_edge e WHERE network_id = :id AND NOT EXISTS (SELECT FROM new_edge n WHERE n.ref = e.ref)
    RETURNING 1
    """
)
_NODES = text(
    """
    INSERT INTO road_node (network_id, ref, geom) SELECT :id, ref, geom FROM new_node
    ON CONFLICT (network_id, ref) DO UPDATE SET geom = excluded.geom
     WHERE ST_AsBinary(road_node.geom) <> ST_AsBinary(excluded.geom)
    """
)
_EDGES = text(
    """
    INSERT INTO road_edge (network_id, ref, from_node, to_node, name, highway, length_m, forward_s, backward_s, walk_s, geom)
    SELECT :id, n.ref, a.id, b.id, n.name, n.highway, n.length_m, n.forward_s, n.backward_s, n.walk_s, n.geom
      FROM new_edge n JOIN road_node a ON a.network_id = :id AND a.ref = n.from_ref
                      JOIN road_node b ON b.network_id = :id AND b.ref = n.to_ref
    ON CONFLICT (network_id, ref) DO UPDATE SET from_node = excluded.from_node, to_node = excluded.to_node,
        name = excluded.name, highway = excluded.highway, length_m = excluded.length_m, forward_s = excluded.forward_s,
        backward_s = excluded.backward_s, walk_s = excluded.walk_s, geom = excluded.geom
    """
)
_TURNS = text(
    """
    WITH said AS (SELECT * FROM jsonb_each(CAST(:turns AS jsonb)) AS t (ref, path)),
         new AS (SELECT ref, ARRAY(SELECT jsonb_array_elements_text(path)) AS path FROM said),
         gone AS (DELETE FROM road_turn r WHERE network_id = :id AND NOT EXISTS (SELECT FROM new WHERE new.ref = r.ref)
                  RETURNING 1),
         put AS (INSERT INTO road_turn (network_id, ref, path) SELECT :id, ref, path FROM new
                 ON CONFLICT (network_id, ref) DO UPDATE SET path = excluded.path
                  WHERE road_turn.path IS DISTINCT FROM excluded.path RETURNING 1)
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM put)
    """
)
_REMOVE_NODES = text(
    """
    DELETE FROM road_node v WHERE network_id = :id AND NOT EXISTS (SELECT FROM new_node n WHERE n.ref = v.ref)
    """
)


def _store(
    session: Session, who: Who, name: str, source: str, stretches: Sequence[Stretch], turns: dict[str, list[str]]
) -> dict[str, int]:
    """Write what is new or different; the revision rises only if anything is."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"road_network {name}"})
    session.execute(text("DROP TABLE IF EXISTS new_node, new_edge"))
    session.execute(text(_TEMPORARY))
    copy_rows(session, "new_node (ref, geom)", _node_rows(stretches))
    copy_rows(session, "new_edge", _edge_rows(stretches))
    session.execute(text("ANALYZE new_edge"))
    network = session.execute(text("SELECT id FROM road_network WHERE name = :name"), {"name": name}).one_or_none()
    is_new = network is None
    if network is None:
        network = session.execute(
            text("INSERT INTO road_network (name, source, revision, imported_at) VALUES (:n, :s, 1, :at) RETURNING id"),
            {"n": name, "s": source[:300], "at": who.now},
        ).one()
    given = {"id": network.id}
    counts = session.execute(_COUNT, given).mappings().one()
    removed = len(session.execute(_REMOVE_EDGES, given).all())
    turned = session.scalar(_TURNS, given | {"turns": json.dumps(turns)})
    if counts["added"] or removed or turned:
        session.execute(_NODES, given)
        session.execute(_EDGES, given)
        session.execute(_REMOVE_NODES, given)
        revision = session.scalar(
            text("UPDATE road_network SET revision = revision + :more, imported_at = :at, source = :s WHERE id = :id"
                 " RETURNING revision"),
            given | {"more": 0 if is_new else 1, "at": who.now, "s": source[:300]},
        )  # fmt: skip
        journal.write(session, who, "import", "road_network", network.id, version=revision, added=counts["added"],
                      removed=removed, turns=len(turns))  # fmt: skip
    session.execute(text("DROP TABLE new_node, new_edge"))
    return {"added": counts["added"], "unchanged": counts["unchanged"], "removed_edges": removed}


def _node_rows(stretches: Iterable[Stretch]) -> Iterator[tuple[Any, ...]]:
    nodes: dict[str, Floats] = {}
    for s in stretches:
        nodes.setdefault(s.from_ref, s.coordinates[0])
        nodes.setdefault(s.to_ref, s.coordinates[-1])
    points = shapely.set_srid(shapely.points(np.array(list(nodes.values()))), SRID)
    return zip(nodes, shapely.to_wkb(points, hex=True, include_srid=True), strict=True)


def _edge_rows(stretches: Sequence[Stretch]) -> Iterator[tuple[Any, ...]]:
    lines = shapely.set_srid(np.array([shapely.LineString(s.coordinates) for s in stretches], object), SRID)
    for s, line in zip(stretches, shapely.to_wkb(lines, hex=True, include_srid=True), strict=True):
        yield (s.ref, s.ref.rsplit("/", 1)[0], s.from_ref, s.to_ref, s.name, s.highway, s.length_m, s.forward_s,
               s.backward_s, s.walk_s, line)  # fmt: skip


def copy_rows(session: Session, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """COPY rows into a temporary table."""
    buffer = io.StringIO()
    for row in rows:
        buffer.write("\t".join(r"\N" if value is None else _escaped(value) for value in row))
        buffer.write("\n")
    buffer.seek(0)
    cursor = session.connection().connection.cursor()
    try:
        cursor.copy_expert(f"COPY {table} FROM STDIN", buffer)
    finally:
        cursor.close()


def _escaped(value: Any) -> str:
    if not isinstance(value, str):
        return repr(value)
    return (
        value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r").replace("\x00", "")
    )

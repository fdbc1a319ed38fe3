"""A made-up quarter of Jining in tests: streets with names, landmarks, houses, cameras, and what is about them."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.coverage.model import BlindSpot, Camera, UnservedArea, WeakSignalSpot
from gis.places.model import Building, GazetteerEntry, RoadEdge, RoadNetwork, RoadNode
from tests import factories as make
from tests.conftest import NOW

AT = (116.5870, 35.4050)  # the southern end of 浣笔泉路
EAST, NORTH = 111_320 * math.cos(math.radians(AT[1])), 110_950
ROAD, SOUTH_MARK, NORTH_MARK = "浣笔泉路", "浣笔泉路中区区委宿舍", "红星八号"


def lonlat(east_m: float, north_m: float) -> tuple[float, float]:
    """A place some metres from the southern end."""
    return AT[0] + east_m / EAST, AT[1] + north_m / NORTH


def _line(a: tuple[float, float], b: tuple[float, float]) -> str:
    return f"SRID=4326;LINESTRING({a[0]} {a[1]}, {b[0]} {b[1]})"


def streets(session: Session) -> None:
    """浣笔泉路 goes 600 m north in three edges (one drawn southward, one twice), crossed by two others."""
    network = RoadNetwork(name="济宁", imported_at=NOW)
    session.add(network)
    session.flush()
    places = {
        "s": (0, 0),
        "a": (0, 120),
        "b": (0, 420),
        "n": (0, 600),
        "w1": (-200, 0),
        "e1": (200, 0),
        "w2": (-200, 600),
        "e2": (200, 600),
    }
    nodes = {ref: RoadNode(network_id=network.id, ref=ref, geom=make.point(*lonlat(*at))) for ref, at in places.items()}
    session.add_all(nodes.values())
    session.flush()
    edges = [("s", "a", ROAD), ("b", "a", ROAD), ("b", "n", ROAD), ("a", "b", ROAD), ("w1", "s", "古槐路"), ("s", "e1", "古槐路"),
             ("w2", "n", "红星路"), ("n", "e2", "红星路"), ("b", "e2", None)]  # fmt: skip
    for i, (a, b, name) in enumerate(edges):
        one, other = lonlat(*places[a]), lonlat(*places[b])
        session.add(
            RoadEdge(network_id=network.id, ref=str(i), from_node=nodes[a].id, to_node=nodes[b].id, name=name, highway="residential",
                     length_m=math.dist(places[a], places[b]), forward_s=10, backward_s=10, walk_s=60, geom=_line(one, other))
        )  # fmt: skip
    session.flush()


def landmark(session: Session, name: str, east_m: float, north_m: float) -> None:
    session.add(GazetteerEntry(code=f"G-{name}", name=name, kind="compound", geom=make.point(*lonlat(east_m, north_m))))
    session.flush()


def house(
    session: Session, code: str, west: float, south: float, east: float, north: float, height_m: float | None = 18.0
) -> None:
    (w, s), (e, n) = lonlat(west, south), lonlat(east, north)
    geom = f"SRID=4326;MULTIPOLYGON((({w} {s},{e} {s},{e} {n},{w} {n},{w} {s})))"
    session.add(Building(code=code, name=None, height_m=height_m, geom=geom))
    session.flush()


def camera(session: Session, code: str, east_m: float, north_m: float, **fields: Any) -> Camera:
    given = {"bearing_deg": 0.0, "focal_mm": 4.0, "sensor_mm": 5.12, "resolution_px": 1920} | fields
    made = Camera(code=code, name=f"探头{code}", geom=make.point(*lonlat(east_m, north_m)), **given)
    session.add(made)
    session.flush()
    return made


def jining(session: Session) -> None:
    """Cameras see the two crossings; between the two landmarks nobody sees the road."""
    streets(session)
    landmark(session, SOUTH_MARK, 30, 75)
    landmark(session, NORTH_MARK, -25, 545)
    landmark(session, "古槐路小学", 150, 20)
    house(session, "B1", 8, 5, 60, 55)
    house(session, "B2", -60, 560, -8, 590)
    camera(session, "K1", 0, 20, bearing_deg=0.0)
    camera(session, "K2", 0, 600, bearing_deg=180.0)
    camera(session, "K3", 0, 300, bearing_deg=0.0, state="broken")
    camera(session, "K4", 100, 0, bearing_deg=None)
    session.execute(text("ANALYZE building"))


def one_of_each(session: Session, area: Any, at: tuple[float, float], mark: str) -> dict[str, Any]:
    """A spot of each kind in an area, for the walk of the routes."""
    n = area.id
    line = f"SRID=4326;LINESTRING({at[0]} {at[1]}, {at[0]} {at[1] + 0.002})"
    blind = BlindSpot(
        code=f"R{n}", road_name=f"路{mark}", from_landmark=f"起{mark}", to_landmark=f"止{mark}", area_id=n, geom=line
    )
    weak = WeakSignalSpot(code=f"W{n}", name=f"村{mark}", area_id=n, geom=make.point(*at))
    unserved = UnservedArea(code=f"U{n}", area_id=n, utility="gas", answer=f"因{mark}")
    watch = Camera(code=f"C{n}", name=f"探头{mark}", geom=make.point(*at))
    session.add_all([blind, weak, unserved, watch])
    session.flush()
    return {"spot_id": blind.id, "weak_id": weak.id, "unserved_id": unserved.id, "camera_id": watch.id}

"""Roads that are seen and not: lengths against unions, stretches against a walk in small steps, real streets."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.coverage.blindspots import (
    Marks,
    Spans,
    heading,
    landmarks,
    once,
    seen,
    streets,
    stretches,
    told_from,
    without_twins,
)

NONE = Spans(np.empty(0, np.int64), np.empty(0), np.empty(0))


def lines(*coords: list[tuple[float, float]]) -> np.ndarray:
    return np.array([shapely.LineString(c) for c in coords], object)


def joined(names: list[str], ends: list[tuple[int, int]], drawn: np.ndarray):
    return streets(names, [a for a, _ in ends], [b for _, b in ends], drawn, once(names, drawn))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 400), st.floats(-8, 8), st.floats(5, 60)), min_size=1, max_size=12))
def test_the_length_seen_is_the_length_in_the_union_of_the_fields(discs: list[tuple[float, float, float]]) -> None:
    fields = shapely.buffer(shapely.points([d[0] for d in discs], [d[1] for d in discs]), [d[2] for d in discs])
    roads = lines([(0, 0), (120, 3), (400, 0)], [(50, -200), (50, 200), (90, 60)])
    inside = shapely.intersection(roads, shapely.union_all(fields))
    lit = seen(roads, fields)
    for i in (0, 1):
        assert (lit.end_m - lit.begin_m)[lit.line == i].sum() == pytest.approx(inside[i].length, abs=1e-6)


def test_edges_of_one_name_are_one_street_whichever_way_they_are_drawn_and_doubles_count_once() -> None:
    drawn = lines(
        [(0, 0), (100, 0)], [(200, 0), (100, 0)], [(200, 0), (300, 0)], [(100, 0), (0, 0)], [(100, 0), (100, 90)]
    )
    found = joined(["甲路", "甲路", "甲路", "甲路", "乙路"], [(1, 2), (3, 2), (3, 4), (2, 1), (2, 5)], drawn)
    assert [(s.name, s.steps) for s in found] == [
        ("甲路", ((0, False), (1, True), (2, False))),
        ("乙路", ((4, False),)),
    ]
    (dark,) = stretches(found[0], drawn, NONE, 50)
    assert dark.length_m == 300


def test_at_a_fork_of_one_name_the_road_goes_on_straight() -> None:
    drawn = lines([(0, 0), (100, 0)], [(100, 0), (200, 5)], [(100, 0), (100, 100)])
    found = joined(["甲路"] * 3, [(1, 2), (2, 3), (2, 4)], drawn)
    assert [s.steps for s in found] == [((0, False), (1, False)), ((2, False),)]


def test_what_is_not_seen_goes_on_over_the_ends_of_edges_and_is_as_long_as_it_can_be() -> None:
    drawn = lines([(0, 0), (100, 0)], [(200, 0), (100, 0)], [(200, 0), (300, 0)])
    (street,) = joined(["甲路"] * 3, [(1, 2), (3, 2), (3, 4)], drawn)
    lit = seen(drawn, np.array([shapely.box(20, -5, 40, 5), shapely.box(230, -5, 260, 5)], object))
    found = stretches(street, drawn, lit, 30)
    assert [(s.line.coords[0][0], s.line.coords[-1][0], s.edges) for s in found] == [
        (40, 230, (0, 1, 2)),
        (260, 300, (2,)),
    ]


def test_a_ring_road_has_no_beginning() -> None:
    drawn = lines([(0, 0), (100, 0), (100, 100)], [(100, 100), (0, 100), (0, 0)])
    (ring,) = joined(["环路", "环路"], [(1, 2), (2, 1)], drawn)
    assert ring.closed
    (whole,) = stretches(ring, drawn, NONE, 10)
    assert whole.length_m == 400
    lit = seen(drawn, np.array([shapely.box(90, 40, 110, 60)], object))
    (rest,) = stretches(ring, drawn, lit, 10)
    assert rest.length_m == pytest.approx(380)


def test_the_other_carriageway_is_not_a_second_blind_spot() -> None:
    drawn = lines([(0, 0), (300, 0)], [(300, 12), (0, 12)], [(0, 200), (200, 200)])
    found = [
        s
        for street in joined(["甲路"] * 3, [(1, 2), (3, 4), (5, 6)], drawn)
        for s in stretches(street, drawn, NONE, 50)
    ]
    assert [s.length_m for s in without_twins(found)] == [300, 200]


def test_a_stretch_is_told_northward_from_landmark_to_landmark() -> None:
    line = told_from(shapely.LineString([(5, 400), (0, 0)]))
    marks = Marks(np.array([20.0, 8.0, 1.0, -30.0]), np.array([-10.0, 395.0, 2.0, 420.0]),
                  ["浣笔泉路中区区委宿舍", "红星八号", "某路", "红星九号"])  # fmt: skip
    tree = shapely.STRtree(shapely.points(marks.x, marks.y))
    assert heading(line) == "n"
    assert landmarks(line, "某路", marks, tree, 80) == ("浣笔泉路中区区委宿舍", "红星八号")
    assert landmarks(line, "某路", marks, tree, 9) == ("", "红星八号")
    short = shapely.LineString([(0, 390), (0, 410)])
    assert landmarks(short, "某路", marks, tree, 60) == ("红星八号", "红星九号")


def test_on_real_streets_seen_and_unseen_are_the_whole_and_agree_with_a_walk_in_steps(shared: Path) -> None:
    roads = gpd.read_file(shared / "buildings/osm_shanghai_bund.gpkg", layer="roads").to_crs(4550)
    parts = roads.explode(index_parts=False)
    parts = parts[parts.geometry.length > 0]
    drawn = parts.geometry.to_numpy()
    names = [n if isinstance(n, str) else "" for n in parts["name"]]
    ends: dict[tuple[float, float], int] = {}
    node = [
        [ends.setdefault(tuple(np.round(c, 1)), len(ends)) for c in shapely.get_coordinates(g)[[0, -1]]] for g in drawn
    ]
    rng = np.random.default_rng(3)
    at = shapely.get_coordinates(shapely.centroid(drawn[rng.choice(len(drawn), 60, replace=False)]))
    fields = shapely.buffer(shapely.points(at), 60)
    kept = once(names, drawn)
    lit = seen(drawn, fields)
    found = streets(names, [a for a, _ in node], [b for _, b in node], drawn, kept)
    dark = [s for street in found for s in stretches(street, drawn, lit, 0)]
    named = [i for i in kept if names[i]]
    lit_m = (lit.end_m - lit.begin_m)[np.isin(lit.line, named)].sum()
    assert lit_m + sum(s.length_m for s in dark) == pytest.approx(shapely.length(drawn[named]).sum(), rel=1e-6)
    union = shapely.union_all(fields)
    in_union = shapely.length(shapely.intersection(drawn, union)).sum()
    assert lit.length_m() == pytest.approx(in_union, rel=1e-6)
    assert len({s.name for s in dark}) > 100
    for stretch in dark[::7]:
        steps = shapely.line_interpolate_point(stretch.line, np.arange(1, max(stretch.length_m, 1.5), 5.0))
        assert not shapely.contains_properly(union.buffer(-0.5), steps).any()

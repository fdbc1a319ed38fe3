"""Travel times in memory against a second engine, on random graphs and on real streets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.geo import to_degrees, to_metres
from gis.places.road_files import FileReport, read_ways
from gis.places.road_import import as_edges, split
from gis.places.road_turns import Turns, read_turns
from gis.places.roads import WALK_MS, Edges, RoadNetwork
from gis.places.snapping import SegmentTree
from tests.road_oracle import seconds_minding_turns, seconds_to

CENTRE = (119.96, 36.78)
NAN = float("nan")


def degrees(xy):
    """Metres east and north of the centre, as degrees."""
    x0, y0 = to_metres(*CENTRE, CENTRE[0])
    points = np.atleast_2d(np.asarray(xy, float))
    lon, lat = to_degrees(points[:, 0] + x0, points[:, 1] + y0, CENTRE[0])
    return np.column_stack([lon, lat])


def network(lines, forward, backward, nodes=None) -> RoadNetwork:
    """Streets given in metres; ends that coincide are one node."""
    names: dict[tuple, int] = {}
    ends = nodes or [tuple(names.setdefault(tuple(line[i]), len(names)) for i in (0, -1)) for line in lines]
    shapes = np.array([shapely.LineString(degrees(line)) for line in lines], object)
    lengths = np.array([shapely.LineString(line).length for line in lines])
    a, b = np.array(ends, np.int64).T
    return RoadNetwork(Edges(a, b, lengths, np.array(forward, float), np.array(backward, float), shapes))


def lonlat(points):
    return degrees(points).T


# --- snapping --------------------------------------------------------------------------------------------------------
coordinate = st.integers(-1000, 1000).map(float)
pair = st.tuples(coordinate, coordinate)


@settings(deadline=None)
@given(
    st.lists(st.tuples(pair, pair), min_size=1, max_size=80), st.lists(pair, min_size=1, max_size=20), st.floats(1, 900)
)
def test_the_packed_tree_finds_the_nearest_segment_that_a_look_at_all_of_them_finds(pieces, places, limit):
    segments = np.array([[*a, *b] for a, b in pieces])
    tree = SegmentTree(segments, np.arange(len(segments), dtype=np.int32))
    x, y = np.array(places).T.copy()
    found, along, away = tree.nearest(x, y, limit)
    shapes = [shapely.LineString(p) if p[0] != p[1] else shapely.Point(p[0]) for p in pieces]
    for i, place in enumerate(places):
        distances = np.array([shapely.Point(place).distance(shape) for shape in shapes])
        if distances.min() > limit * (1 + 1e-9):
            assert found[i] == -1
        elif distances.min() < limit * (1 - 1e-9):
            assert away[i] == pytest.approx(distances.min(), abs=1e-6)
            assert distances[found[i]] == pytest.approx(distances.min(), abs=1e-6)
            ax, ay, bx, by = segments[found[i]]
            foot = (ax + along[i] * (bx - ax), ay + along[i] * (by - ay))
            assert np.hypot(foot[0] - place[0], foot[1] - place[1]) == pytest.approx(away[i], abs=1e-6)


def test_a_place_is_snapped_along_a_bent_street_and_too_far_is_off_the_network():
    net = network([[(0, 0), (300, 0), (300, 100)], [(300, 100), (0, 0)]], [40, 30], [40, 30])
    lon, lat = lonlat([(310, 50), (0, -20), (0, 900)])
    at = net.snap(lon, lat, 500.0)
    assert at.edge.tolist()[0] == 0 and at.edge[2] == -1
    assert at.share[0] == pytest.approx(350 / 400, abs=1e-4) and at.gap_m[0] == pytest.approx(10, abs=0.01)
    assert at.share[1] == pytest.approx(0, abs=1e-6)
    assert net.target(lon[2], lat[2], 500.0) is None


# --- times -----------------------------------------------------------------------------------------------------------
def times(net, place, crews, **more):
    target = net.target(*lonlat([place]).T[0], 500.0)
    return target.travel(*lonlat(crews), **more)


SQUARE = [[(0, 0), (1000, 0)], [(1000, 0), (1000, 1000)], [(1000, 1000), (0, 1000)], [(0, 1000), (0, 0)]]


def test_a_one_way_ring_is_driven_round_and_only_round():
    net = network(SQUARE, [100] * 4, [NAN] * 4)
    seconds, metres = times(net, (500, 0), [(250, 0), (750, 0), (1000, 500)])
    assert seconds == pytest.approx([25, 375, 300], abs=0.1)
    assert metres == pytest.approx([250, 3750, 3000], abs=1)


def test_a_two_way_ring_is_driven_the_shorter_way():
    net = network(SQUARE, [100] * 4, [100] * 4)
    seconds, _ = times(net, (500, 0), [(250, 0), (750, 0), (1000, 500), (500, 1000)])
    assert seconds == pytest.approx([25, 25, 100, 200], abs=0.1)


def test_a_crew_on_the_very_junction_of_the_place_is_told_as_being_there():
    net = network(SQUARE, [100] * 4, [NAN] * 4)
    seconds, _ = times(net, (1000, 0), [(1000, 0), (999, 0), (1000, 1)])
    assert seconds == pytest.approx([0, 0.1, 399.9], abs=0.05)


def test_the_way_between_a_place_and_the_street_is_walked_at_both_ends():
    net = network(SQUARE, [100] * 4, [100] * 4)
    seconds, metres = times(net, (500, -125), [(600, -25)])
    assert seconds == pytest.approx([10 + 150 / WALK_MS], abs=0.1) and metres == pytest.approx([250], abs=0.5)


def test_an_island_behind_a_closed_gate_catches_nobody():
    street = [[(x, 0), (x + 50, 0)] for x in range(0, 1500, 50)]
    net = network([*street, [(400, 40), (450, 40)]], [5] * 31, [5] * 31)
    assert net.snap(*lonlat([(420, 39)]), 500.0).edge.tolist() == [8]
    one_way_in = network([*street, [(400, 0), (420, 40)]], [5] * 31, [*[5] * 30, NAN])
    assert one_way_in.snap(*lonlat([(420, 39)]), 500.0).edge.tolist() == [8]


def test_only_the_wanted_fastest_are_told_and_they_are_the_fastest():
    net = network(SQUARE, [100] * 4, [NAN] * 4)
    crews = [(x, 0) for x in range(0, 1000, 100)]
    every, _ = times(net, (500, 0), crews)
    some, _ = times(net, (500, 0), crews, wanted=3)
    assert np.isfinite(some).sum() == 3
    assert sorted(some)[:3] == sorted(every)[:3]


@st.composite
def graphs(draw):
    """A random connected tangle of straight streets, some one-way, some bent."""
    places = draw(st.lists(pair, min_size=3, max_size=14, unique=True))
    ends = [(i, draw(st.integers(0, i - 1))) for i in range(1, len(places))]
    index = st.integers(0, len(places) - 1)
    ends += draw(st.lists(st.tuples(index, index).filter(lambda e: e[0] != e[1]), max_size=20))
    lines, forward, backward = [], [], []
    for a, b in ends:
        bend = draw(st.one_of(st.none(), pair))
        lines.append([places[a], *([bend] if bend else []), places[b]])
        speed = draw(st.sampled_from([2.0, 8.0, 14.0]))
        length = shapely.LineString(lines[-1]).length
        one_way = draw(st.sampled_from([0, 0, 1, -1]))
        forward.append(length / speed if one_way >= 0 else NAN)
        backward.append(length / speed if one_way <= 0 else NAN)
    return network(lines, forward, backward, nodes=ends)


@settings(deadline=None, max_examples=150)
@given(graphs(), pair, st.lists(pair, min_size=1, max_size=12), st.integers(1, 12))
def test_on_random_networks_the_times_equal_the_second_engine(net, place, crews, wanted):
    lon, lat = lonlat([place])
    target = net.target(lon[0], lat[0], 400.0)
    if target is None:
        assert net.snap(lon, lat, 400.0).edge[0] == -1
        return
    crew_lon, crew_lat = lonlat(crews)
    seconds, _ = target.travel(crew_lon, crew_lat)
    expected = seconds_to(net, target.at, net.snap(crew_lon, crew_lat, 400.0))
    np.testing.assert_allclose(seconds, expected, rtol=1e-6, atol=1e-3)
    few, _ = target.travel(crew_lon, crew_lat, wanted)
    told = np.sort(few[np.isfinite(few)])
    np.testing.assert_allclose(told, np.sort(expected[np.isfinite(expected)])[:wanted], rtol=1e-6, atol=1e-3)
    again, _ = target.travel(crew_lon, crew_lat)
    np.testing.assert_array_equal(again, seconds)  # the workspace is left clean


@settings(deadline=None, max_examples=100)
@given(graphs(), st.lists(pair, min_size=1, max_size=10), st.lists(pair, min_size=1, max_size=10))
def test_a_matrix_tells_what_each_place_tells_one_by_one(net, crews, places):
    matrix_equals_travel(net, lonlat(crews), lonlat(places))


def matrix_equals_travel(net, crews, places):
    seconds, metres = net.matrix(*crews, *places, 400.0)
    assert seconds.shape == metres.shape == (len(crews[0]), len(places[0]))
    for i, (lon, lat) in enumerate(zip(*places, strict=True)):
        target = net.target(lon, lat, 400.0)
        one, way = target.travel(*crews) if target else (np.full(len(crews[0]), np.inf),) * 2
        np.testing.assert_allclose(seconds[:, i], one, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(np.isinf(metres[:, i]), np.isinf(way))
        if len(places[0]) > 10:  # in a drawn tangle two ways may take equally long: either may be told
            np.testing.assert_allclose(metres[:, i], way, rtol=0, atol=0.1)


@settings(deadline=None, max_examples=150)
@given(graphs(), pair, st.lists(pair, min_size=1, max_size=12))
def test_nobody_is_here_in_time_from_outside_the_reach(net, place, crews):
    lon, lat = lonlat([place])
    target = net.target(lon[0], lat[0], 400.0)
    if target is None:
        return
    crew_lon, crew_lat = lonlat(crews)
    seconds, _ = target.travel(crew_lon, crew_lat)
    for i in np.flatnonzero(np.isfinite(seconds)):
        assert target.reach(float(seconds[i])).holds(crew_lon[i], crew_lat[i])


# --- ways that may not be driven ---------------------------------------------------------------------------------------
def with_forbidden(net, forbidden) -> RoadNetwork:
    lines = shapely.transform(net.lines, lambda xy: np.column_stack(to_degrees(xy[:, 0], xy[:, 1], net.near_lon)))
    return RoadNetwork(Edges(net.a, net.b, net.length_m, net.forward_s, net.backward_s, lines, forbidden))


def ways_over(net, length, choose):
    """A way over so many stretches that follow one another, chosen by `choose(how many there are)`."""
    costs = np.column_stack([net.forward_s, net.backward_s]).ravel()
    tails, heads = np.column_stack([net.a, net.b]).ravel(), np.column_stack([net.b, net.a]).ravel()
    open_ = np.flatnonzero(~np.isnan(costs))
    way = [int(open_[choose(len(open_))])]
    while len(way) < length:
        out = open_[tails[open_] == heads[way[-1]]]
        if not len(out):
            return None
        way.append(int(out[choose(len(out))]))
    return tuple(way)


@st.composite
def forbidding(draw):
    net = draw(graphs())

    def choose(count):
        return draw(st.integers(0, count - 1))

    lengths = draw(st.lists(st.integers(2, 4), min_size=1, max_size=12))
    ways = [way for length in lengths if (way := ways_over(net, length, choose))]
    return with_forbidden(net, ways), ways


def test_who_may_not_turn_right_drives_on_and_comes_back():
    net = network([*SQUARE, [(1000, 0), (2000, 0)]], [100] * 5, [100] * 5)
    straight, _ = times(net, (1000, 500), [(1500, 0), (500, 0), (1000, 0)])
    assert straight == pytest.approx([100, 100, 50], abs=0.1)
    barred = with_forbidden(net, [(9, 2)])  # from the east not into the street to the north
    seconds, _ = times(barred, (1000, 500), [(1500, 0), (500, 0), (1000, 0)])
    assert seconds == pytest.approx([50 + 2 * 100 + 50, 100, 50], abs=0.1)


def test_a_turn_is_forbidden_only_after_the_whole_way_that_leads_to_it():
    net = network([[(0, 0), (0, 1000)], [(0, 1000), (500, 1000)], [(500, 1000), (500, 0)], [(0, 1000), (-500, 1000)]],
                  [100, 10, 100, 50], [100, 10, 100, 50])  # fmt: skip
    barred = with_forbidden(net, [(0, 2, 4)])  # up, across, and down at once: who goes across twice more may
    seconds, _ = times(barred, (500, 500), [(0, 500), (-250, 1000)])
    assert seconds == pytest.approx([50 + 3 * 10 + 50, 25 + 10 + 50], abs=0.1)


@settings(deadline=None, max_examples=200)
@given(forbidding(), pair, st.lists(pair, min_size=1, max_size=10))
def test_on_random_networks_with_forbidden_ways_the_times_equal_the_second_engine(barred, place, crews):
    net, ways = barred
    lon, lat = lonlat([place])
    target = net.target(lon[0], lat[0], 400.0)
    if target is None:
        return
    crew_lon, crew_lat = lonlat(crews)
    seconds, _ = target.travel(crew_lon, crew_lat)
    expected = seconds_minding_turns(net, ways, target.at, net.snap(crew_lon, crew_lat, 400.0))
    np.testing.assert_allclose(seconds, expected, rtol=1e-6, atol=1e-3)
    matrix_equals_travel(net, (crew_lon, crew_lat), (lon, lat))
    for i in np.flatnonzero(np.isfinite(seconds)):
        assert target.reach(float(seconds[i])).holds(crew_lon[i], crew_lat[i])


# --- real streets ----------------------------------------------------------------------------------------------------
def drawn_places(net, count):
    """Places within some tens of metres of streets."""
    random = np.random.default_rng(8319)
    street = net.lines[random.choice(net.snappable, count)]
    points = shapely.line_interpolate_point(street, random.random(count), normalized=True)
    x, y = shapely.get_x(points) + random.normal(0, 30, count), shapely.get_y(points) + random.normal(0, 30, count)
    return x, y, *to_degrees(x, y, net.near_lon)


@pytest.mark.parametrize(
    ("file", "mapped", "unused"), [("roads/baltimore.osm.pbf", 3, 0), ("roads/liechtenstein.osm.pbf", 2, 1)]
)
def test_on_real_streets_with_turn_limits_the_times_equal_the_second_engine(shared, file, mapped, unused):
    stretches = list(split(list(read_ways(shared / file, FileReport()))))
    rules = Turns(stretches)
    ways = list(rules.forbidden(read_turns(shared / file)).values())
    assert (len(ways), rules.unused) == (
        mapped,
        unused,
    )  # the third of Liechtenstein starts on a street of another country
    free = RoadNetwork(as_edges(stretches))
    random = np.random.default_rng(8319)
    more = [ways_over(free, 2 + i % 8 // 7, lambda n: int(random.integers(n))) for i in range(300)]
    net = RoadNetwork(as_edges(stretches, [*ways, *(way for way in more if way)]))
    *_, lon, lat = drawn_places(net, 300)
    longer = 0
    for i in range(2):
        target = net.target(lon[i], lat[i], 500.0)
        seconds, _ = target.travel(lon, lat)
        at = net.snap(lon, lat, 500.0)
        expected = seconds_minding_turns(net, [*ways, *(way for way in more if way)], target.at, at)
        np.testing.assert_allclose(seconds, expected, rtol=1e-9, atol=1e-6)
        longer += (seconds > free.target(lon[i], lat[i], 500.0).travel(lon, lat)[0] + 1e-6).sum()
    assert longer > 10  # the limits did matter
    matrix_equals_travel(net, (lon, lat), (lon[:12], lat[:12]))


@pytest.mark.parametrize("file", ["roads/baltimore.osm.pbf", "roads/liechtenstein.osm.pbf"])
def test_on_foot_the_times_equal_the_second_engine_on_real_ways(shared, file):
    walked = [s for s in split(list(read_ways(shared / file, FileReport()))) if s.walk_s]
    net = RoadNetwork(as_edges([replace(s, forward_s=s.walk_s, backward_s=s.walk_s) for s in walked]))
    *_, lon, lat = drawn_places(net, 200)
    target = net.target(lon[0], lat[0], 500.0)
    seconds, metres = target.travel(lon, lat)
    expected = seconds_to(net, target.at, net.snap(lon, lat, 500.0))
    np.testing.assert_allclose(seconds, expected, rtol=1e-9, atol=1e-6)
    known = np.isfinite(seconds)
    assert known.sum() > 150 and seconds[known] == pytest.approx(metres[known] / WALK_MS, rel=1e-3, abs=0.05)
    matrix_equals_travel(net, (lon, lat), (lon[:12], lat[:12]))


@pytest.mark.parametrize(
    "file", ["roads/baltimore.osm.pbf", "roads/liechtenstein.osm.pbf", "roads/shandong_trunk.gpkg"]
)
def test_on_real_streets_the_times_equal_the_second_engine(shared, file):
    stretches = [s for s in split(list(read_ways(shared / file, FileReport()))) if s.forward_s or s.backward_s]
    net = RoadNetwork(as_edges(stretches))
    x, y, lon, lat = drawn_places(net, 400)
    for i in range(4):
        target = net.target(lon[i], lat[i], 500.0)
        seconds, metres = target.travel(lon, lat)
        expected = seconds_to(net, target.at, net.snap(lon, lat, 500.0))
        np.testing.assert_allclose(seconds, expected, rtol=1e-9, atol=1e-6)
        straight = np.hypot(x - x[i], y - y[i])
        assert np.isfinite(seconds).sum() >= 350 and (metres + 1 >= straight * 0.98).all()
        nearest, _ = target.travel(lon, lat, 10)
        np.testing.assert_array_equal(np.sort(nearest)[:10], np.sort(seconds)[:10])
        tenth = float(np.sort(seconds)[9])
        region = target.reach(tenth)
        inside = np.array([region.holds(lon[j], lat[j]) for j in range(400)])
        assert inside[seconds <= tenth].all() and inside.sum() < 200
    matrix_equals_travel(net, (lon, lat), (lon[:25], lat[:25]))

"""The topology as drawn: joined, cut, and told about; connectivity is networkx's on real networks and on random ones."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pyogrio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString

from gis.network.drawn import in_metres
from gis.network.rules import FindingKind, NodeKind, PipeSide
from gis.network.topology import Pipes, Things, Tolerance, Topology, build

S, R = PipeSide.SECONDARY_SUPPLY, PipeSide.SECONDARY_RETURN
PS, PR = PipeSide.PRIMARY_SUPPLY, PipeSide.PRIMARY_RETURN


def pipes(*lines, sides=None, station=None):
    n = len(lines)
    made = np.empty(n, object)
    made[:] = [LineString(line) if isinstance(line, list) else line for line in lines]
    return Pipes(
        made, [f"P{i}" for i in range(n)], list(sides or [PipeSide.MAIN] * n), np.array(station or [-1] * n), np.ones(n, bool)
    )  # fmt: skip


def things(*rows):
    """(kind, x, y) or (kind, x, y, pipe)."""
    return Things(
        np.array([row[1:3] for row in rows], float).reshape(-1, 2), [row[0] for row in rows],
        [f"{row[0]}{i}" for i, row in enumerate(rows)], np.array([row[3] if len(row) > 3 else -1 for row in rows], np.int64),
    )  # fmt: skip


def kinds(topology: Topology) -> list[FindingKind]:
    return [finding.kind for finding in topology.findings]


def graph(topology: Topology) -> nx.MultiGraph:
    made = nx.MultiGraph()
    made.add_nodes_from(range(len(topology.node_xy)))
    made.add_edges_from(zip(topology.section_from.tolist(), topology.section_to.tolist(), strict=True))
    return made


SOURCE = (NodeKind.SOURCE, 0, 0)


def test_pipes_that_cross_do_not_join_and_those_that_end_on_another_do():
    made = build(pipes([(0, 0), (100, 0)], [(50, -50), (50, 50)], [(20, 0.3), (20, 60)]), things(SOURCE))
    assert kinds(made) == [FindingKind.NO_SOURCE]
    assert made.findings[0].code == "P1"
    assert sorted(made.section_pipe.tolist()) == [0, 0, 1, 2]
    assert made.section_length.sum() == pytest.approx(100 + 100 + 59.7, abs=0.5)


def test_a_valve_cuts_its_own_pipe_and_not_the_tee_it_is_drawn_on():
    drawn = pipes([(0, 0), (50, 0)], [(50, 0), (100, 0)], [(50, 0), (50, 40)])
    made = build(drawn, things(SOURCE, (NodeKind.VALVE, 50, 0, 2)))
    valve = int(np.flatnonzero(made.node_thing == 1)[0])
    left = graph(made)
    assert sorted(d for _, d in left.degree([valve])) == [2]
    left.remove_node(valve)
    parts = sorted(len(part) for part in nx.connected_components(left))
    assert parts == [1, 3]  # only the branch is cut off
    assert made.findings == []


def test_a_valve_within_reach_of_its_pipe_is_taken_and_told_and_one_beyond_is_told_only():
    drawn = pipes([(0, 0), (100, 0)])
    made = build(
        drawn, things(SOURCE, (NodeKind.VALVE, 30, 3, 0), (NodeKind.VALVE, 60, 20, 0), (NodeKind.VALVE, 70, 0.2))
    )
    assert [(f.kind, f.code, f.other, round(f.metres), f.detail) for f in made.findings] == [
        (FindingKind.VALVE_OFF_PIPE, "valve1", "P0", 3, "taken"),
        (FindingKind.VALVE_OFF_PIPE, "valve2", "P0", 20, ""),
    ]
    assert len(made.section_pipe) == 3
    assert made.findings[1].xy == (60, 20)


def test_a_valve_that_is_said_to_be_on_one_pipe_and_lies_on_another_is_told():
    made = build(pipes([(0, 0), (100, 0)], [(0, 0), (0, 50)]), things(SOURCE, (NodeKind.VALVE, 0, 40, 0)))
    assert [(f.kind, f.other, round(f.metres), f.detail) for f in made.findings] == [
        (FindingKind.VALVE_OFF_PIPE, "P0", 40, "moved")
    ]
    assert sorted(made.section_pipe.tolist()) == [0, 1, 1]


def test_bad_pipes_are_told_with_the_place_and_left_out():
    with np.errstate(invalid="ignore"):
        nowhere = LineString([(1, 2), (np.nan, 3)])
    drawn = pipes([(0, 0), (100, 0)], LineString([(5, 5), (5, 5)]), [(100, 0), (0, 0)], nowhere, None)
    made = build(drawn, things(SOURCE))
    assert [(f.kind, f.code, f.other, f.xy) for f in made.findings] == [
        (FindingKind.ZERO_LENGTH, "P1", "", (5, 5)),
        (FindingKind.BAD_GEOMETRY, "P3", "", (1, 2)),
        (FindingKind.BAD_GEOMETRY, "P4", "", None),
        (FindingKind.DUPLICATE, "P2", "P0", (100, 0)),
    ]
    assert made.section_pipe.tolist() == [0]


def test_two_ways_between_the_same_ends_are_no_duplicate():
    made = build(pipes([(0, 0), (100, 0)], [(0, 0), (50, 30), (100, 0)]), things(SOURCE))
    assert made.findings == []
    assert graph(made).number_of_edges() == 2


def test_an_end_that_nearly_reaches_a_pipe_is_told_with_the_distance():
    made = build(pipes([(0, 0), (100, 0)], [(50, 2), (50, 80)], [(20, 0), (20, 3)]), things(SOURCE))
    near = [f for f in made.findings if f.kind == FindingKind.NEAR_MISS]
    assert [(f.code, f.other, f.metres, f.xy) for f in near] == [("P1", "P0", pytest.approx(2), (50, 2))]
    assert [f.code for f in made.findings if f.kind == FindingKind.NO_SOURCE] == ["P1"]
    wider = build(pipes([(0, 0), (100, 0)], [(50, 2), (50, 80)]), things(SOURCE), Tolerance(snap_m=2.5))
    assert wider.findings == []


def test_swapped_supply_and_return_are_told():
    lines = (
        [[(0, y), (100, y)] for y in (0, 4)]
        + [[(100, y), (200, y)] for y in (0, 4)]
        + [[(200, y), (300, y)] for y in (0, 4)]
    )
    ends = things((NodeKind.SOURCE, 0, 2), (NodeKind.STATION, 300, 2))
    assert build(pipes(*lines, sides=[PS, PR, PS, PR, PS, PR]), ends).findings == []
    swapped = build(pipes(*lines, sides=[PS, PR, PR, PS, PS, PR]), ends)
    assert [(f.code, f.other) for f in swapped.findings if f.kind == FindingKind.SWAPPED] == [
        ("P2", "P0"),
        ("P3", "P1"),
    ]
    branch = [[(100, 0), (100, -50)], [(100, -50), (100, -90)]]
    spur = build(pipes(*lines, *branch, sides=[PS, PR, PS, PR, PS, PR, PR, PR]), ends)
    assert [f.code for f in spur.findings if f.kind == FindingKind.SWAPPED] == ["P6"]
    together = build(
        pipes(lines[0], lines[0], [(100, 0), (150, 9)], [(100, 0), (150, 9)], sides=[PS, PR, PS, PR]), ends
    )
    assert FindingKind.SWAPPED not in kinds(together)


def test_a_station_joins_both_sides_of_both_levels_and_heads_all_its_own_pipes():
    lines = [
        [(0, 1), (97, 1)],
        [(0, -1), (97, -1)],
        [(103, 1), (200, 1)],
        [(103, -1), (200, -1)],
        [(103, 4), (150, 60)],
        [(103, 5), (150, 63)],
    ]
    drawn = pipes(*lines, sides=[PS, PR, S, R, S, R], station=[1, 1, 1, 1, 1, 1])
    made = build(
        drawn,
        things(
            (NodeKind.SOURCE, 0, 0),
            (NodeKind.STATION, 100, 0),
            (NodeKind.CUSTOMER, 200, 0),
            (NodeKind.CUSTOMER, 150, 61.5),
        ),
    )
    assert made.findings == []
    at = np.flatnonzero(made.node_thing == 1)
    assert [made.node_side[i] for i in at] == [PS, PR, S, R]
    supply = next(i for i in at if made.node_side[i] == S)
    assert {int(made.node_thing[i]) for i in nx.node_connected_component(graph(made), supply)} == {1, 2, 3, -1}


def test_what_reaches_no_pipe_is_told():
    made = build(
        pipes([(0, 0), (100, 0)]),
        things((NodeKind.SOURCE, 0, 90), (NodeKind.CUSTOMER, 50, 30), (NodeKind.CUSTOMER, 50, 5)),
    )
    assert [(f.kind, f.code) for f in made.findings] == [
        (FindingKind.SOURCE_OFF_PIPE, "source0"), (FindingKind.CUSTOMER_OFF_PIPE, "customer1"), (FindingKind.NO_SOURCE, "P0"),
    ]  # fmt: skip


def test_nothing_drawn_is_nothing_built():
    made = build(pipes(), things())
    assert len(made.node_xy) == len(made.section_pipe) == 0
    assert made.findings == []


@st.composite
def networks(draw):
    """Edges of a grid, each drawn as one pipe with ends shaken within a quarter of the tolerance; long ones pass over
    several crossings, where others may end on them."""
    size = draw(st.integers(2, 5))
    nodes = [(x, y) for x in range(size) for y in range(size)]
    edges = [(a, b) for a in nodes for b in nodes if a < b and abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1]
    chosen = draw(st.lists(st.sampled_from(edges), min_size=1, max_size=30, unique=True))
    shake = draw(st.lists(st.floats(-0.08, 0.08), min_size=len(chosen) * 4, max_size=len(chosen) * 4))
    valves = draw(st.lists(st.integers(0, len(chosen) - 1), max_size=6))
    return chosen, np.array(shake).reshape(-1, 2, 2), valves


@settings(max_examples=150, deadline=None)
@given(networks())
def test_connectivity_is_networkx_s_on_random_networks(drawn):
    chosen, shake, valves = drawn
    lines = [LineString(np.array(edge, float) * 50 + moved) for edge, moved in zip(chosen, shake, strict=True)]
    middles = [line.interpolate(0.3 + 0.1 * k, normalized=True) for k, line in enumerate(lines[v] for v in valves)]
    made = build(pipes(*lines), things(*[(NodeKind.VALVE, p.x, p.y, v) for p, v in zip(middles, valves, strict=True)]))
    oracle = nx.MultiGraph()
    for i, (a, b) in enumerate(chosen):
        stops = [a, *[f"v{k}" for k in sorted((k for k, v in enumerate(valves) if v == i))], b]
        nx.add_path(oracle, stops, pipe=i)
    assert nx.is_isomorphic(nx.Graph(graph(made)), nx.Graph(oracle))
    assert graph(made).number_of_edges() == oracle.number_of_edges()
    assert graph(made).number_of_nodes() == oracle.number_of_nodes()
    assert _pipes_together(made) == _oracle_together(oracle)
    oracle.remove_nodes_from([n for n in list(oracle) if isinstance(n, str)])
    closed = graph(made)
    closed.remove_nodes_from(np.flatnonzero(made.node_thing >= 0).tolist())
    assert nx.number_connected_components(closed) == nx.number_connected_components(oracle)
    assert made.section_length.sum() == pytest.approx(sum(line.length for line in lines))


def _pipes_together(made: Topology) -> set[frozenset[int]]:
    found: dict[int, set[int]] = {}
    for pipe, node in zip(made.section_pipe.tolist(), made.section_from.tolist(), strict=True):
        found.setdefault(int(made.piece[node]), set()).add(pipe)
    return {frozenset(v) for v in found.values()}


def _oracle_together(oracle: nx.MultiGraph) -> set[frozenset[int]]:
    return {
        frozenset(d["pipe"] for *_, d in oracle.subgraph(part).edges(data=True))
        for part in nx.connected_components(oracle)
    }


@pytest.mark.parametrize(("name", "sides"), [("gas", 1), ("heat", 2)])
def test_connectivity_is_networkx_s_on_the_real_networks(shared: Path, name: str, sides: int):
    """The files name both junctions of every pipe; the drawing alone gives the same pieces."""
    frame = pyogrio.read_dataframe(shared / "pipes" / f"{name}_schutterwald.gpkg", layer="pipe")
    lines = in_metres(np.asarray(frame.geometry.array, object), 7.88)
    back = frame.name.str.startswith("return").to_numpy()
    drawn = Pipes(
        lines, [str(i) for i in frame.pid], [(PR if b else PS) if sides == 2 else PipeSide.MAIN for b in back],
        np.full(len(frame), -1), np.ones(len(frame), bool),
    )  # fmt: skip
    made = build(drawn, things(), Tolerance(snap_m=0.05))
    left_out = {
        f.code
        for f in made.findings
        if f.kind in (FindingKind.ZERO_LENGTH, FindingKind.DUPLICATE, FindingKind.BAD_GEOMETRY)
    }
    oracle = nx.MultiGraph()
    for i, (a, b) in enumerate(zip(frame.from_junction, frame.to_junction, strict=True)):
        oracle.add_edge(a, b, pipe=i)
    if name == "heat":
        valves = pyogrio.read_dataframe(shared / "pipes" / "heat_schutterwald.gpkg", layer="valve")
        oracle.add_edges_from(zip(valves.from_junction, valves.to_junction, strict=True), pipe=-1)
    gone = {-1} | {i for i, code in enumerate(drawn.codes) if code in left_out}
    assert not [f for f in made.findings if f.kind == FindingKind.SWAPPED]
    wanted = {part - gone for part in _oracle_together(oracle)} - {frozenset()}
    assert _pipes_together(made) == wanted

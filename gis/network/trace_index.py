"""The index behind the trace: valve-bounded segments with their low-points, and the blocks of the pipes. Pure.

A closed valve is a node that nothing passes. All pipes between valves are one segment; segments and valves together are a
graph, and a root joins all sources. What loses service when one segment is taken out are the branches of the depth-first
tree below it that touch nothing above it (Hopcroft and Tarjan 1973): read off in the order of the tree, without a search.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from gis.network import trace_kernels as kernels
from gis.network.trace_kernels import Flags, Ints


@dataclass(frozen=True)
class Pipes:
    """A network in arrays. Section i is a pipe from node `tail[i]` to `head[i]`, `length_m[i]` long. Of each node: is it a
    valve, is that open, can it be reached; is it a source. `needs` are pairs (node that is fed, node that it needs): the
    first is a source of its own side as long as all that it needs are served."""

    tail: Ints
    head: Ints
    length_m: np.ndarray
    valve: Flags
    open: Flags
    reachable: Flags
    source: Flags
    needs: Ints = field(default_factory=lambda: np.empty((0, 2), np.int64))

    @property
    def nodes(self) -> int:
        return len(self.valve)

    @property
    def closed(self) -> Flags:
        return self.valve & ~self.open


class Segments:
    """Segments and valves as one graph. Vertices: the segments, then the valves; the last one is the root of all sources."""

    def __init__(self, pipes: Pipes) -> None:
        self.pipes = pipes
        self.of_node, self.of_section, self.count = _label(pipes)
        self.root = self.count
        self._join()
        self.closed = np.zeros(self.count + 1, np.bool_)
        self.closed[self.of_node[pipes.closed]] = True
        self.alive = _alive(self)
        self.rooted = np.unique(self.of_node[self.alive])
        tail = np.concatenate([self.links[0], self.rooted])
        head = np.concatenate([self.links[1], np.full(len(self.rooted), self.root)])
        self.start, self.near, edge = kernels.rows(self.count + 1, tail, head)
        found = kernels.low_points(self.start, self.near, edge, self.root, self.closed)
        self.met, self.last, self.parent, self.low, self.order = found
        self.node_at, self.nodes_by_order = self._by_order(self.of_node)
        self.section_at, self.sections_by_order = self._by_order(self.of_section)
        self.vertex_nodes, self.nodes_by_vertex = self._by_vertex(self.of_node)
        self.vertex_sections, self.sections_by_vertex = self._by_vertex(self.of_section)

    def _join(self) -> None:
        p = self.pipes
        ends = np.concatenate([p.tail, p.head])
        vertex = np.tile(self.of_section, 2)
        at = p.valve[ends]
        pairs = np.unique(np.column_stack([self.of_node[ends[at]], vertex[at]]), axis=0)
        self.links = (pairs[:, 0].copy(), pairs[:, 1].copy())
        self.free_start, self.free_near, _ = kernels.rows(self.count + 1, *self.links)

    def _by_order(self, of: Ints) -> tuple[Ints, Ints]:
        """Things sorted by when their vertex was met, and where those of each place in the order begin."""
        met = self.met[of]
        order = np.argsort(met, kind="stable")
        order = order[np.count_nonzero(met < 0) :]
        at = np.zeros(len(self.order) + 1, np.int64)
        np.cumsum(np.bincount(met[met >= 0], minlength=len(self.order)), out=at[1:])
        return at, order

    def sections_of(self, vertex: int) -> Ints:
        """The sections of one segment (of a valve: none)."""
        return self.sections_by_vertex[self.vertex_sections[vertex] : self.vertex_sections[vertex + 1]]

    def nodes_of(self, vertex: int) -> Ints:
        """The nodes of one segment, or the valve itself."""
        return self.nodes_by_vertex[self.vertex_nodes[vertex] : self.vertex_nodes[vertex + 1]]

    def _by_vertex(self, of: Ints) -> tuple[Ints, Ints]:
        at = np.zeros(self.count + 2, np.int64)
        np.cumsum(np.bincount(of, minlength=self.count + 1), out=at[1:])
        return at, np.argsort(of, kind="stable")

    def served_by(self, shut: Flags, alive: Ints) -> Flags:
        """Which vertices are connected with one of the sources `alive` (nodes), not through `shut`?"""
        return kernels.reached(self.free_start, self.free_near, self.of_node[alive], shut)


def _label(p: Pipes) -> tuple[Ints, Ints, int]:
    """Number the segments (from 0) and the valves (behind them): of each node, of each section, and how many in all."""
    inner = ~p.valve[p.tail] & ~p.valve[p.head]
    joined = csr_array((np.ones(inner.sum(), np.int8), (p.tail[inner], p.head[inner])), (p.nodes, p.nodes))
    raw = connected_components(joined, directed=False)[1].astype(np.int64)
    pipe_ends = np.where(p.valve[p.tail], p.head, p.tail)
    section = raw[pipe_ends]
    both = p.valve[p.tail] & p.valve[p.head]
    section[both] = p.nodes + np.arange(both.sum())  # between two valves: a segment without a node of its own
    node = raw.copy()
    node[p.valve] = p.nodes + both.sum() + np.arange(p.valve.sum())
    used, place = np.unique(np.concatenate([node, section]), return_inverse=True)
    return place[: p.nodes].astype(np.int64), place[p.nodes :].astype(np.int64), len(used)


def _alive(segments: Segments) -> Ints:
    """The sources that feed at first: those of the city, and those that have all they need."""
    return still_alive(segments, segments.closed, np.flatnonzero(segments.pipes.source))[0]


def still_alive(segments: Segments, shut: Flags, base: Ints) -> tuple[Ints, Flags]:
    """The sources that feed, from the `base` on through everything that needs something: and what is served by them."""
    needs = segments.pipes.needs
    alive = base
    served = segments.served_by(shut, alive)
    while len(needs):
        lacking = needs[~served[segments.of_node[needs[:, 1]]], 0]
        more = np.setdiff1d(needs[:, 0], np.concatenate([lacking, alive]))
        if not len(more):
            break
        alive = np.concatenate([alive, more])
        served = segments.served_by(shut, alive)
    return alive, served


class Ways:
    """Upstream and downstream: the blocks of the pipes, joined by a root that stands before all sources.

    Water can pass a section on its way to a place if some way from a source to that place that visits nothing twice goes
    over it. In a tree that is the one way; where there are loops or two sources it is every way. Such sections are those of
    the blocks between the root and the place."""

    def __init__(self, pipes: Pipes, alive: Ints) -> None:
        self.pipes = pipes
        self.root = pipes.nodes
        one, other, count = _ended(pipes)
        tail = np.concatenate([one, alive])
        head = np.concatenate([other, np.full(len(alive), self.root)])
        start, near, edge = kernels.rows(count, tail, head)
        found = kernels.low_points(start, near, edge, self.root, np.zeros(count, np.bool_))
        self.met, _, parent, low, order = found
        self.block, self.above = kernels.blocks(self.met, parent, low, order)
        fed = (self.met[one] >= 0) & (one != other)
        self.of_section = np.where(fed, self.block[np.where(self.met[one] > self.met[other], one, other)], -1)

    def upstream(self, block: int) -> Ints:
        """The sections over which water may come to this block, its own among them."""
        wanted = np.zeros(len(self.above) + 1, np.bool_)
        while block >= 0:
            wanted[block] = True
            block = int(self.above[block])
        return np.flatnonzero(wanted[self.of_section] & (self.of_section >= 0))

    def downstream(self, block: int) -> Ints:
        """The sections that water may reach over this block, its own among them. Blocks are numbered from the root down."""
        wanted = np.zeros(len(self.above) + 1, np.bool_)
        wanted[block] = True
        for i in range(block + 1, len(self.above)):
            if self.above[i] >= 0:
                wanted[i] |= wanted[self.above[i]]
        return np.flatnonzero(wanted[self.of_section] & (self.of_section >= 0))


def _ended(pipes: Pipes) -> tuple[Ints, Ints, int]:
    """The ends of all sections, where a section that ends at a closed valve has an end of its own there; and how many
    vertices that makes, with the root behind the nodes."""
    ends = np.concatenate([pipes.tail, pipes.head])
    shut = np.flatnonzero(pipes.closed[ends])
    ends[shut] = pipes.nodes + 1 + np.arange(len(shut))
    return ends[: len(pipes.tail)], ends[len(pipes.tail) :], pipes.nodes + 1 + len(shut)


def metres_from_sources(pipes: Pipes, alive: Ints) -> np.ndarray:
    """How far each node is from the nearest source along pipes that are open, in metres; inf where none."""
    through = ~pipes.closed[pipes.tail] & ~pipes.closed[pipes.head]
    if not len(alive):
        return np.full(pipes.nodes, np.inf)
    length = np.maximum(pipes.length_m[through], 1e-3)
    tail, head = pipes.tail[through], pipes.head[through]
    order = np.argsort(-length, kind="stable")  # of parallel pipes the shortest is written last, and stays
    keys = tail[order] * pipes.nodes + head[order]
    _, first = np.unique(keys[::-1], return_index=True)
    pick = order[::-1][first]
    graph = csr_array((length[pick], (tail[pick], head[pick])), (pipes.nodes, pipes.nodes))
    return np.asarray(dijkstra(graph, directed=False, indices=alive, min_only=True))

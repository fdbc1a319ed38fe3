"""Trace: upstream, downstream, connected; which valves isolate a pipe, and what loses service then. Pure.

Hydraulically a trace stops at a heat exchanger: a station is an end of the primary side and a source of the secondary one,
and that source goes on. Functionally it crosses: what a station needs (supply, return, water) is asked as well, and where
it is lost, what the station feeds is lost too. Ties break by number; every answer says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

import numpy as np

from gis.network import trace_kernels as kernels
from gis.network.trace_cut import fewest_valves
from gis.network.trace_index import Pipes, Segments, Ways, metres_from_sources, still_alive
from gis.network.trace_kernels import Flags, Ints

__all__ = ["Conflict", "Isolation", "Loss", "Pipes", "Trace", "ValveRole", "ValveStep"]


class ValveRole(StrEnum):
    """Why a valve is in an isolation."""

    SUPPLY = "supply"  # water still comes from behind it: without it the pipe is not isolated
    DRAIN = "drain"  # behind it nothing is fed any more: it only keeps what stands there from running out
    SHUT = "shut"  # is closed already and holds water back: must stay so


@dataclass(frozen=True)
class ValveStep:
    """One valve of an isolation, in the order of closing. `metres` from the nearest source along the pipes."""

    node: int
    role: ValveRole
    metres: float


@dataclass(frozen=True)
class Loss:
    """What was served and is not any more, by number, ascending."""

    nodes: Ints
    sections: Ints


@dataclass(frozen=True)
class Isolation:
    """Which valves, in which order; what stands without pressure between them; what loses service."""

    steps: tuple[ValveStep, ...]
    inside: Ints  # sections
    inside_nodes: Ints
    sources: Ints  # sources that lie inside: they have to be stopped
    loss: Loss

    @property
    def close(self) -> tuple[int, ...]:
        """The valves to be closed now, in order."""
        return tuple(step.node for step in self.steps if step.role != ValveRole.SHUT)

    @property
    def must(self) -> tuple[int, ...]:
        """The least of them that stop the water; the others only keep pipes from draining."""
        return tuple(step.node for step in self.steps if step.role == ValveRole.SUPPLY)


@dataclass(frozen=True)
class Conflict:
    """What two shutdowns do to each other: lost only by both together, and valves of which they want opposite things."""

    together: Ints  # nodes
    sections: Ints
    valves: tuple[int, ...]


class Trace:
    """All questions about one network as its valves stand now."""

    def __init__(self, pipes: Pipes) -> None:
        self.pipes = pipes
        self.segments = Segments(pipes)
        s = self.segments
        self.fixed = np.ones(
            s.count + 1, np.bool_
        )  # what no search of an isolation passes: closed valves, usable valves
        self.fixed[:] = False
        self.fixed[s.of_node[pipes.valve & (pipes.reachable | ~pipes.open)]] = True
        self.valve_of = np.full(s.count + 1, -1, np.int64)
        self.valve_of[s.of_node[pipes.valve]] = np.flatnonzero(pipes.valve)
        self.needed = np.zeros(pipes.nodes, np.bool_)
        self.needed[pipes.needs[:, 1]] = True
        self.plain = (np.diff(s.start) <= 2) | s.closed  # closing such a valve parts two segments and no third thing

    @cached_property
    def ways(self) -> Ways:
        return Ways(self.pipes, self.segments.alive)

    @cached_property
    def metres(self) -> np.ndarray:
        return metres_from_sources(self.pipes, self.segments.alive)

    # --- where it comes from and goes to ------------------------------------------------------------------------------
    def connected(self, section: int) -> Ints:
        """The sections connected with this one through open valves, itself among them; sources are passed."""
        s = self.segments
        begin = np.array([s.of_section[section]])
        seen = kernels.reached(s.free_start, s.free_near, begin, s.closed)
        return np.flatnonzero(seen[s.of_section])

    def upstream(self, section: int) -> Ints:
        """The sections over which water may come from a source to this one; none if it is not served."""
        block = int(self.ways.of_section[section])
        return self.ways.upstream(block) if block >= 0 else np.empty(0, np.int64)

    def downstream(self, section: int) -> Ints:
        """The sections that water may reach over this one; none if it is not served."""
        block = int(self.ways.of_section[section])
        return self.ways.downstream(block) if block >= 0 else np.empty(0, np.int64)

    # --- isolation ----------------------------------------------------------------------------------------------------
    def isolate_section(self, section: int, refused: Iterable[int] = (), *, functional: bool = False) -> Isolation:
        """Isolate a pipe. `refused` are valves (nodes) that cannot be used, beside those known to be unreachable."""
        return self._isolate([int(self.segments.of_section[section])], refused, functional)

    def isolate_nodes(
        self, nodes: Iterable[int], refused: Iterable[int] = (), *, functional: bool = False
    ) -> Isolation:
        """Isolate a place: a joint, a station with all its sides, or a valve that leaks itself (all its sides are shut)."""
        return self._isolate([int(self.segments.of_node[node]) for node in nodes], refused, functional)

    def _isolate(self, begin: list[int], refused: Iterable[int], functional: bool) -> Isolation:
        s = self.segments
        stop = self.fixed
        out = [int(s.of_node[v]) for v in refused if self.pipes.open[v] and self.pipes.valve[v]]
        if out:
            stop = stop.copy()
            stop[out] = False
        inside, edge = kernels.spread(s.free_start, s.free_near, np.unique(begin), stop)
        edge = self._bounding(inside, edge)
        served = None
        if len(inside) > 1 or s.met[begin[0]] < 0 or not self.plain[edge].all():
            loss, served = self._searched(inside, edge, functional=False)
        else:
            ranges = kernels.cut_below(s.start, s.near, begin[0], s.met, s.last, s.parent, s.low)
            loss = self._read_off(ranges, edge)
        if functional and (self.needed[loss.nodes].any() or self.needed[self.valve_of[edge]].any()):
            loss, served = self._searched(inside, edge, functional=True)  # something else needs what is lost
        return self._answer(inside, edge, loss, served)

    def _bounding(self, inside: Ints, edge: Ints) -> Ints:
        """Of the valves that stopped the search those with something on their other side."""
        s = self.segments
        within = set(inside.tolist())
        return np.array(
            [
                v
                for v in edge.tolist()
                if any(int(w) not in within for w in s.free_near[s.free_start[v] : s.free_start[v + 1]])
            ],
            np.int64,
        )

    def _read_off(self, ranges: Ints, edge: Ints) -> Loss:
        """The loss when one segment is taken out: ranges of the depth-first order."""
        s = self.segments
        nodes = kernels.gather(ranges, s.node_at, s.nodes_by_order)
        sections = kernels.gather(ranges, s.section_at, s.sections_by_order)
        closed = self.valve_of[edge[~s.closed[edge]]]
        if len(closed):
            nodes = nodes[~np.isin(nodes, closed)]
        nodes.sort()
        sections.sort()
        return Loss(nodes, sections)

    def _searched(self, inside: Ints, edge: Ints, functional: bool) -> tuple[Loss, Flags]:
        """The loss by search: also for several segments, and across the exchangers."""
        s = self.segments
        shut = s.closed.copy()
        shut[inside] = True
        shut[edge] = True
        served = self._served(shut, functional)
        loss = self._lost(served, self.valve_of[edge])
        return loss, served

    def _served(self, shut: Flags, functional: bool) -> Flags:
        s = self.segments
        if functional:
            return still_alive(s, shut, np.flatnonzero(self.pipes.source))[1]
        return s.served_by(shut, s.alive)

    def _lost(self, served: Flags, closed: Ints) -> Loss:
        s = self.segments
        gone = (s.met >= 0) & ~served
        nodes = gone[s.of_node]
        nodes[closed] = False  # a valve that is closed is what holds, not what is lost
        return Loss(np.flatnonzero(nodes), np.flatnonzero(gone[s.of_section]))

    def _answer(self, inside: Ints, edge: Ints, loss: Loss, served: Flags | None) -> Isolation:
        s, p = self.segments, self.pipes
        steps = []
        for v in edge.tolist():
            fed = self._fed_behind(v, inside, loss, served)
            if s.closed[v] and not fed:
                continue
            role = ValveRole.SHUT if s.closed[v] else ValveRole.SUPPLY if fed else ValveRole.DRAIN
            node = int(self.valve_of[v])
            steps.append(ValveStep(node, role, float(self.metres[node])))
        order = {ValveRole.SUPPLY: 0, ValveRole.DRAIN: 1, ValveRole.SHUT: 2}
        steps.sort(key=lambda step: (order[step.role], step.metres, step.node))
        sections, nodes = self._things(inside)
        alive = np.zeros(p.nodes, np.bool_)
        alive[s.alive] = True
        return Isolation(tuple(steps), sections, nodes, nodes[alive[nodes]], loss)

    def _fed_behind(self, valve: int, inside: Ints, loss: Loss, served: Flags | None) -> bool:
        """Does water still come to this valve from outside, when all valves of the isolation are closed?"""
        s = self.segments
        for w in s.free_near[s.free_start[valve] : s.free_start[valve + 1]].tolist():
            if w in inside:
                continue
            if served is not None:
                if served[w]:
                    return True
            elif s.met[w] >= 0 and not self._in_loss(w, loss):
                return True
        return False

    def _in_loss(self, vertex: int, loss: Loss) -> bool:
        s = self.segments
        at = s.section_at[s.met[vertex]]
        section = s.sections_by_order[at]  # a segment beside a valve has a section
        i = int(np.searchsorted(loss.sections, section))
        return i < len(loss.sections) and loss.sections[i] == section

    def _things(self, vertices: Ints) -> tuple[Ints, Ints]:
        """The sections and nodes of these vertices, ascending."""
        s = self.segments
        sections = [s.sections_of(v) for v in vertices.tolist()]
        nodes = [s.nodes_of(v) for v in vertices.tolist()]
        return np.sort(np.concatenate(sections)), np.sort(np.concatenate(nodes))

    # --- what else is asked -------------------------------------------------------------------------------------------
    def loss(self, close: Iterable[int], *, functional: bool = False, reopen: Iterable[int] = ()) -> Loss:
        """What loses service when these valves are closed (and others opened) and nothing else is done."""
        s = self.segments
        shut = s.closed.copy()
        nodes = _nodes(close)
        shut[s.of_node[_nodes(reopen)]] = False
        shut[s.of_node[nodes]] = True
        return self._lost(self._served(shut, functional), nodes)

    def fewest(self, section: int, refused: Iterable[int] = ()) -> tuple[int, ...] | None:
        """The fewest valves that keep all water from a section, the nearest such set; None when no set does."""
        return fewest_valves(self, int(self.segments.of_section[section]), refused)

    def feeds(self, isolation: Isolation, *, functional: bool = False) -> list[tuple[int, Ints]]:
        """Closed valves that can be reached and would give service back to some of the lost, without feeding what is
        isolated: the valve and the nodes that it serves again, the most first."""
        s, p = self.segments, self.pipes
        close = [step.node for step in isolation.steps if step.role != ValveRole.SHUT]
        held = {step.node for step in isolation.steps} | set(isolation.inside_nodes.tolist())
        lost = isolation.loss.nodes
        possible = [v for v in np.flatnonzero(p.closed & p.reachable).tolist() if v not in held]
        if not possible or not len(lost):
            return []
        shut = s.closed.copy()
        shut[s.of_node[_nodes(close)]] = True
        served = self._served(shut, functional)
        found = []
        for valve in possible:
            v = s.of_node[valve]
            beside = served[s.free_near[s.free_start[v] : s.free_start[v + 1]]]
            if beside.all() or not beside.any():
                continue
            again = np.setdiff1d(lost, self.loss(close, functional=functional, reopen=[valve]).nodes)
            if len(again):
                found.append((valve, again))
        return sorted(found, key=lambda pair: (-len(pair[1]), pair[0]))

    def conflict(
        self, one: Iterable[int], other: Iterable[int], opened: tuple[Iterable[int], Iterable[int]] = ((), ())
    ) -> Conflict:
        """Two shutdowns by the valves that they close, and those that they open. Whether some of them were turned already
        makes no difference: they are held against the network as it stands without both. Functional."""
        s, of = self.segments, self.segments.of_node
        a, b = _nodes(one), _nodes(other)
        free = _nodes(opened[0]), _nodes(opened[1])
        normal = s.closed.copy()
        normal[of[np.concatenate([a, b])]] = False
        normal[of[np.concatenate(free)]] = True
        before = self._served(normal, functional=True)

        def gone(close: Ints, free: Ints) -> Flags:
            shut = normal.copy()
            shut[of[free]] = False
            shut[of[close]] = True
            return before & ~self._served(shut, functional=True)

        together = gone(np.concatenate([a, b]), np.concatenate(free)) & ~gone(a, free[0]) & ~gone(b, free[1])
        nodes = together[of]
        nodes[np.concatenate([a, b])] = False
        against = np.union1d(np.intersect1d(a, free[1]), np.intersect1d(b, free[0]))
        return Conflict(np.flatnonzero(nodes), np.flatnonzero(together[s.of_section]), tuple(against.tolist()))

    def with_valves(self, is_open: Flags) -> Trace:
        """The same network with its valves standing otherwise."""
        return Trace(replace(self.pipes, open=is_open))


def _nodes(numbers: Iterable[int]) -> Ints:
    return np.fromiter(numbers, np.int64)

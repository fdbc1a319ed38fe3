"""Turns that a map forbids or commands (OpenStreetMap relations `type=restriction`), as ways that may not be driven."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Protocol

from gis.places.road_files import OSM_SUFFIXES
from gis.places.turns import Way

FORBIDDEN = frozenset({"no_left_turn", "no_right_turn", "no_straight_on", "no_u_turn", "no_entry", "no_exit"})
COMMANDED = frozenset({"only_left_turn", "only_right_turn", "only_straight_on", "only_u_turn"})
FOR_US = ("restriction:motorcar", "restriction:motor_vehicle", "restriction")  # the most particular tag decides
NOT_FOR_US = frozenset({"motorcar", "motor_vehicle"})


class Stretched(Protocol):
    """What is asked of a stretch of street here."""

    @property
    def ref(self) -> str: ...
    @property
    def from_ref(self) -> str: ...
    @property
    def to_ref(self) -> str: ...
    @property
    def forward_s(self) -> float | None: ...
    @property
    def backward_s(self) -> float | None: ...


@dataclass(frozen=True)
class Turn:
    """One rule of the map. `via` are the nodes (one) or the streets that lie between the streets `come` and `go`."""

    ref: str
    commanded: bool
    come: tuple[str, ...]
    go: tuple[str, ...]
    via_node: str | None
    via: tuple[str, ...]


def read_turns(path: Path) -> Iterator[Turn | None]:
    """The rules for cars of an OpenStreetMap file; None for one that is not always so, or not understood."""
    if not path.name.lower().endswith(OSM_SUFFIXES):
        return
    import osmium

    relations: Any = osmium.FileProcessor(str(path), osmium.osm.RELATION).with_filter(osmium.filter.KeyFilter("type"))
    for relation in relations:
        tags = {tag.k: tag.v for tag in relation.tags}
        if tags["type"] == "restriction" and not NOT_FOR_US & set(tags.get("except", "").split(";")):
            members = [(member.role, member.type, str(member.ref)) for member in relation.members]
            if any(tags.get(key) for key in FOR_US) or any(key.endswith(":conditional") for key in tags):
                yield read_turn(str(relation.id), tags, members)


def read_turn(ref: str, tags: Mapping[str, str], members: Sequence[tuple[str, str, str]]) -> Turn | None:
    """A rule from its tags and its members (role, kind, number)."""
    said = next((tags[key] for key in FOR_US if tags.get(key)), "")
    if said not in FORBIDDEN and said not in COMMANDED:
        return None
    by_role: dict[tuple[str, str], list[str]] = defaultdict(list)
    for role, kind, number in members:
        by_role[role, kind].append(number)
    come, go = by_role["from", "w"], by_role["to", "w"]
    nodes, via = by_role["via", "n"], by_role["via", "w"]
    if not come or not go or (len(nodes), bool(via)) not in ((1, False), (0, True)):
        return None
    return Turn(ref, said in COMMANDED, tuple(come), tuple(go), nodes[0] if nodes else None, tuple(via))


class Turns:
    """The rules of a map upon its streets. `unused` counts those that say nothing (clear) about a street that is driven."""

    def __init__(self, stretches: Sequence[Stretched]) -> None:
        self.tail: dict[int, str] = {}
        self.head: dict[int, str] = {}
        self.of_way: dict[str, list[int]] = defaultdict(list)
        self.leaving: dict[str, list[int]] = defaultdict(list)
        self.unused = 0
        for i, s in enumerate(stretches):
            ways = ((s.forward_s, s.from_ref, s.to_ref), (s.backward_s, s.to_ref, s.from_ref))
            for stretch, (seconds, tail, head) in enumerate(ways, start=2 * i):
                if seconds is not None:
                    self.tail[stretch], self.head[stretch] = tail, head
                    self.of_way[s.ref.rsplit("/", 1)[0]].append(stretch)
                    self.leaving[tail].append(stretch)

    def forbidden(self, turns: Iterator[Turn | None]) -> dict[str, Way]:
        """Every way that may not be driven, by a name that stays the same when the file is read again."""
        found: dict[str, Way] = {}
        for turn in turns:
            ways = list(self._ways(turn)) if turn else []
            self.unused += not ways
            for number, way in enumerate(ways):
                assert turn is not None
                found[f"{turn.ref}/{number}"] = way
        return found

    def _ways(self, turn: Turn) -> Iterator[Way]:
        """What a rule forbids: the turn itself, or every other turn than the commanded one."""
        for come, go in product(turn.come, turn.go):
            whole = self._between(turn, come, go)
            if whole is None:
                continue
            if not turn.commanded:
                yield whole
                continue
            *begun, last = whole
            yield from ((*begun, other) for other in self.leaving[self.tail[last]] if other != last)

    def _between(self, turn: Turn, come: str, go: str) -> Way | None:
        """From one street over what lies between into another; None where that is not one clear way."""
        if turn.via_node is not None:
            first = [s for s in self.of_way[come] if self.head[s] == turn.via_node]
            last = [s for s in self.of_way[go] if self.tail[s] == turn.via_node]
            return (first[0], last[0]) if len(first) == len(last) == 1 else None
        between = [stretch for way in turn.via for stretch in self.of_way[way]]
        nodes = {self.tail[s] for s in between} | {self.head[s] for s in between}
        first = [s for s in self.of_way[come] if self.head[s] in nodes]
        last = [s for s in self.of_way[go] if self.tail[s] in nodes]
        if len(first) != 1 or len(last) != 1:
            return None
        middle = self._path(self.head[first[0]], self.tail[last[0]], between)
        return (first[0], *middle, last[0]) if middle else None

    def _path(self, start: str, end: str, among: list[int]) -> Way | None:
        """The fewest of these stretches from a node to another."""
        waiting: deque[tuple[str, Way]] = deque([(start, ())])
        seen = {start}
        while waiting:
            node, way = waiting.popleft()
            if node == end:
                return way
            for stretch in among:
                if self.tail[stretch] == node and self.head[stretch] not in seen:
                    seen.add(self.head[stretch])
                    waiting.append((self.head[stretch], (*way, stretch)))
        return None


def signed(way: Way, stretches: Sequence[Any]) -> list[str]:
    """A forbidden way by the names of its stretches, `+` as they are drawn and `-` against it: as it is stored."""
    return [f"{'-' if stretch % 2 else '+'}{stretches[stretch // 2].ref}" for stretch in way]


def unsigned(path: Sequence[str], numbers: Mapping[str, int]) -> Way | None:
    """A stored way as directed stretches of the streets that are numbered so; None where one is not among them."""
    if any(step[1:] not in numbers for step in path):
        return None
    return tuple(2 * numbers[step[1:]] + (step[0] == "-") for step in path)

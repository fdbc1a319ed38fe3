"""All located complaints of the city in memory, sorted by place, answering map tiles. Pure: rows come from outside.

An `Index` never changes: a change makes a new one that shares the large arrays, so that a reader is never disturbed.
It holds a sorted base and a small sorted delta whose rows shadow those of the base with the same id; when the delta is
large, `merged` makes a new base, which may take its time while tiles go on being answered.

Up to `PYRAMID_ZOOM` a tile is folded from cells that are counted once for a question; nearer, from the rows themselves.
Dense tiles show cells of an eighth of the tile's width with their weighted centre, sparse ones the complaints.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gis.complaints import tile_kernels as kernels
from gis.complaints.rules import Status, TimeState
from gis.complaints.tile_kernels import CELL, FOREVER, I64, Columns, N, Question
from gis.mvt import Points, Words, encode
from gis.tiles import Tile

GRID_BITS = 3  # a tile is 8 x 8 cells, 64 pixels each: room for a number
PYRAMID_ZOOM = 12
# At most so many complaints are drawn singly in a tile of this zoom; beyond, cells. (The last also from nearer.)
SINGLY = {13: 150, 14: 300, 15: 800, 16: 2500, 17: 5000}
DRIFT = 1_000_000  # cells counted for a moment serve questions of up to a second later
KEPT_PYRAMIDS = 32
STATUSES, STATES = tuple(map(str, Status)), tuple(map(str, TimeState))
WORLD_BITS = 32
DEEP_SHIFT = 2 * (WORLD_BITS - PYRAMID_ZOOM - GRID_BITS)


class Part(NamedTuple):
    """Sorted rows, which of them still hold, where they lie, and the deepest cells: their names and beginnings."""

    columns: Columns
    alive: NDArray[np.bool_]
    x: NDArray[np.uint32]
    y: NDArray[np.uint32]
    names: kernels.U64
    starts: I64


class Pyramid(NamedTuple):
    """The cells of one question in every part, counted for the moment `now`, true until the moment `holds`."""

    now: int
    holds: int
    cells: tuple[I64, ...]

    def serves(self, now: int) -> bool:
        return self.now <= now < max(self.holds, self.now + DRIFT)


def sort(columns: Columns) -> Part:
    """Rows in the order of their keys, ties by id."""
    order = np.lexsort((columns.id, columns.key))
    rows = Columns._make(np.ascontiguousarray(c[order]) for c in columns)
    x, y = kernels.places(rows.key)
    return Part(rows, np.ones(len(order), np.bool_), x, y, *kernels.runs(rows.key, DEEP_SHIFT))


def together(parts: Iterable[Columns]) -> Columns:
    """The rows of several, one after another."""
    return Columns._make(np.concatenate(column) for column in zip(*parts, strict=True))


def _keep(columns: Columns, which: NDArray[np.bool_]) -> Columns:
    return Columns._make(c[which] for c in columns)


@dataclass(frozen=True)
class Index:
    """A state of all complaints. `categories[number]` is the code of a category."""

    base: Part
    delta: Part
    by_id: NDArray[np.intp]  # places of the base in the order of their ids
    categories: tuple[str, ...]
    generation: int = 0
    changed: dict[int, int] = field(default_factory=dict)  # id -> generation of its last change since the base was made
    _pyramids: OrderedDict[Hashable, Pyramid] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def build(cls, columns: Columns, categories: tuple[str, ...], generation: int = 0) -> Index:
        """A fresh index of these rows."""
        base = sort(columns)
        nothing = sort(_keep(base.columns, np.zeros(len(base.alive), np.bool_)))
        return cls(base, nothing, np.argsort(base.columns.id), categories, generation)

    def __len__(self) -> int:
        return int(self.base.alive.sum()) + len(self.delta.alive)

    # --- changes ----------------------------------------------------------------------------------------------------
    def apply(self, ids: Iterable[int], rows: Columns, categories: tuple[str, ...] | None = None) -> Index:
        """These ids changed; `rows` are what is left of them (a complaint without a place has no row)."""
        changed = np.array(sorted(set(ids)), np.int64)
        generation = self.generation + 1
        kept = _keep(self.delta.columns, ~np.isin(self.delta.columns.id, changed))
        return Index(
            self._without(changed), sort(together([kept, rows])), self.by_id, categories or self.categories, generation,
            self.changed | dict.fromkeys(changed.tolist(), generation),
        )  # fmt: skip

    def _without(self, ids: I64) -> Part:
        columns, alive = self.base.columns, self.base.alive
        if not len(columns.id) or not len(ids):
            return self.base
        at = np.searchsorted(columns.id, ids, sorter=self.by_id)
        places = self.by_id[np.minimum(at, len(columns.id) - 1)]
        alive = alive.copy()  # readers of the older index keep theirs
        alive[places[columns.id[places] == ids]] = False
        return self.base._replace(alive=alive)

    def merged(self) -> Index:
        """The same rows with an empty delta. The slow part of a change; see `catch_up`."""
        rows = together([_keep(self.base.columns, self.base.alive), self.delta.columns])
        return Index.build(rows, self.categories, self.generation)

    def catch_up(self, newer: Index) -> Index:
        """This index, merged from an older state, with what changed up to `newer` (which has the same history)."""
        ids = [id for id, generation in newer.changed.items() if generation > self.generation]
        rows = _keep(newer.delta.columns, np.isin(newer.delta.columns.id, np.array(ids, np.int64)))
        return replace(self, generation=newer.generation).apply(ids, rows, newer.categories)

    # --- tiles ------------------------------------------------------------------------------------------------------
    def tile(self, question: Question, tile: Tile, name: Hashable = None) -> bytes:
        """The vector tile: `cells` or `complaints`. Questions of one `name` differ in nothing but their `now`."""
        grid = np.zeros((1 << 2 * GRID_BITS, CELL), np.int64)
        shift = 2 * (WORLD_BITS - tile.z - GRID_BITS)
        low, high = tile_keys(tile)
        if tile.z <= PYRAMID_ZOOM:
            pyramid = self._pyramid(question, name)
            for part, cells in zip((self.base, self.delta), pyramid.cells, strict=True):
                first, last = kernels.stretch(part.names, low >> np.uint64(DEEP_SHIFT), high >> np.uint64(DEEP_SHIFT))
                kernels.fold(part.names, cells, first, last, shift - DEEP_SHIFT, grid)
            return _draw_cells(grid, tile, self.categories)
        points = np.zeros((SINGLY[min(tile.z, max(SINGLY))], CELL), np.int64)
        many = 0
        for part in (self.base, self.delta):
            first, last = kernels.stretch(part.columns.key, low, high)
            codes, _ = kernels.states(part.columns, part.alive, question, first, last)
            many = kernels.scan(part.columns, part.x, part.y, codes, first, shift, grid, points, many)
        if many > len(points):
            return _draw_cells(grid, tile, self.categories)
        return _draw_points(points[:many], tile, self.categories)

    def _pyramid(self, question: Question, name: Hashable) -> Pyramid:
        with self._lock:  # many tiles of one view arrive at once: one counts, the others find it counted
            kept = self._pyramids.get(name)
            if kept is None or name is None or not kept.serves(question.now):
                self._pyramids[name] = kept = _count(question, (self.base, self.delta))
                while len(self._pyramids) > KEPT_PYRAMIDS:
                    self._pyramids.popitem(last=False)
            self._pyramids.move_to_end(name)
            return kept


def _count(question: Question, parts: tuple[Part, ...]) -> Pyramid:
    cells, holds = [], FOREVER
    for part in parts:
        codes, until = kernels.states(part.columns, part.alive, question, 0, len(part.alive))
        cells.append(kernels.pyramid(part.columns, part.x, part.y, codes, part.starts))
        holds = min(holds, until)
    return Pyramid(question.now, holds, tuple(cells))


def tile_keys(tile: Tile) -> tuple[np.uint64, np.uint64]:
    """The first and the last key of a tile."""
    prefix = 0
    for bit in range(tile.z):
        prefix |= (tile.x >> bit & 1) << 2 * bit | (tile.y >> bit & 1) << 2 * bit + 1
    low = prefix << 2 * (WORLD_BITS - tile.z)
    return np.uint64(low), np.uint64(low + (1 << 2 * (WORLD_BITS - tile.z)) - 1)


def _draw_cells(grid: I64, tile: Tile, categories: tuple[str, ...]) -> bytes:
    cells = grid[grid[:, N] > 0]
    single = cells[:, N] == 1
    counts = {"n": cells[:, N], "red": cells[:, kernels.N_RED], "orange": cells[:, kernels.N_ORANGE]}
    one = {name: _only(column, single) for name, column in _words(cells, categories).items()}
    ids = np.where(single, cells[:, kernels.ONE_ID], -1)
    return encode([Points("cells", *_local(cells, tile), {**counts, "id": ids, **one}, ids)])


def _only(column: Words, which: NDArray[np.bool_]) -> Words:
    return Words(np.where(which, column.codes, -1), column.words)


def _draw_points(points: I64, tile: Tile, categories: tuple[str, ...]) -> bytes:
    ids = points[:, kernels.ONE_ID]
    return encode([Points("complaints", *_local(points, tile), {"id": ids, **_words(points, categories)}, ids)])


def _local(cells: I64, tile: Tile) -> tuple[I64, I64]:
    """Weighted centres in whole tile units."""
    width = 1 << WORLD_BITS - tile.z
    x = (cells[:, kernels.SUM_X] / cells[:, N] - tile.x * width) * 4096 / width
    y = (cells[:, kernels.SUM_Y] / cells[:, N] - tile.y * width) * 4096 / width
    return np.clip(x, 0, 4095).astype(np.int64), np.clip(y, 0, 4095).astype(np.int64)


def _words(cells: I64, categories: tuple[str, ...]) -> dict[str, Words]:
    packed = cells[:, kernels.ONE_WORDS]
    return {
        "status": Words(packed & 0xFF, STATUSES),
        "state": Words(packed >> 8 & 0xFF, STATES),
        "category": Words(packed >> 16, categories),
    }


def question(
    now: int, *, status: Iterable[str] = (), category: Iterable[str] = (), time_state: Iterable[str] = (),
    areas: Iterable[int] = (), units: Iterable[int] = (), scope_area: int | None = None, scope_unit: int | None = None,
    since: int = -FOREVER, until: int = FOREVER, only: Iterable[int] | None = None, categories: tuple[str, ...],
) -> Question:  # fmt: skip
    """The tables of a question. A category is meant exactly or as a beginning: "heat" is every "heat.…"."""
    starts = tuple(f"{code}." for code in category)
    exact = set(category)
    listed = only is not None
    return Question(
        _table(STATUSES, set(status)),
        np.array([not exact or code in exact or code.startswith(starts) for code in categories], np.bool_),
        _table(STATES, set(time_state)), _numbers(areas), _numbers(units),
        scope_area or 0, scope_unit or 0, since, until, np.array(sorted(only or ()), np.int64), listed, now,
    )  # fmt: skip


def _numbers(ids: Iterable[int]) -> NDArray[np.int32]:
    """Ids that can be; one that cannot is kept as a number that nothing has."""
    return np.array([id if 0 < id < 1 << 31 else -1 for id in ids], np.int32)


def _table(words: tuple[str, ...], wanted: set[str]) -> NDArray[np.bool_]:
    return np.array([not wanted or word in wanted for word in words], np.bool_)

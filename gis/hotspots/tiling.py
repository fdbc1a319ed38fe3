"""How the ground is cut: squares, hexagons, or communities. Whatever the shape, cells stand in arrays `[row, column]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import shapely
from scipy.spatial import cKDTree

from gis.hotspots import sheets
from gis.hotspots.density import Counts, Floats, Grid, Mask, grid_over
from gis.hotspots.hexagons import HexGrid, hexagons_over
from gis.hotspots.neighbours import Neighbours, touching
from gis.hotspots.rules import MAX_CELLS, CellShape, TooManyCells
from gis.hotspots.sheets import Spots


class Tiling(Protocol):
    """What every way to cut the ground can tell."""

    @property
    def shape(self) -> tuple[int, int]: ...

    @property
    def size(self) -> int: ...

    def centre_of(self, rows: Counts, columns: Counts) -> tuple[Floats, Floats]: ...

    def local_sum(self, values: Counts, reach_m: float) -> Counts: ...


@dataclass(frozen=True)
class Tracts:
    """Communities as they are: one row of cells, neighbours where borders touch."""

    ids: tuple[int, ...]
    names: tuple[str, ...]
    shapes_m: tuple[Any, ...]
    neighbours: Neighbours

    @property
    def shape(self) -> tuple[int, int]:
        return 1, len(self.names)

    @property
    def size(self) -> int:
        return len(self.names)

    def centre_of(self, rows: Counts, columns: Counts) -> tuple[Floats, Floats]:
        inside = shapely.point_on_surface(np.array(self.shapes_m, dtype=object)[columns])
        return shapely.get_x(inside), shapely.get_y(inside)

    def local_sum(self, values: Counts, reach_m: float) -> Counts:
        return self.neighbours.local_sum(values[0])[None, :]


def tracts(ids: list[int], names: list[str], shapes_m: list[Any]) -> Tracts:
    """These areas, with who touches whom."""
    return Tracts(tuple(ids), tuple(names), tuple(shapes_m), touching(shapes_m))


def cell_at(cut: Tiling, x_m: float, y_m: float) -> tuple[int, int] | None:
    """Row and column of the cell that a place lies in; None outside."""
    if isinstance(cut, Grid | HexGrid):
        rows, columns = cut.locate(np.array([x_m]), np.array([y_m]))
        row, column = int(rows[0]), int(columns[0])
        return (row, column) if 0 <= row < cut.rows and 0 <= column < cut.columns else None
    if isinstance(cut, Tracts):
        inside = np.flatnonzero(shapely.contains_xy(np.array(cut.shapes_m, dtype=object), x_m, y_m))
        return (0, int(inside[0])) if inside.size else None
    return None


def key_of(cut: Tiling, row: int, column: int) -> str:
    """What a cell is called whatever else is selected: `square:250:1234,5678`, `community:17`."""
    if isinstance(cut, Tracts):
        return f"community:{cut.ids[column]}"
    if not isinstance(cut, Grid | HexGrid):
        raise TypeError("cells of an unknown shape")
    kind = CellShape.HEXAGON if isinstance(cut, HexGrid) else CellShape.SQUARE
    return f"{kind}:{cut.cell_m:g}:{column + cut.column0},{row + cut.row0}"


def over(shape: CellShape, box: tuple[float, float, float, float], cell_m: float) -> Grid | HexGrid:
    """Squares or hexagons over a rectangle in metres. Raises TooManyCells."""
    made = (hexagons_over if shape is CellShape.HEXAGON else grid_over)(*box, cell_m)
    if made.size > MAX_CELLS:
        raise TooManyCells(cells=made.size, cell_m=f"{cell_m:g}", most=MAX_CELLS)
    return made


def count(grid: Tiling, spots: Spots) -> Counts:
    """How many complaints lie in each cell; those beyond the grid are not counted. Of communities, `x_m` is the column."""
    counts = np.zeros(grid.shape, np.int64)
    if not isinstance(grid, Grid | HexGrid):
        np.add.at(counts[0], spots.x_m, spots.n)
        return counts
    counter = sheets.count_hexagons if isinstance(grid, HexGrid) else sheets.count_squares
    counter(spots.x_m, spots.y_m, spots.n, float(grid.cell_m), grid.column0, grid.row0, counts)
    return counts


def on_ground(cut: Tiling, mask: Mask, x_m: Floats, y_m: Floats) -> Mask:
    """Which of these places lie in a cell of the mask, or in any of the communities?"""
    if isinstance(cut, Tracts):
        whole = shapely.union_all(np.array(cut.shapes_m, dtype=object))
        shapely.prepare(whole)
        return np.asarray(shapely.contains_xy(whole, x_m, y_m))
    if not isinstance(cut, Grid | HexGrid):
        raise TypeError("cells of an unknown shape")
    rows, columns = cut.locate(x_m, y_m)
    inside: Mask = (rows >= 0) & (rows < cut.rows) & (columns >= 0) & (columns < cut.columns)
    inside[inside] = mask[rows[inside], columns[inside]]
    return inside


def touched(grid: Grid | HexGrid, area_m: Any) -> Mask:
    """The cells that an area touches: those whose centre is in it, and those that its boundary runs through."""
    shapely.prepare(area_m)
    rows, columns = (i.ravel() for i in np.indices(grid.shape))
    inside: Mask = shapely.contains_xy(area_m, *grid.centre_of(rows, columns)).reshape(grid.shape)
    along = shapely.get_coordinates(shapely.segmentize(shapely.boundary(area_m), grid.cell_m / 4))
    rows, columns = grid.locate(along[:, 0], along[:, 1])
    inside[rows.clip(0, grid.rows - 1), columns.clip(0, grid.columns - 1)] = True
    return inside


def lived_in(grid: Grid | HexGrid, homes_m: list[Any], households: Floats | None = None) -> tuple[Mask, Floats]:
    """The cells that any of these shapes touches, with its outline or with the cell's centre inside it; and how many
    households live in each, those of a home shared evenly among its cells."""
    found, people = np.zeros(grid.shape, bool), np.zeros(grid.size)
    homes = np.array(homes_m, dtype=object)
    along, whose = shapely.get_coordinates(shapely.segmentize(homes, grid.cell_m / 4), return_index=True)
    rows, columns = grid.locate(along[:, 0], along[:, 1])
    inside = (rows >= 0) & (rows < grid.rows) & (columns >= 0) & (columns < grid.columns)
    cell, home = rows[inside] * grid.columns + columns[inside], whose[inside]
    wide = np.flatnonzero(shapely.get_dimensions(homes) == 2)
    if wide.size:
        x, y = grid.centre_of(*(i.ravel() for i in np.indices(grid.shape)))
        tree = cKDTree(np.column_stack([x, y]))
        more_home, more_cell = _centres_in(homes[wide], tree, x, y)
        cell, home = np.concatenate([cell, more_cell]), np.concatenate([home, wide[more_home]])
    pairs = np.unique(np.column_stack([home, cell]), axis=0)
    found.ravel()[pairs[:, 1]] = True
    if households is not None and pairs.size:
        each = np.bincount(pairs[:, 0], minlength=homes.size)
        np.add.at(people, pairs[:, 1], households[pairs[:, 0]] / each[pairs[:, 0]])
    return found, people.reshape(grid.shape)


def _centres_in(shapes: Any, tree: Any, x: Floats, y: Floats) -> tuple[Counts, Counts]:
    """Which centres lie in which shape: (shape, centre) pairs."""
    boxes = shapely.bounds(shapes)
    one: list[Counts] = []
    other: list[Counts] = []
    for i, (west, south, east, north) in enumerate(boxes):
        reach = max(east - west, north - south) / 2
        near = np.array(tree.query_ball_point([(west + east) / 2, (south + north) / 2], reach, p=np.inf), np.int64)
        hit = near[shapely.contains_xy(shapes[i], x[near], y[near])] if near.size else near
        one.append(np.full(hit.size, i, np.int64))
        other.append(hit)
    return np.concatenate(one), np.concatenate(other)

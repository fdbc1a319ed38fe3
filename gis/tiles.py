"""A square of the map (z/x/y in web mercator), and the one statement with which PostGIS draws it as a vector tile.

Each room asks its own rows in its `queries.py` (columns `fid`, `geom`, and what the map shows) with `&&` on the 4326
index; this module clips, projects and encodes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.errors import BadInput

MAX_ZOOM = 22
EXTENT = 4096
PIXELS = 512  # how wide a tile is drawn


class BadTile(BadInput):
    """There is no map tile %(z)s/%(x)s/%(y)s."""

    code = "bad_tile"


@dataclass(frozen=True)
class Tile:
    """One tile. Rows of tiles count from the north. An impossible one is refused when it is made."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not (0 <= self.z <= MAX_ZOOM and 0 <= self.x < 1 << self.z and 0 <= self.y < 1 << self.z):
            raise BadTile(z=self.z, x=self.x, y=self.y)

    def bounds(self, margin: float = 0.0) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees; `margin` is a share of the tile's width added on every side."""
        west, east = (360 * (at / (1 << self.z)) - 180 for at in (self.x - margin, self.x + 1 + margin))
        north, south = (self._lat(at) for at in (self.y - margin, self.y + 1 + margin))
        return west, south, east, north

    def _lat(self, y: float) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / (1 << self.z)))))

    @property
    def half_pixel_deg(self) -> float:
        """How much a line may be simplified without anybody seeing it."""
        return 360 / (1 << self.z) / PIXELS / 2


_DRAW = """
    SELECT ST_AsMVT(drawn, :layer, 4096, 'geom', 'fid')
      FROM (SELECT asked.*, ST_AsMVTGeom(ST_Transform(geom_4326, 3857), ST_TileEnvelope(:z, :x, :y), 4096, :buffer) AS geom
              FROM ({rows}) AS asked) AS drawn
     WHERE geom IS NOT NULL
"""


def draw(session: Session, layer: str, tile: Tile, rows: str, *, buffer: int = 64, **params: Any) -> bytes:
    """The rows of `rows` (SQL with `fid`, `geom_4326`, and :west :south :east :north :near_deg) as one tile layer."""
    west, south, east, north = tile.bounds(buffer / EXTENT)
    given = {
        "layer": layer, "z": tile.z, "x": tile.x, "y": tile.y, "buffer": buffer, "near_deg": tile.half_pixel_deg,
        "west": west, "south": south, "east": east, "north": north, **params,
    }  # fmt: skip
    drawn = session.scalar(text(_DRAW.format(rows=rows)), given)
    return bytes(drawn or b"")

"""A made town of 91,000 stretches of street, as no free map of that size is at hand: a grid is harder than a real town of as many."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd  # type: ignore[import-untyped]
import numpy as np
import shapely

SIDE = 214  # 2 · 214 · 213 stretches
STEP_DEG = 0.0012
CORNER = (119.83, 36.65)
CLASSES = {0: "primary", 5: "tertiary"}  # of every tenth street; the others are residential


def write_streets(path: Path) -> int:
    """Write the town as a file that is imported like any other; how many stretches it has."""
    random = np.random.default_rng(8319)
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    shake = random.normal(0, 0.15, (2, SIDE, SIDE)) * STEP_DEG
    lon = np.round(CORNER[0] + columns * STEP_DEG + shake[0], 7)
    lat = np.round(CORNER[1] + rows * STEP_DEG + shake[1], 7)
    lines, kinds = [], []
    for across in (True, False):
        for i in range(SIDE):
            x, y = (lon[i], lat[i]) if across else (lon[:, i], lat[:, i])
            for j in range(SIDE - 1):
                lines.append(shapely.LineString([(x[j], y[j]), (x[j + 1], y[j + 1])]))
                kinds.append(CLASSES.get(i % 10, "residential"))
    one_way = np.where((random.random(len(lines)) < 0.15) & (np.array(kinds) == "residential"), "yes", "no")
    table = gpd.GeoDataFrame({"highway": kinds, "oneway": one_way}, geometry=lines, crs=4326)
    table.to_file(path, driver="FlatGeobuf", engine="pyogrio")
    return len(lines)

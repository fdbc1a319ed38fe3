"""The networks as drawn, read from the tables in metres for `topology.build`, with the ids to store its answer by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis import geo
from gis.network.rules import Flow, NetworkLevel, NodeKind, PipeSide, Utility
from gis.network.topology import Pipes, Things

_PIPES = text(
    """
    SELECT id, code, level, flow, station_id, ST_AsBinary(geom) AS line FROM pipeline WHERE utility = :utility ORDER BY id
    """
)
_THINGS = text(
    """
    SELECT 'valve' AS kind, id, code, pipeline_id, ST_X(geom) AS lon, ST_Y(geom) AS lat, 'valve_id' AS "column"
      FROM valve WHERE utility = :utility
    UNION ALL
    SELECT 'source', id, code, NULL, ST_X(geom), ST_Y(geom), 'heat_source_id' FROM heat_source WHERE :utility = 'heat'
    UNION ALL
    SELECT 'source', id, code, NULL, ST_X(geom), ST_Y(geom), 'supply_source_id' FROM supply_source WHERE utility = :utility
    UNION ALL
    SELECT 'station', id, code, NULL, ST_X(geom), ST_Y(geom), 'station_id' FROM station WHERE :utility = 'heat'
    UNION ALL
    SELECT 'customer', id, code, NULL, ST_X(geom), ST_Y(geom), 'supply_point_id' FROM supply_point WHERE utility = :utility
     ORDER BY 1, 7, 2
    """
)


@dataclass(frozen=True)
class Drawn:
    """Pipes and things in metres around `near_lon`, and their ids in the same order."""

    pipes: Pipes
    things: Things
    pipe_ids: list[int]
    thing_ids: list[int]
    thing_columns: list[str]
    near_lon: float


def side_of(level: str, flow: str | None) -> PipeSide:
    """On which side a pipe lies; of a heat pipe that is not told to be the return it is taken to be the supply."""
    if level == NetworkLevel.MAIN:
        return PipeSide.MAIN
    return PipeSide(f"{level}_{flow or Flow.SUPPLY}")


def read(session: Session, utility: Utility) -> Drawn:
    """Everything that is drawn of one utility."""
    pipes = session.execute(_PIPES, {"utility": str(utility)}).all()
    things = session.execute(_THINGS, {"utility": str(utility)}).all()
    lines = shapely.from_wkb(np.array([bytes(row.line) for row in pipes], object)) if pipes else np.empty(0, object)
    near_lon = _middle_lon(lines, [row.lon for row in things])
    numbers = {row.id: i for i, row in enumerate(pipes)}
    stations = {row.id: i for i, row in enumerate(things) if row.kind == NodeKind.STATION}
    points = np.column_stack(geo.to_metres([r.lon for r in things], [r.lat for r in things], near_lon)).reshape(-1, 2)
    return Drawn(
        Pipes(
            in_metres(lines, near_lon), [row.code for row in pipes], [side_of(row.level, row.flow) for row in pipes],
            np.array([stations.get(row.station_id, -1) for row in pipes], np.int64),
            np.array([row.level == NetworkLevel.MAIN or row.flow is not None for row in pipes], bool),
        ),
        Things(
            points, [NodeKind(row.kind) for row in things], [row.code for row in things],
            np.array([numbers.get(row.pipeline_id, -1) for row in things], np.int64),
        ),
        [row.id for row in pipes], [row.id for row in things], [row.column for row in things], near_lon,
    )  # fmt: skip


def _middle_lon(lines: NDArray[Any], lons: list[float]) -> float:
    found = [*shapely.get_coordinates(lines)[:, 0].tolist(), *lons]
    finite = np.array([x for x in found if np.isfinite(x)])
    return float(np.median(finite)) if len(finite) else 0.0


def in_metres(shapes: NDArray[Any], near_lon: float) -> NDArray[Any]:
    """Shapes in degrees as shapes in metres."""
    return np.asarray(
        shapely.transform(shapes, lambda xy: np.column_stack(geo.to_metres(xy[:, 0], xy[:, 1], near_lon))), object
    )


def in_degrees(shapes: NDArray[Any], near_lon: float) -> NDArray[Any]:
    """The inverse of `in_metres`."""
    return np.asarray(
        shapely.transform(shapes, lambda xy: np.column_stack(geo.to_degrees(xy[:, 0], xy[:, 1], near_lon))), object
    )

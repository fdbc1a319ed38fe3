"""Which heat-exchange station serves a compound: asked by whoever ties a call to a station."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, select, union_all

from gis.network.model import Station, SupplyPoint
from gis.network.rules import Utility


def served() -> Any:
    """(area_id, station_id, geom): where each compound is served and by which station, as a subquery.

    By its buildings' supply points where they are known, else by the station that names the compound as its own.
    """
    heat = SupplyPoint.utility == Utility.HEAT
    known = exists().where(SupplyPoint.area_id == Station.area_id, heat, SupplyPoint.station_id.isnot(None))
    return union_all(
        select(SupplyPoint.area_id, SupplyPoint.station_id, SupplyPoint.geom).where(
            heat, SupplyPoint.area_id.isnot(None), SupplyPoint.station_id.isnot(None)
        ),
        select(Station.area_id, Station.id.label("station_id"), Station.geom).where(
            Station.area_id.isnot(None), ~known
        ),
    ).subquery("served")

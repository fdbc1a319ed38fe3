"""What waits for an inspector to go and see: blind spots, weak signal spots, unserved areas of the inspector's area."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import Field

from gis.coverage import queries
from gis.coverage.rules import SpotKind, SpotOrigin, SpotState, heading
from gis.people.rules import Role
from mobile_api.v1.auth import db, needs, phone
from mobile_api.v1.findings import carried
from mobile_api.v1.wire import Wire

api = APIBlueprint("phone_spots", __name__, tag="spots")


class SpotOut(Wire):
    """A place to go to. `id` is kind and number; `heading` is the direction in which a stretch is told."""

    id: str
    kind: SpotKind
    version: int
    state: SpotState
    origin: SpotOrigin
    title: str
    from_landmark: str
    to_landmark: str
    heading: str
    metres: int
    lon: float
    lat: float


class SpotsOut(Wire):
    """What this phone's person can verify on foot."""

    spots: list[SpotOut] = Field(description="reported ones first")


@api.get("/spots")
@needs("use_phone")
@api.output(SpotsOut)
def spots() -> dict[str, Any]:
    """To verify on foot (an inspector, of the own area); nothing for a crew."""
    if phone().role != Role.INSPECTOR:
        return {"spots": []}
    return {"spots": [_out(row) for row in queries.for_phone(db(), carried(phone()))]}


def _out(row: Any) -> dict[str, Any]:
    kept = {name: row[name] for name in ("kind", "version", "state", "origin", "title", "lon", "lat")}
    landmarks = {name: row.get(name) or "" for name in ("from_landmark", "to_landmark")}
    return (
        kept
        | landmarks
        | {"id": f"{row['kind']}:{row['id']}", "heading": heading(row["azimuth"]), "metres": row["metres"] or 0}
    )

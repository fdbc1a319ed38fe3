"""What phones tell of coverage: somebody was at a blind spot, a weak signal spot or an unserved area; how strong the signal was."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from gis.coverage import actions, queries
from gis.coverage.rules import CAMERAS_MOST, CHECK_PHOTOS, SpotKind
from gis.errors import Missing
from gis.journal import Who
from mobile_api.v1.auth import Phone
from mobile_api.v1.finding_changes import FindingShot
from mobile_api.v1.findings import carried
from mobile_api.v1.wire import Position, Text, Wire

Dbm = Annotated[float, Field(ge=-160, le=-20)]


class SpotSeen(Wire):
    """What was seen: of a blind spot how many cameras there are now, of a weak signal spot how strong the signal is."""

    cameras: Annotated[int, Field(ge=0, le=CAMERAS_MOST)] | None = None
    rsrp_dbm: Dbm | None = None
    note: Text(2000) = ""  # type: ignore[valid-type]
    position: Position | None = None
    photos: list[FindingShot] = Field(default=[], max_length=CHECK_PHOTOS)


class Measured(Wire):
    """A reading of the signal where the phone is."""

    rsrp_dbm: Dbm
    operator: Text(80) = ""  # type: ignore[valid-type]
    position: Position


def _named(thing_id: Any) -> tuple[SpotKind, int]:
    """`blind_spot:12` as kind and number. Raises Missing."""
    kind, _, number = str(thing_id).partition(":")
    if kind not in set(SpotKind) or not (number.isascii() and number.isdigit() and len(number) < 16):
        raise Missing(thing="spot", id=str(thing_id)[:64])
    return SpotKind(kind), int(number)


def spot_now(session: Session, phone: Phone, change: Any) -> dict[str, Any] | None:
    """The spot that a change was about, as it stands, if this phone may know of it."""
    try:
        kind, number = _named(change.thing_id)
        return _thing(kind, queries.spot_in_scope(session, carried(phone), kind, number))
    except Missing:
        return None


def spot_verify(session: Session, who: Who, phone: Phone, change: Any) -> dict[str, Any]:
    """Keep what was seen. It holds whatever the desk did meanwhile, unless the spot is closed. Raises PhotoMissing, not final."""
    (kind, number), said = _named(change.thing_id), change.payload
    shots = [actions.Shot(photo.sha256, photo.taken_at) for photo in said.photos]
    seen = actions.Seen(change.id, change.at, said.cameras, said.rsrp_dbm, said.note, shots)
    spot = actions.verify(session, who, carried(phone), kind, number, seen)
    if said.rsrp_dbm is not None and said.position is not None:
        actions.measure(session, who, str(change.id), change.at, said.rsrp_dbm, said.position.lon, said.position.lat)
    return {"id": f"{kind}:{spot.id}", "version": spot.version, "status": str(spot.state)}


def signal_measure(session: Session, who: Who, phone: Phone, change: Any) -> dict[str, Any]:
    """Keep a sample under the change's own id."""
    said = change.payload
    place = said.position
    sample = actions.measure(
        session, who, str(change.id), change.at, said.rsrp_dbm, place.lon, place.lat, said.operator
    )
    return {"id": str(sample.id), "version": 1, "status": "kept"}


def _thing(kind: SpotKind, row: Any) -> dict[str, Any]:
    return {"id": f"{kind}:{row['id']}", "version": row["version"], "status": str(row["state"])}

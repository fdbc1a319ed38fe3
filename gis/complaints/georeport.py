"""A complaint that a program reports (Open311 GeoReport v2): checked as a whole, kept once however often it is sent."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import tzinfo
from typing import Any, TypeVar

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gis.complaints import actions
from gis.complaints.georeport_model import OpenRequest
from gis.complaints.georeport_rules import (
    ATTRIBUTES,
    NoLocation,
    ReferenceUsed,
    Several,
    UnknownAddress,
    check_answers,
    check_degrees,
    check_email,
    check_media_url,
)
from gis.complaints.model import Caller, Category, Complaint
from gis.complaints.privacy import normal_phone
from gis.complaints.rules import Channel, UnknownCategory, clean
from gis.db import naming_violations
from gis.errors import BadInput
from gis.journal import Who
from gis.places.queries import check_point
from gis.workdays import WorkingDays

REFERENCE_MAX, DEVICE_MAX = 100, 200
T = TypeVar("T")


@dataclass(frozen=True)
class Report:
    """What a program sent, as it was sent. `client_ref` is its own name for this report: sent again, it is the same one."""

    service_code: str = ""
    lat: str = ""
    long: str = ""
    address_string: str = ""
    address_id: str = ""
    description: str = ""
    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    device_id: str = ""
    account_id: str = ""
    media_url: str = ""
    answers: dict[str, list[str]] = field(default_factory=dict)
    client_ref: str = ""

    def digest(self) -> bytes:
        """The same report gives the same bytes, another one others."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True)
class Reported:
    """The complaint, what was kept beside it, and whether it was there already."""

    complaint: Complaint
    request: OpenRequest
    again: bool


class _Checking:
    """Collects everything that is wrong, so that a program's author is told all of it at once."""

    def __init__(self) -> None:
        self.wrong: list[BadInput] = []

    def __call__(self, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except BadInput as error:
            self.wrong.append(error)
            return None

    def finish(self) -> None:
        if len(self.wrong) == 1:
            raise self.wrong[0]
        if self.wrong:
            raise Several(self.wrong)


def report(session: Session, who: Who, key_id: int, told: Report, *, zone: tzinfo, calendar: WorkingDays) -> Reported:
    """Take in what a program reports. Sent again with the same `client_ref` by the same key, it is the complaint there is.

    Two at once are decided by the unique index: the second waits for the first and is told its number. Raises
    UnknownCategory, ReferenceUsed, and whatever is wrong with the fields, alone or as Several.
    """
    told_before = _before(session, key_id, told)
    if told_before is not None:
        return told_before
    meant, beside, email = _check(session, told)
    try:
        with session.begin_nested():
            complaint = actions.receive(
                session, who, channel=Channel.OPEN311, category=told.service_code, zone=zone, calendar=calendar, **meant
            )
            _keep_email(session, complaint, email)
            kept = OpenRequest(
                complaint_id=complaint.id, key_id=key_id, token=uuid.uuid4(), digest=told.digest(), **beside
            )
            with naming_violations(session):
                session.add(kept)
    except ReferenceUsed:
        earlier = _before(session, key_id, told)
        if earlier is None:
            raise
        return earlier
    return Reported(complaint, kept, again=False)


def _before(session: Session, key_id: int, told: Report) -> Reported | None:
    """What this key reported under this reference. Raises ReferenceUsed where it was something else."""
    reference = told.client_ref.strip()
    if not reference or len(reference) > REFERENCE_MAX or "\0" in reference:
        return None
    asked = select(OpenRequest, Complaint).join(Complaint, Complaint.id == OpenRequest.complaint_id)
    row = session.execute(asked.where(OpenRequest.key_id == key_id, OpenRequest.client_ref == reference)).one_or_none()
    if row is None:
        return None
    if row[0].digest != told.digest():
        raise ReferenceUsed()
    return Reported(row[1], row[0], again=True)


def _check(session: Session, told: Report) -> tuple[dict[str, Any], dict[str, Any], str | None]:
    """The arguments of `receive`, the columns beside it, and the e-mail address; or everything that is wrong."""
    kind = session.get(Category, told.service_code[:40]) if "\0" not in told.service_code else None
    if kind is None:
        raise UnknownCategory(category=told.service_code[:40].replace("\0", ""))
    check = _Checking()
    answers, wrong = check_answers(kind.code, told.answers)
    check.wrong += wrong
    place = check(lambda: clean("place", told.address_string))
    where = check(lambda: _where(session, told, bool(place)))
    name = check(lambda: clean("caller_name", _full_name(told)))
    phone = check(lambda: normal_phone(told.phone) if clean("caller_phone", told.phone) else None)
    email = check(lambda: check_email(told.email))
    said = check(lambda: clean("description", told.description))
    media_url = check(lambda: check_media_url(told.media_url))
    reference = check(lambda: _short("client_ref", told.client_ref, REFERENCE_MAX))
    device = check(lambda: _short("device_id", told.device_id, DEVICE_MAX))
    account = check(lambda: _short("account_id", told.account_id, DEVICE_MAX))
    check.finish()
    lon, lat, named = where or (None, None, "")
    meant = {
        "description": said or kind.name, "place": place or named, "lon": lon, "lat": lat, "caller_name": name,
        "caller_phone": phone,
    }  # fmt: skip
    beside = {
        "answers": answers, "media_url": media_url, "client_ref": reference, "device_id": device, "account_id": account
    }  # fmt: skip
    return meant, beside, email


def _full_name(told: Report) -> str:
    """Chinese names are written family name first, without a space; others as they are spoken."""
    first, last = told.first_name.strip(), told.last_name.strip()
    if first.isascii() and last.isascii():
        return f"{first} {last}".strip()
    return f"{last}{first}"


def _short(name: str, text_given: str, limit: int) -> str | None:
    kept = text_given.strip()
    if len(kept) > limit or not kept.isprintable():
        raise BadInput(reason=f"{name}: {limit}")
    return kept or None


_ADDRESS = text(
    """
    SELECT name, ST_X(at) AS lon, ST_Y(at) AS lat
      FROM (SELECT name, ST_PointOnSurface(geom) AS at FROM area WHERE code = :code
            UNION ALL SELECT name, geom FROM gazetteer_entry WHERE code = :code) AS known
     LIMIT 1
    """
)


def _where(session: Session, told: Report, address: bool) -> tuple[float | None, float | None, str]:
    """Longitude, latitude and the name of the place; coordinates win over an address_id. Raises NoLocation and others."""
    point = check_degrees(told.lat, told.long)
    if point is not None:
        return (*check_point(session, *point, "wgs84"), "")
    code = told.address_id.strip()
    if code:
        safe = code[:60].replace("\0", "")
        row = session.execute(_ADDRESS, {"code": safe}).one_or_none()
        if row is None and not address:
            raise UnknownAddress(address_id=safe)
        if row is not None:
            return row.lon, row.lat, row.name
    if not address:
        raise NoLocation()
    return None, None, ""


def _keep_email(session: Session, complaint: Complaint, email: str | None) -> None:
    if email is None:
        return
    caller = session.get(Caller, complaint.id)
    if caller is None:
        caller = Caller(complaint_id=complaint.id)
        session.add(caller)
    caller.email = email


__all__ = ["ATTRIBUTES", "Report", "Reported", "report"]

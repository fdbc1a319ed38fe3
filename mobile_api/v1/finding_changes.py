"""Steps of findings as phones tell them: put right by a crew of the unit, looked at again by an inspector."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

from gis.errors import Missing
from gis.inspections import findings
from gis.inspections.finding_model import Finding
from gis.inspections.finding_queries import finding_for_change
from gis.inspections.finding_rules import PHOTOS_PER_ANSWER, FindingStatus
from gis.journal import Who
from gis.places.queries import working_days
from mobile_api.v1.auth import Phone, zone
from mobile_api.v1.findings import carried
from mobile_api.v1.wire import Moment, Sha256, Text, Wire


class FindingShot(Wire):
    """A photo of the place as it is now, sent before this change."""

    sha256: Sha256
    taken_at: Moment


class Rectify(Wire):
    """What was done about a finding."""

    note: Text(2000, 1)  # type: ignore[valid-type]
    photos: list[FindingShot] = Field(default=[], max_length=PHOTOS_PER_ANSWER)


class Reinspect(Wire):
    """What a re-inspection found; a note is needed when it did not pass."""

    passed: bool
    note: Text(2000) = ""  # type: ignore[valid-type]
    photos: list[FindingShot] = Field(default=[], max_length=PHOTOS_PER_ANSWER)


def finding_now(session: Session, phone: Phone, change: Any) -> dict[str, Any] | None:
    """The finding that a change was about, as it stands, if this phone may know of it."""
    try:
        return _thing(finding_for_change(session, carried(phone), change.number or 0))
    except Missing:
        return None


def finding_step(session: Session, who: Who, phone: Phone, change: Any) -> dict[str, Any]:
    """Take the step. Raises PhotoMissing, which is not final: what shows the place comes before it."""
    number, base, days = change.number or 0, change.base_version, findings.Days(working_days(session), zone())
    shown = [findings.Shown(photo.sha256, photo.taken_at) for photo in change.payload.photos]
    said = findings.Said(change.payload.note, shown)
    if isinstance(change.payload, Reinspect):
        verb = "pass" if change.payload.passed else "fail"
    else:
        verb = "rectify"
        if finding_for_change(session, carried(phone), number).status == FindingStatus.SENT:
            findings.step(session, who, carried(phone), number, "sign", findings.Said(), days, base_version=base)
            base = None
    return _thing(findings.step(session, who, carried(phone), number, verb, said, days, base_version=base))


def _thing(finding: Finding) -> dict[str, Any]:
    return {"id": str(finding.id), "version": finding.version, "status": str(finding.status)}

"""What a program asks and sends in GeoReport v2, read from the request and checked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from flask import request

from gis.complaints.georeport import Report
from gis.complaints.georeport_queries import PAGE_MAX, Asked
from gis.complaints.georeport_rules import MissingArgument
from gis.errors import BadInput

SPAN = timedelta(days=90)  # source: GeoReport v2, Response Volume
FIELDS = (
    "service_code", "lat", "long", "address_string", "address_id", "description", "email", "phone", "first_name",
    "last_name", "device_id", "account_id", "media_url", "client_ref",
)  # fmt: skip
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,80})\](?:\[\])?")
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def report_sent() -> Report:
    """The form as it came. The reference may also stand in the header `Idempotency-Key`. Raises MissingArgument, BadInput."""
    if request.mimetype not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise BadInput(reason="Content-Type: application/x-www-form-urlencoded, multipart/form-data")
    sent = {name: request.form.get(name, "") for name in FIELDS}
    if not sent["service_code"].strip():
        raise MissingArgument(argument="service_code")
    sent["service_code"] = sent["service_code"].strip()
    sent["client_ref"] = sent["client_ref"] or request.headers.get("Idempotency-Key", "")
    answers: dict[str, list[str]] = {}
    for key, values in request.form.lists():
        found = _ATTRIBUTE.fullmatch(key)
        if found:
            answers.setdefault(found[1], []).extend(values)
    return Report(answers=answers, **sent)


def asked_requests(now: datetime, zone: tzinfo) -> Asked:
    """The arguments of GET requests. Raises BadInput naming the first that cannot be read."""
    updated_after, updated_before = _moment("updated_after", zone), _moment("updated_before", zone)
    start, end = _moment("start_date", zone), _moment("end_date", zone)
    if updated_before is not None and updated_after is None:
        updated_after = updated_before - SPAN
    if updated_after is None:
        start, end = _span(start, end, now)
    return Asked(
        numbers=_list("service_request_id", 100), categories=_list("service_code", 40), open=_open(), start=start,
        end=end, updated_after=updated_after, updated_before=updated_before or (_LATEST if updated_after else None),
        page=_whole("page", 1, 100_000), page_size=_whole("page_size", PAGE_MAX, PAGE_MAX),
    )  # fmt: skip


def _span(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Ninety days: the last ones, those after the start or before the end; more than that is refused."""
    if start is None and end is None:
        return now - SPAN, None
    if start is None:
        return end - SPAN, end  # type: ignore[operator]
    if end is None:
        return start, min(start + SPAN, _LATEST)
    if end < start or end - start > SPAN + timedelta(days=1):
        raise BadInput(reason="start_date, end_date: 90")
    return start, end


def _list(name: str, longest: int) -> tuple[str, ...]:
    """Values that were given several times or separated by commas."""
    values = [part.strip() for given in request.args.getlist(name) for part in given.split(",")]
    kept = tuple(dict.fromkeys(value for value in values if value))
    if len(kept) > PAGE_MAX or any(len(value) > longest or "\0" in value for value in kept):
        raise BadInput(reason=name)
    return kept


def _open() -> bool | None:
    wanted = set(_list("status", 10))
    if wanted - {"open", "closed"}:
        raise BadInput(reason="status: open, closed")
    return None if len(wanted) != 1 else "open" in wanted


def _moment(name: str, zone: tzinfo) -> datetime | None:
    """A moment in W3C format. A day alone, or a moment without a zone, is read on the city's clock."""
    given = request.args.get(name, "").strip().replace(" ", "+")  # a + that was not escaped came as a space
    if not given:
        return None
    try:
        at = datetime.fromisoformat(given)
        at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput(reason=f"{name}: 2010-01-01T00:00:00Z") from None
    if not _EARLIEST <= at < _LATEST:
        raise BadInput(reason=f"{name}: 1970-2199")
    return at


def _whole(name: str, default: int, high: int) -> int:
    given = request.args.get(name, "").strip()
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 10 and 1 <= int(given) <= high):
        raise BadInput(reason=f"{name}: 1-{high}")
    return int(given)

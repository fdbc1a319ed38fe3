"""The URL is the view: a query string as `Filters`, the same for list, tiles, hotspots and exports."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import current_app, request

from gis.complaints.queries import MARKS, Filters
from gis.complaints.rules import OPEN, Status, TimeState
from gis.errors import BadInput
from webapp.access import can, now

LONGEST_Q = 100
YEARS = (1900, 2200)  # what a period lies between: nothing of a bureau is older, and dates can be counted on from there


def zone() -> ZoneInfo:
    """The city's clock."""
    return ZoneInfo(current_app.config["SETTINGS"].timezone)


def today() -> date:
    """The city's day."""
    return now().astimezone(zone()).date()


def from_request() -> Filters:
    """The filters of this request; a value that is none of the possible ones is BadInput naming the parameter.

    `status=open` means every open one; `from` and `to` are local dates, both included.
    """
    since, until = _day("from"), _day("to")
    if since and until and since > until:
        raise BadInput(reason="from > to")
    return Filters(
        status=_statuses(),
        category=tuple(_text("category", value, 40) for value in request.args.getlist("category") if value),
        district=_ids("district"),
        unit=_ids("unit"),
        time_state=_members("time_state", set(TimeState)),
        since=since,
        until=until + timedelta(days=1) if until else None,
        q=_text("q", request.args.get("q", ""), LONGEST_Q),
        callers=can("unmask_caller"),
        mark=_members("mark", set(MARKS)),
    )


def said(name: str, longest: int = 80) -> str:
    """What was typed to search by; too long or with what no text holds it is BadInput."""
    return _text(name, request.args.get(name, ""), longest)


def number(name: str, default: int, low: int, high: int) -> int:
    """A whole number of the query string within its bounds."""
    raw = request.args.get(name, "")
    if not raw:
        return default
    if not (raw.isascii() and raw.isdigit() and len(raw) < 10 and low <= int(raw) <= high):
        raise BadInput(reason=f"{name}: {low}-{high}")
    return int(raw)


def whole_id(name: str) -> int | None:
    """The id of something in the query string, or None where it is not given."""
    found = whole_ids(name)
    return found[0] if found else None


def whole_ids(name: str) -> list[int]:
    """Ids of the query string, in the order they stand there, each once."""
    raw = [value for value in request.args.getlist(name) if value]
    if not all(r.isascii() and r.isdigit() and len(r) < 18 for r in raw):
        raise BadInput(reason=name)
    return list(dict.fromkeys(map(int, raw)))


def decimal(name: str) -> float | None:
    """A decimal number of the query string, or None where it is not given."""
    raw = request.args.get(name, "").strip()
    if not raw:
        return None
    try:
        return float(raw)
    except ValueError:
        raise BadInput(reason=name) from None


def _statuses() -> tuple[str, ...]:
    chosen = _members("status", set(Status) | {"open"})
    if "open" not in chosen:
        return chosen
    return tuple(sorted({*chosen, *OPEN} - {"open"}))


def _members(name: str, possible: set[str]) -> tuple[str, ...]:
    given = tuple(value for value in request.args.getlist(name) if value)
    if set(given) - {str(p) for p in possible}:
        raise BadInput(reason=name)
    return given


def _ids(name: str) -> tuple[int, ...]:
    given = [value for value in request.args.getlist(name) if value]
    if not all(value.isascii() and value.isdigit() and len(value) < 19 for value in given):
        raise BadInput(reason=name)
    return tuple(int(value) for value in given)


def _text(name: str, value: str, longest: int) -> str:
    if len(value) > longest or "\0" in value:
        raise BadInput(reason=name)
    return value.strip()


def _day(name: str) -> datetime | None:
    """The first moment of a local day."""
    raw = request.args.get(name, "").strip()
    if not raw:
        return None
    try:
        day = date.fromisoformat(raw)
    except ValueError:
        raise BadInput(reason=name) from None
    if not YEARS[0] <= day.year < YEARS[1]:
        raise BadInput(reason=name)
    return datetime.combine(day, time(), tzinfo=zone())

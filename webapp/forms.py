"""What comes in from a page's form: one value by name, read as what it must be, or an error that names the field."""

from __future__ import annotations

from datetime import date, datetime, time

from flask import request

from gis.errors import BadInput
from webapp.filters import zone

LONGEST_ID = 18


class BadFormField(BadInput):
    """This cannot be read: %(field)s."""

    code = "bad_form_field"


def text(name: str) -> str:
    """What was typed, or nothing."""
    return request.form.get(name, "")


def whole(name: str, default: int | None = None) -> int | None:
    """A whole number, or `default` where nothing was typed."""
    raw = request.form.get(name, "").strip()
    if not raw:
        return default
    if not (raw.isascii() and raw.isdigit() and len(raw) < LONGEST_ID):
        raise BadFormField(field=name)
    return int(raw)


def one_of(raw: str, *kinds: str) -> tuple[str, int] | None:
    """What a list of several kinds says was chosen, `worker-7`: its kind and number; None for anything else."""
    kind, _sep, number = raw.partition("-")
    if kind not in kinds or not (number.isascii() and number.isdigit() and len(number) < LONGEST_ID):
        return None
    return kind, int(number)


def needed(name: str) -> int:
    """A whole number that must be there."""
    value = whole(name)
    if value is None:
        raise BadFormField(field=name)
    return value


def chosen(name: str) -> list[int]:
    """The ids of everything that is ticked."""
    raw = request.form.getlist(name)
    if not all(r.isascii() and r.isdigit() and len(r) < LONGEST_ID for r in raw):
        raise BadFormField(field=name)
    return [int(r) for r in raw]


def decimal(name: str) -> float | None:
    """A decimal number, or None."""
    raw = request.form.get(name, "").strip()
    try:
        return float(raw) if raw else None
    except ValueError:
        raise BadFormField(field=name) from None


def day(name: str) -> date:
    """A day that must be there."""
    try:
        return date.fromisoformat(request.form.get(name, "").strip())
    except ValueError:
        raise BadFormField(field=name) from None


def clock(name: str) -> time:
    """A time of day that must be there."""
    try:
        return time.fromisoformat(request.form.get(name, "").strip()).replace(tzinfo=None)
    except ValueError:
        raise BadFormField(field=name) from None


def moment(name: str) -> datetime:
    """A moment as a browser sends it (`2009-11-22T16:30`), by the city's clock."""
    try:
        at = datetime.fromisoformat(request.form.get(name, "").strip())
    except ValueError:
        raise BadFormField(field=name) from None
    return at.replace(tzinfo=zone()) if at.tzinfo is None else at


def answer(name: str) -> bool | None:
    """Yes, no, or not said."""
    return {"yes": True, "no": False}.get(request.form.get(name, ""))

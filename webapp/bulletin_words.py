"""What a bulletin is called and how its figures are written, in the reader's language: the same on page, in Word and in Excel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _

from webapp.filters import zone
from webapp.i18n import word

Json = dict[str, Any]
ARROWS = {"up": "↑", "down": "↓", "same": "→"}


def percent(value: float | None) -> str:
    """`93.72 %`, or that there is no data: never a number that was not counted."""
    return _("no data") if value is None else f"{value:.2f} %"


def signed(value: float | None, unit: str = "") -> str:
    """A change with its sign."""
    return _("no data") if value is None else f"{value:+.2f}{unit}"


def number(value: float | None) -> str:
    """A count with its thousands."""
    return _("no data") if value is None else f"{value:,}"


def name_of(row: Json, kind: str) -> str:
    """What a row of a table is called: a district, a body, a channel, a category or what has none."""
    if kind == "channel":
        return _("Other channels (difference to the total)") if row["key"] is None else word("channel", row["key"])
    if kind == "category":
        return str(row["name"] if str(get_locale()).startswith("zh") else row["name_en"])
    if kind == "group":
        return word("category_group", row["key"])
    if row["key"] is None:
        return _("No area known") if kind == "area" else _("No body named")
    return str(row["name"] or row["key"])


def kind_word(kind: str) -> str:
    """What a bulletin of this kind is called."""
    return {
        "day": _("Daily notice"), "week": _("Weekly report"), "month": _("Monthly bulletin"),
        "quarter": _("Quarterly bulletin"), "year": _("Yearly bulletin"), "range": _("Bulletin of a range"),
    }[kind]  # fmt: skip


def title(body: Json) -> str:
    """`平度市诉求办理情况周报`, `Complaints handled: weekly report`."""
    about = " · ".join(name for name in (body["subject"]["area"], body["subject"]["unit"]) if name)
    kind = kind_word(body["period"]["kind"])
    return _("%(about)s complaints handled: %(kind)s", about=about, kind=kind).strip() if about else _(
        "Complaints handled: %(kind)s", kind=kind
    )  # fmt: skip


def issue_no(issue: Json | None) -> str:
    """`2009 年第 47 期`; nothing for a bulletin that was not published."""
    return _("Issue %(number)s of %(year)s", year=issue["year"], number=issue["number"]) if issue else ""


def period(body: Json) -> str:
    """From when to when, and up to which moment of a period that is still running."""
    told = body["period"]
    days = told["first"] if told["first"] == told["last"] else f"{told['first']} – {told['last']}"
    if not told["running"]:
        return str(days)
    return _("%(days)s, as of %(moment)s", days=days, moment=told["as_of"][:16].replace("T", " "))


def compared(body: Json) -> str:
    """What 环比 and 同比 are compared with."""
    before, year = (" – ".join(dict.fromkeys(body["period"][key])) for key in ("previous", "last_year"))
    text = _(
        "Compared with the period before (%(before)s) and with the same dates last year (%(year)s).",
        before=before,
        year=year,
    )
    if body["period"]["running"]:
        text += " " + _("The period is still running: of both only as much is counted as has gone by of this one.")
    return str(text)


def local(iso: str | None) -> str:
    """A kept moment by the city's clock."""
    return datetime.fromisoformat(iso).astimezone(zone()).strftime("%Y-%m-%d %H:%M") if iso else "—"


def members(body: Json, prefix: str) -> list[Json]:
    """The categories of one group."""
    return [row for row in body["categories"] if row["key"].split(".")[0] == prefix]

"""A complaint as JSON: the card of the list and the detail. Nothing of a caller but masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from gis import journal
from gis.complaints import queries, repeat_queries
from gis.complaints.privacy import masked_door, masked_email, masked_name, masked_phone, masked_text
from gis.complaints.rules import time_state
from gis.dispatch.queries import running_orders
from gis.dispatch.rules import OrderStatus
from gis.inspections.queries import of_complaint
from gis.people.queries import names_of
from webapp.access import db, now, scope
from webapp.filters import zone
from webapp.i18n import word
from webapp.routing import why_words
from webapp.step_forms import offer
from webapp.stops import stops_at

Row = Mapping[str, Any]


def iso(at: datetime | None) -> str | None:
    """A moment as JSON carries it: ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def category_name(row: Row) -> str:
    """The category in the reader's language."""
    return str(row["category_en"] if str(get_locale()) == "en" else row["category_zh"])


def cards(rows: list[Row]) -> list[dict[str, Any]]:
    """The cards of some rows, with the crews that are on them."""
    orders = running_orders(db(), [row["id"] for row in rows])
    return [_card(row, orders.get(row["id"])) for row in rows]


def state_of(row: Row) -> str:
    """How much of its time it has used."""
    return str(time_state(row["received_at"], row["resolve_by"], now(), row["closed_at"], row["paused_at"]))


def _card(row: Row, order: Row | None) -> dict[str, Any]:
    return {
        "id": row["id"], "hotline_no": row["hotline_no"], "status": row["status"], "category": row["category"],
        "category_name": category_name(row), "place": masked_text(row["place"]), "district": row["district"],
        "received_at": iso(row["received_at"]), "resolve_by": iso(row["resolve_by"]), "closed_at": iso(row["closed_at"]),
        "time_state": state_of(row), "paused_at": iso(row["paused_at"]), "warn_at": iso(row["warn_at"]), "key_since": iso(row["key_since"]),
        "repeat_count": row["repeat_count"], "reopen_count": row["reopen_count"], "complexity": row["complexity"], "located": row["located"], "lon": row["lon"],
        "lat": row["lat"], "crew": {"id": order["crew_id"], "name": order["crew"]} if order else None,
        "order_id": order["id"] if order else None, "lapsed": _lapsed(order), "unit": row["unit"], "synthetic": row["synthetic"],
        "calendar_missing": row["calendar_missing"], "version": row["version"],
    }  # fmt: skip


def _lapsed(order: Row | None) -> bool:
    """Has the crew let the time to accept pass?"""
    return order is not None and order["status"] == OrderStatus.ASSIGNED and order["lapsed_at"] is not None


def running(complaint_id: int) -> Row | None:
    """The order under way for a complaint."""
    return running_orders(db(), [complaint_id]).get(complaint_id)


def order_json(order: Row | None) -> dict[str, Any] | None:
    """The order under way; it can be undone until `undo_until`, while the crew has not accepted it."""
    if order is None:
        return None
    keys = ("id", "order_no", "complaint_id", "crew_id", "crew", "status", "minutes", "metres", "by", "version",
            "locked")  # fmt: skip
    undo = order["assigned_at"] + timedelta(seconds=current_app.config["SETTINGS"].undo_s)
    return {
        **{key: order[key] for key in keys}, "start": iso(order["start"]), "end": iso(order["end"]),
        "undo_until": iso(undo) if order["status"] == OrderStatus.ASSIGNED else None, "lapsed": _lapsed(order),
        "accept_by": iso(order["assigned_at"] + timedelta(minutes=current_app.config["SETTINGS"].accept_min)),
    }  # fmt: skip


def detail(row: Row) -> dict[str, Any]:
    """Everything about one complaint that its reader may see."""
    order = running_orders(db(), [row["id"]]).get(row["id"])
    return {
        **_card(row, order), "description": masked_text(row["description"]), "channel": row["channel"],
        "deadline_source": row["deadline_source"], "caller": masked_caller(row["id"]),
        "vulnerable": [word("vulnerable", mark) for mark in queries.vulnerable(db(), row["id"])],
        "steps": (offered := offer(row, current_user.role)).verbs, "forms": offered.forms, "order": order_json(order),
        "stops": stops_at(row["id"], order) if order else [], "timeline": timeline(row["id"]),
        "similar": similar(row),
        "inspections": [
            {"id": str(i["id"]), "finished_at": iso(i["finished_at"]), "no_count": i["no_count"]}
            for i in of_complaint(db(), row["id"])
        ],
    }  # fmt: skip


def masked_caller(complaint_id: int) -> dict[str, str | None] | None:
    """The caller behind stars, or None where nobody's details were kept."""
    caller = queries.caller(db(), complaint_id)
    if caller is None:
        return None
    return {
        "name": masked_name(caller.name),
        "phone": masked_phone(caller.phone),
        "door_no": masked_door(caller.door_no),
        **({"email": masked_email(caller.email)} if caller.email else {}),
    }


def happened(complaint_id: int) -> list[dict[str, Any]]:
    """What happened to it, oldest first, with the names of those who did it."""
    entries = journal.timeline(db(), "complaint", complaint_id)
    names = names_of(db(), {e["user_id"] for e in entries if e["user_id"]})
    return [
        {"at": e["at"], "verb": e["verb"], "who": names.get(e["user_id"]), "version": e["version"], "data": e["data"],
         "told": told(e["data"])}
        for e in entries
    ]  # fmt: skip


_CODE = re.compile("[a-z0-9_]+")
_WORDS = ("channel", "purpose", "ground", "cause", "reason")


def told(data: Mapping[str, Any]) -> list[str]:
    """What the journal tells of a step, in the reader's words; what is only for machines is left out."""
    say = {k: word(k, data[k]) if _CODE.fullmatch(str(data[k])) else str(data[k]) for k in _WORDS if data.get(k)}
    labels = {"channel": _("Channel: %(channel)s"), "reason": _("Reason: %(reason)s"),
              "purpose": _("Purpose: %(purpose)s")}  # fmt: skip
    found = [labels[kind] % say if kind in labels else text for kind, text in say.items()]
    if isinstance(data.get("why"), Mapping) and (why := why_words(data["why"])):
        found.append(_("Unit by rule: %(why)s", why=why))
    found += [str(data[key]) for key in ("order_no", "evidence", "answer", "note") if data.get(key)]
    if "days" in data:
        found.append(_("%(n)s working days", n=data["days"]))
    for key in ("until", "resolve_by"):
        if data.get(key):
            at = datetime.fromisoformat(data[key]).astimezone(zone())
            found.append(f"{word('field', key)} {at:%Y-%m-%d %H:%M}")
    return found


def timeline(complaint_id: int) -> list[dict[str, Any]]:
    """The same as JSON."""
    return [entry | {"at": iso(entry["at"])} for entry in happened(complaint_id)]


def similar(row: Row) -> list[dict[str, Any]]:
    """Open complaints that may be the same matter as this one, as the dispatcher is shown them."""
    found = repeat_queries.similar(
        db(), scope(), category=row["category"], lon=row["lon"], lat=row["lat"], place=row["place"],
        words=row["description"], but=row["id"], now=now(),
    )  # fmt: skip
    return [similar_json(one) for one in found]


def similar_json(row: Row) -> dict[str, Any]:
    """One similar complaint as the screens show it; nothing of its caller."""
    return {
        "id": row["id"], "hotline_no": row["hotline_no"], "place": masked_text(row["place"]), "status": row["status"],
        "category_name": category_name(row), "received_at": iso(row["received_at"]), "version": row["version"],
        "metres": round(row["metres"]) if row["metres"] is not None else None, "callers": 1 + row["repeat_count"],
        "key": row["key_since"] is not None, "description": masked_text(row["description"])[:80],
        "reasons": [_masked_reason(reason) for reason in row["reasons"]],
    }  # fmt: skip


def _masked_reason(reason: dict[str, Any]) -> dict[str, Any]:
    pieces = reason.get("pieces")
    return reason | {"pieces": [masked_text(piece) for piece in pieces]} if pieces else reason

"""Orders as a phone carries them. The caller is shown only to the crew that accepted, and that is journalled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import current_app, g
from pydantic import Field

from gis import journal
from gis.dispatch.rules import OrderStatus, RecallReason
from gis.inspections import queries
from mobile_api.v1.auth import db, needs, now, phone, who
from mobile_api.v1.wire import Wire

api = APIBlueprint("phone_dispatch", __name__, tag="orders")


class ComplaintOut(Wire):
    """What somebody told the bureau, without who told it."""

    id: int
    hotline_no: str
    category: str
    category_name: str
    description: str
    place: str
    lon: float | None
    lat: float | None
    resolve_by: datetime


class CallerOut(Wire):
    """Who called: only after acceptance."""

    name: str | None
    phone: str | None
    door_no: str | None


class OrderOut(Wire):
    """A work order with its complaint. `mine`: it belongs to the crew of this phone's person."""

    id: int
    order_no: str
    status: OrderStatus
    version: int
    start: datetime
    end: datetime
    minutes: float | None
    mine: bool
    accept_by: datetime | None = Field(None, description="until when it is to be accepted, while it is not")
    recall_reason: RecallReason | None = Field(None, description="why the desk took it back")
    complaint: ComplaintOut
    caller: CallerOut | None = None


class OrdersOut(Wire):
    """The orders to carry, and the cursor to ask `GET /sync` with for what changes afterwards."""

    orders: list[OrderOut]
    cursor: str


@api.get("/orders")
@needs("use_phone")
@api.output(OrdersOut)
def orders() -> dict[str, Any]:
    """The orders under way (a crew: its own; an inspector: of the area and unit), and those resolved within a day."""
    cursor = journal.end(db())
    return {"orders": order_list(queries.orders_on_phone(db(), phone().scope, now())), "cursor": cursor}


_COMPLAINT = ("hotline_no", "category", "description", "place", "lon", "lat", "resolve_by")


def order_list(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `queries.orders_on_phone` as the contract has them, with callers where they may be shown."""
    callers = _callers([row["id"] for row in rows])
    return [_order(row) | {"caller": callers.get(row["id"])} for row in rows]


def _order(row: Mapping[str, Any]) -> dict[str, Any]:
    english = g.get("language") == "en"
    complaint = {key: row[key] for key in _COMPLAINT} | {
        "id": row["complaint_id"], "category_name": row["category_name_en"] if english else row["category_name"],
    }  # fmt: skip
    kept = {
        key: row[key] for key in ("id", "order_no", "status", "version", "start", "end", "minutes", "recall_reason")
    }
    kept["accept_by"] = _accept_by(row["assigned_at"]) if row["status"] == OrderStatus.ASSIGNED else None
    return kept | {"complaint": complaint, "mine": row["crew_id"] == phone().crew_id}


def _accept_by(assigned_at: datetime) -> datetime:
    return assigned_at + timedelta(minutes=current_app.config["SETTINGS"].accept_min)


def _callers(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The callers that this person may see; the first look of each person at each is written in the journal."""
    crew_id = phone().crew_id
    if crew_id is None or not ids:
        return {}
    found = queries.callers_of_orders(db(), phone().user_id, crew_id, ids)
    for row in found:
        if not row["journalled"]:
            journal.write(db(), who(), "unmask", "complaint", row["complaint_id"], purpose="visit",
                          order_id=row["order_id"])  # fmt: skip
    return {row["order_id"]: {key: row[key] for key in ("name", "phone", "door_no")} for row in found}

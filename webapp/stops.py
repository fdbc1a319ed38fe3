"""Orders to stop works (停工令) as a dispatcher is told of them: before a crew is chosen, with the way to the finding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from gis.dispatch import queries
from gis.dispatch.model import Crew
from gis.errors import Missing
from gis.inspections.finding_queries import stop_shown
from webapp.access import can, db, scope
from webapp.filters import zone


def stops_at(complaint_id: int, order: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The orders that stop works at a complaint's place; with a running `order`, only those that hold for its crew."""
    rows = queries.stops(db(), complaint_id)
    if order is not None and rows:
        unit_id = db().get_one(Crew, order["crew_id"]).unit_id
        rows = [row for row in rows if unit_id in row.bodies]
    return [_told(row) for row in rows]


def _told(row: Any) -> dict[str, Any]:
    bodies = dict.fromkeys(name for name in (row.unit, row.contractor) if name)
    said = {"site": row.site, "no": row.no, "since": f"{row.since.astimezone(zone()):%Y-%m-%d %H:%M}"}
    return {
        "no": row.no, "finding": f"/findings/{row.finding_id}" if _may_read(row.id) else None,
        "text": _("Works at %(site)s are stopped by %(no)s since %(since)s.", **said),
        "whom": _("No crew of these can be sent there: %(bodies)s", bodies="、".join(bodies)),
    }  # fmt: skip


def _may_read(stop_id: int) -> bool:
    """A dispatcher reads findings of the own area and unit alone."""
    try:
        return can("see_inspections") and bool(stop_shown(db(), scope(), stop_id))
    except Missing:
        return False

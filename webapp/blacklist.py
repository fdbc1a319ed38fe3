"""The blacklist as a page: who is sent nowhere, since when, why and by whom; a supervisor adds and lifts."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import BadInput, ChengmaiError, Missing, NotAllowed
from gis.people import blacklist, queries
from gis.people.model import Unit
from gis.people.rules import CITY
from webapp.access import db, needs, now, scope, who
from webapp.filters import zone
from webapp.i18n import message

pages = Blueprint("blacklist", __name__)
FIELDS = ("whom", "reason", "source", "until")


@pages.get("/blacklist")
@needs("edit_blacklist")
def index() -> str:
    """Who stands on the list now, and who stood there."""
    return _page({})


def _page(typed: dict[str, str]) -> str:
    at = now()
    rows = blacklist.listing(db(), scope(), at)
    units = queries.units(db()) if scope() == CITY else []
    people = [user for user in queries.users(db(), scope()) if user.active]
    return render_template(
        "blacklist/index.html", standing=[row for row in rows if row["stands"]], past=[row for row in rows if not row["stands"]],
        units=units, people=people, typed=typed, today=at.astimezone(zone()).date(),
    )  # fmt: skip


@pages.post("/blacklist")
@needs("edit_blacklist")
def add() -> Response | tuple[str, int]:
    typed = {name: request.form.get(name, "")[:1000] for name in FIELDS}
    try:
        kind, _sep, number = typed["whom"].partition("-")
        if kind not in ("unit", "user") or not (number.isascii() and number.isdigit() and len(number) < 16):
            raise BadInput(reason="whom")
        unit = db().get(Unit, int(number)) if kind == "unit" else None
        if kind == "unit" and scope() != CITY:
            raise NotAllowed()
        if kind == "unit" and unit is None:
            raise Missing(thing="unit", id=number)
        user = queries.user_by_id(db(), scope(), int(number)) if kind == "user" else None
        blacklist.blacklist(
            db(),
            who(),
            unit=unit,
            user=user,
            reason=typed["reason"],
            source=typed["source"],
            until=_until(typed["until"]),
        )
    except ChengmaiError as error:
        db().rollback()
        flash(_problem(error), "error")
        return _page(typed), error.status
    name = unit.name if unit else user.full_name if user else ""
    flash(_("%(name)s is on the blacklist: nobody sends them anywhere now.", name=name), "done")
    return redirect(url_for("blacklist.index"))


@pages.post("/blacklist/<int:entry_id>/lift")
@needs("edit_blacklist")
def lift(entry_id: int) -> Response:
    entry = blacklist.entry_in_scope(db(), scope(), now(), entry_id)
    version = request.form.get("version", "")
    try:
        blacklist.lift(
            db(), who(), entry, request.form.get("reason", "")[:1000], int(version) if version.isdecimal() else None
        )
    except ChengmaiError as error:
        db().rollback()
        flash(_problem(error), "error")
    else:
        flash(_("Lifted: they can be sent again."), "done")
    return redirect(url_for("blacklist.index"))


def _problem(error: ChengmaiError) -> str:
    """What to do next, by the field that is wrong."""
    field = str(error.params.get("reason", "")) if isinstance(error, BadInput) else ""
    told = {
        "whom": _("Choose the unit or the person."), "reason": _("Give a reason (at most 500 characters)."),
        "source": _("Say where it comes from (at most 300 characters)."), "until": _("The last day lies in the past."),
    }  # fmt: skip
    return str(told.get(field) or message(error))


def _until(said: str) -> datetime | None:
    """The end of the last day on the city's clock; nothing said: until it is lifted."""
    if not said:
        return None
    try:
        last = date.fromisoformat(said)
        return datetime.combine(last + timedelta(days=1), time(), zone())
    except (ValueError, OverflowError):
        raise BadInput(reason="until") from None

"""The blacklist as a page: who is sent nowhere, since when, why and by whom; a supervisor adds and lifts."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import RowMapping

from gis.complaints.privacy import masked_name
from gis.errors import BadInput, ChengmaiError, Missing, NotAllowed
from gis.inspections import site_ban, site_queries
from gis.people import blacklist, queries
from gis.people.model import Unit
from gis.people.rules import CITY
from webapp import forms
from webapp.access import db, needs, now, scope, who
from webapp.filters import zone
from webapp.i18n import message

pages = Blueprint("blacklist", __name__)
FIELDS = ("whom", "reason", "source", "until")


@pages.get("/blacklist")
@needs("edit_blacklist")
def index() -> str:
    """Who stands on the list now, and who stood there."""
    whom = request.args.get("whom", "")
    return _page({"whom": whom} if forms.one_of(whom, "worker") else {})


def _page(typed: dict[str, str]) -> str:
    at = now()
    rows = blacklist.listing(db(), scope(), at)
    units = queries.units(db()) if scope() == CITY else []
    people = [user for user in queries.users(db(), scope()) if user.active]
    return render_template(
        "blacklist/index.html", standing=[row for row in rows if row["stands"]], past=[row for row in rows if not row["stands"]],
        units=units, people=people, worker=_worker(typed.get("whom", "")), typed=typed, today=at.astimezone(zone()).date(),
    )  # fmt: skip


def _worker(whom: str) -> RowMapping | None:
    """Somebody of a contractor, whom the page of a site or a consequence leads here with: there are too many to choose from."""
    named = forms.one_of(whom, "worker")
    return site_queries.worker(db(), named[1]) if named and scope() == CITY else None


@pages.post("/blacklist")
@needs("edit_blacklist")
def add() -> Response | tuple[str, int]:
    typed = {name: request.form.get(name, "")[:1000] for name in FIELDS}
    try:
        name = _put(typed)
    except ChengmaiError as error:
        db().rollback()
        flash(_problem(error), "error")
        return _page(typed), error.status
    flash(_("%(name)s is on the blacklist: nobody sends them anywhere now.", name=name), "done")
    return redirect(url_for("blacklist.index"))


def _put(typed: dict[str, str]) -> str:
    """Put whom the form names on the list, and say who that is."""
    named = forms.one_of(typed["whom"], "unit", "user", "worker")
    if named is None:
        raise BadInput(reason="whom")
    kind, number = named
    if kind != "user" and scope() != CITY:
        raise NotAllowed()
    said: blacklist.Said = {"reason": typed["reason"], "source": typed["source"], "until": _until(typed["until"])}
    if kind == "worker":
        worker = _worker(typed["whom"])
        if worker is None:
            raise Missing(thing="person", id=number)
        site_ban.ban(db(), who(), number, **said)
        return str(masked_name(worker["name"]))
    if kind == "unit":
        unit = db().get(Unit, number)
        if unit is None:
            raise Missing(thing="unit", id=number)
        blacklist.blacklist(db(), who(), unit=unit, **said)
        return unit.name
    user = queries.user_by_id(db(), scope(), number)
    blacklist.blacklist(db(), who(), user=user, **said)
    return user.full_name


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

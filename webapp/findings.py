"""Findings at the desk: the list, one finding with its photos and what can be done, orders to stop works, the papers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from gis import journal
from gis.errors import BadInput, ChengmaiError, NotAllowed
from gis.inspections import actions, stop_work
from gis.inspections import finding_queries as queries
from gis.inspections import findings as verbs
from gis.inspections.finding_rules import FINDING_STEPS, LIVE, PHOTOS_PER_ANSWER, Severity, finding_steps, may_reinspect
from gis.inspections.rules import PHOTO_KINDS, PLEDGES_EN
from gis.oversight import finding_notices
from gis.oversight import queries as oversight
from gis.people.queries import names_of, units
from gis.people.rules import Role
from gis.places.queries import areas, working_days
from gis.places.rules import AreaLevel
from webapp import filters, finding_papers, forms
from webapp.access import can, db, needs, now, scope, who
from webapp.filters import zone
from webapp.i18n import message
from webapp.public import kept_pictures

pages = Blueprint("findings", __name__)
_MOST_ID = 1 << 62


def days() -> verbs.Days:
    """The working days and the city's clock."""
    return verbs.Days(working_days(db()), zone())


@pages.get("/findings")
@needs("see_inspections")
def index() -> str:
    """Every finding in the scope, the late ones first, narrowed by the filters of the URL."""
    asked = filters.from_request()
    state, severity = request.args.get("state", "live"), request.args.get("severity", "")
    if state not in ("", *queries.OPEN_STATES) or severity not in ("", *Severity):
        raise BadInput(reason="state" if state not in ("", *queries.OPEN_STATES) else "severity")
    pledge = filters.number("pledge", 0, 0, 6) or None
    wanted = queries.Wanted(asked.unit, asked.district, pledge, severity, state, asked.until)
    page = filters.number("page", 1, 1, 100_000)
    total, rows = queries.listed(db(), scope(), now(), wanted, page)
    return render_template(
        "findings/index.html", rows=rows, total=total, page=page, pages=max(1, -(-total // queries.PAGE)), asked=wanted,
        districts=areas(db(), scope(), (AreaLevel.DISTRICT, AreaLevel.STREET)), states=queries.OPEN_STATES,
        units=[u for u in units(db()) if scope().unit_id in (None, u.id)], pledges=PLEDGES_EN, severities=list(Severity),
        narrowed=bool(request.args), due=request.args.get("to", ""),
    )  # fmt: skip


@pages.get("/findings/<int:finding_id>")
@needs("see_inspections")
def show(finding_id: int) -> str:
    """One finding: before and after side by side, what happened, what can be done."""
    return _show(finding_id)


def _show(finding_id: int, error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    row = _row(finding_id)
    told = journal.timeline(db(), "finding", finding_id)
    pictures = queries.photos(db(), finding_id)
    rule = queries.rules(db())[row["severity"]]
    stops = queries.stops_of(db(), row["site_id"]) if row["site_id"] is not None else []
    steps = _steps(row)
    naming = any(step.verb == "name_person" for step in steps)
    return render_template(
        "findings/show.html", row=row, told=told, names=names_of(db(), {e["user_id"] for e in told if e["user_id"]}),
        before=[p for p in pictures if p["part"] in ("before", "signature")], pictures=pictures,
        attempts=queries.attempts(db(), finding_id), rule=rule, steps=steps, stops=stops, error=error, typed=typed or {},
        people=queries.people_of(db(), row) if naming else [],
        on_site=queries.on_site(db(), row["site_id"]).values() if naming else [], kinds=sorted(PHOTO_KINDS), most=PHOTOS_PER_ANSWER,
        units=units(db()) if any(step.verb == "send" for step in steps) else [], pledges=PLEDGES_EN,
        may_stop=can("stop_works") and rule.may_stop and row["site_id"] is not None and row["stop_id"] is None
        and row["unit_id"] is not None and row["status"] in LIVE,
        notices=oversight.notice_of_finding(db(), scope(), finding_id),
    )  # fmt: skip


def _row(finding_id: int) -> Mapping[str, Any]:
    return queries.shown(db(), scope(), now(), finding_id if finding_id < _MOST_ID else 0)


def _steps(row: Mapping[str, Any]) -> list[Any]:
    """The buttons of the table, without a re-inspection that this person may not make."""
    if not can("move_finding"):
        return []
    bodies = (row["unit_id"], row["contractor_id"])
    free = may_reinspect(bodies, current_user.id, current_user.unit_id, True, row["answered_by"])
    return [s for s in finding_steps(row["status"], current_user.role) if free or s.verb not in ("pass", "fail")]


@pages.post("/findings/<int:finding_id>/steps")
@needs("move_finding")
def step(finding_id: int) -> Response | tuple[str, int]:
    """Move a finding by the table of its steps."""
    verb = forms.text("verb")
    _row(finding_id)
    if verb not in FINDING_STEPS:
        raise BadInput(reason="verb")
    if Role(current_user.role) not in FINDING_STEPS[verb].roles:
        raise NotAllowed()
    try:
        _step(finding_id, verb, forms.whole("base_version"))
    except ChengmaiError as error:
        db().rollback()
        return _show(finding_id, message(error), request.form), error.status
    return redirect(url_for("findings.show", finding_id=finding_id), 303)


def _step(finding_id: int, verb: str, version: int | None) -> None:
    if verb == "escalate":
        made = finding_notices.escalate(db(), who(), scope(), [finding_id], forms.text("words"), days(), version)
        flash(_("Notice %(no)s is issued.", no=made.notice_no), "done")
        return
    shown = []
    for picture in kept_pictures(PHOTOS_PER_ANSWER):
        actions.add_photo(db(), who(), picture.stored, picture.name)
        shown.append(verbs.Shown(picture.stored.sha256, who().now))
    said = verbs.Said(
        forms.text("words"), shown, forms.whole("unit_id"), *_named(forms.text("whose")), forms.whole("days"),
    )  # fmt: skip
    verbs.step(db(), who(), scope(), finding_id, verb, said, days(), base_version=version)


def _named(whose: str) -> tuple[int | None, int | None]:
    """Whose doing it was: somebody who has an account, or somebody of the contractor on the site."""
    if not whose:
        return None, None
    named = forms.one_of(whose, "user", "worker")
    if named is None:
        raise BadInput(reason="whose")
    return (named[1], None) if named[0] == "user" else (None, named[1])


@pages.post("/findings/<int:finding_id>/stop")
@needs("stop_works")
def stop(finding_id: int) -> Response | tuple[str, int]:
    """Stop the works at the site of a finding."""
    _row(finding_id)
    try:
        made = stop_work.stop(db(), who(), scope(), finding_id, forms.text("words"), zone())
    except ChengmaiError as error:
        db().rollback()
        return _show(finding_id, message(error), request.form), error.status
    flash(_("The works are stopped: %(no)s.", no=made.stop_no), "done")
    return redirect(url_for("findings.show", finding_id=finding_id), 303)


@pages.post("/findings/stops/<int:stop_id>/lift")
@needs("stop_works")
def lift(stop_id: int) -> Response | tuple[str, int]:
    """A supervisor lets the works go on, with a reason."""
    row = _stop(stop_id)
    try:
        stop_work.lift(db(), who(), scope(), stop_id, forms.text("words"), forms.whole("base_version"))
    except ChengmaiError as error:
        db().rollback()
        return _show(row["finding_id"], message(error), request.form), error.status
    flash(_("The works may go on."), "done")
    return redirect(url_for("findings.show", finding_id=row["finding_id"]), 303)


def _stop(stop_id: int) -> Mapping[str, Any]:
    return queries.stop_shown(db(), scope(), stop_id if stop_id < _MOST_ID else 0)


def issuer() -> str:
    """Whose papers these are."""
    found = oversight.issuers(db())
    return found[0].name if found else ""


@pages.get("/findings/<int:finding_id>.<any(docx, pdf):ending>")
@needs("see_inspections")
def paper(finding_id: int, ending: str) -> Response:
    """整改通知书."""
    row = _row(finding_id)
    return finding_papers.sent(finding_papers.notice(row, issuer(), zone()), ending, f"rectification-{finding_id}")


@pages.get("/findings/stops/<int:stop_id>.<any(docx, pdf):ending>")
@needs("see_inspections")
def stop_paper(stop_id: int, ending: str) -> Response:
    """停工令."""
    row = _stop(stop_id)
    return finding_papers.sent(
        finding_papers.stop(row, issuer(), zone()), ending, f"stop-{row['year']}-{row['number']}"
    )

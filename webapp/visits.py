"""Community visits, on-site supervision and the opinions gathered: where a campaign stands, the visits, the opinions in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import ChengmaiError
from gis.network.queries import station_names
from gis.oversight import outreach, outreach_queries
from gis.oversight.outreach_model import VisitCampaign
from gis.oversight.rules import TEXT_LIMITS, VisitKind
from gis.people.queries import units
from webapp import filters, forms, matters, opinion_sheets
from webapp.access import db, needs, now, scope, who
from webapp.filters import today, zone
from webapp.i18n import message
from webapp.oversight import campaign_paces

pages = Blueprint("visits", __name__)
LONGEST_CHART = 130


@pages.get("/oversight/visits")
@needs("see_oversight")
def index() -> str:
    """The campaigns with where they stand, and all visits."""
    return _index()


def _index(error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    kind = request.args.get("kind") or None
    page = filters.number("page", 1, 1, 10_000)
    total, rows = outreach_queries.visits(db(), scope(), kind=kind if kind in set(VisitKind) else None, page=page)
    campaigns = outreach_queries.campaigns(db())
    running = next((c for c in campaigns if c.starts_on <= today() <= c.ends_on), None)
    return render_template(
        "oversight/visits.html", campaigns=[(c, campaign_paces(c)) for c in campaigns], rows=rows, total=total, page=page,
        pages=max(1, -(-total // 50)), kind=kind, kinds=list(VisitKind), units=units(db()), running=running, now_at=now(),
        limits=TEXT_LIMITS, error=error, typed=typed or {}, today=today(), stations=station_names(db(), scope()),
    )  # fmt: skip


@pages.post("/oversight/campaigns")
@needs("keep_promises")
def begin() -> Response | tuple[str, int]:
    """Begin a campaign with its targets."""
    try:
        made = outreach.begin_campaign(
            db(), who(), forms.text("name"), forms.day("starts_on"), forms.day("ends_on"),
            forms.needed("visits_target"), forms.needed("opinions_target"), forms.text("source"),
        )  # fmt: skip
    except ChengmaiError as error:
        db().rollback()
        return _index(message(error), request.form), error.status
    return redirect(url_for("visits.campaign", campaign_id=made.id), 303)


@pages.get("/oversight/campaigns/<int:campaign_id>")
@needs("see_oversight")
def campaign(campaign_id: int) -> str:
    """Where a campaign stands against its pace, day by day, and what people say."""
    row = outreach_queries.campaign(db(), campaign_id if campaign_id < 1 << 62 else 0)
    page = filters.number("page", 1, 1, 10_000)
    total, rows = outreach_queries.visits(db(), scope(), campaign_id=campaign_id, page=page)
    by_day = outreach_queries.by_day(db(), scope(), campaign_id, zone().key)
    places = [
        (r["lon"], r["lat"]) for r in outreach_queries.visits(db(), scope(), campaign_id=campaign_id, size=2000)[1]
    ]
    return render_template(
        "oversight/campaign.html", row=row, paces=campaign_paces(row), reached=outreach_queries.reached(db(), scope(), campaign_id),
        chart=_chart(row, by_day), categories=outreach_queries.by_category(db(), scope(), campaign_id), rows=rows, total=total,
        page=page, pages=max(1, -(-total // 50)), today=today(), dots=_dots(places),
    )  # fmt: skip


def _chart(row: VisitCampaign, by_day: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Opinions gathered so far for each day of the campaign up to today, in percent of what was to be reached."""
    days = (row.ends_on - row.starts_on).days + 1
    if not row.opinions_target or days > LONGEST_CHART:
        return None
    told = {r["day"]: (int(r["visits"]), int(r["opinions"])) for r in by_day}
    sums, points = [0, 0], []
    for n in range(days):
        on = row.starts_on + timedelta(days=n)
        if on > today():
            break
        sums = [a + b for a, b in zip(sums, told.get(on, (0, 0)), strict=True)]
        points.append((n, sums[1] / row.opinions_target, sums[0] / row.visits_target if row.visits_target else 0.0))
    return {"days": days, "points": points}


def _dots(places: Sequence[tuple[float | None, float | None]]) -> dict[str, Any] | None:
    """Where the visits were, as a small drawing to scale: x and y in percent of its box."""
    known = [(x, y) for x, y in places if x is not None and y is not None]
    if not known:
        return None
    west, east = min(x for x, _y in known), max(x for x, _y in known)
    south, north = min(y for _x, y in known), max(y for _x, y in known)
    span = max((east - west) * 0.8, north - south, 0.002)  # 0.8: a degree of longitude is shorter here
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    dots = [(50 + (x - middle_x) * 0.8 / span * 92, 50 - (y - middle_y) / span * 92) for x, y in known]
    return {"dots": dots, "count": len(dots), "km": span * 111.32}


@pages.post("/oversight/visits")
@needs("hold_meetings")
def add() -> Response | tuple[str, int]:
    """Enter a visit or an on-site supervision."""
    try:
        made = outreach.visit(db(), who(), outreach.Visited(
            kind=forms.text("kind"), at=forms.moment("at"), place=forms.text("place"), campaign_id=forms.whole("campaign_id"),
            visitors=forms.text("visitors"), people=forms.whole("people", 0) or 0, found=forms.whole("found", 0) or 0,
            solved=forms.whole("solved", 0) or 0, note=forms.text("note"), unit_id=forms.whole("unit_id"),
            lon=forms.decimal("lon"), lat=forms.decimal("lat"), station_id=forms.whole("station_id"),
        ))  # fmt: skip
    except ChengmaiError as error:
        db().rollback()
        return _index(message(error), request.form), error.status
    return redirect(url_for("visits.show", visit_id=made.id), 303)


@pages.get("/oversight/visits/<int:visit_id>")
@needs("see_oversight")
def show(visit_id: int) -> str:
    """One visit and what was said there."""
    return _show(visit_id)


def _visit(visit_id: int) -> outreach_queries.Row:
    return outreach_queries.visit(db(), scope(), visit_id if visit_id < 1 << 62 else 0)


def _show(
    visit_id: int, error: str | None = None, typed: Mapping[str, str] | None = None, wrong: Sequence[Any] = ()
) -> str:
    return render_template(
        "oversight/visit.html", row=_visit(visit_id), raised=outreach_queries.matters(db(), scope(), visit_id=visit_id),
        categories=matters.choices(), error=error, typed=typed or {}, wrong=wrong,
    )  # fmt: skip


@pages.post("/oversight/visits/<int:visit_id>")
@needs("hold_meetings")
def gather(visit_id: int) -> Response | tuple[str, int]:
    """Write down an opinion that was gathered on this visit."""
    _visit(visit_id)
    try:
        matters.raised(visit_id=visit_id)
    except ChengmaiError as error:
        db().rollback()
        return _show(visit_id, message(error), request.form), error.status
    return redirect(url_for("visits.show", visit_id=visit_id), 303)


@pages.post("/oversight/visits/<int:visit_id>/opinions")
@needs("hold_meetings")
def opinions_in(visit_id: int) -> Response | tuple[str, int]:
    """Opinions from an Excel sheet: all of it, or the list of cells that are wrong and nothing."""
    _visit(visit_id)
    try:
        lines, wrong = opinion_sheets.read(request.files.get("file"), matters.choices())
        if wrong:
            return _show(
                visit_id, _("Nothing was taken in: correct these cells and send the file again."), None, wrong
            ), 422
        for line in lines:
            outreach.raise_matter(db(), who(), line.text, line.category, visit_id=visit_id, people=line.people)
    except ChengmaiError as error:
        db().rollback()
        return _show(visit_id, message(error)), error.status
    flash(_("Opinions taken in: %(n)s.", n=len(lines)), "done")
    return redirect(url_for("visits.show", visit_id=visit_id), 303)


@pages.get("/oversight/opinions.xlsx")
@needs("see_oversight")
def opinion_template() -> Response:
    """The empty sheet for opinions, with the categories."""
    return opinion_sheets.template(matters.choices())


@pages.get("/oversight/campaigns/<int:campaign_id>/opinions.xlsx")
@needs("see_oversight")
def opinions_out(campaign_id: int) -> Response:
    """All opinions of a campaign and what they became."""
    outreach_queries.campaign(db(), campaign_id if campaign_id < 1 << 62 else 0)
    return opinion_sheets.export(outreach_queries.matters(db(), scope(), campaign_id=campaign_id, limit=100_000))

"""Sites at the desk: the list with its map, one site with its people, notices, visits and history, and forms for all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from gis import journal
from gis.complaints.privacy import masked_door, masked_name
from gis.complaints.rules import PURPOSES
from gis.errors import ChengmaiError, Missing
from gis.inspections import round_queries, round_visits, site_queries, sites
from gis.inspections.rules import SIX_PLEDGES, Stage
from gis.inspections.rules import Scope as Works
from gis.inspections.site_model import SiteDoor
from gis.inspections.site_queries import MARKS, STATES, SitesLooked, When
from gis.inspections.site_rules import POSTED, REQUIRED, CertificateKind, Held, Trade, fit, not_posted, site_steps
from gis.inspections.sites import CertificateGiven, SiteGiven, WorkerGiven
from gis.people.queries import names_of, units
from gis.people.rules import UnitKind
from gis.places.queries import areas, extent
from gis.places.rules import AreaLevel
from webapp import forms
from webapp.access import can, db, needs, now, scope, who
from webapp.filters import number, today, zone
from webapp.i18n import message
from webapp.site_photos import kept_photo

pages = Blueprint("sites", __name__)
QUIET = frozenset({"unmask"})


def when() -> When:
    """Today by the city's clock, and how far back breaches count."""
    return When(today(), zone().key, int(round_queries.weights(db())["lookback_days"]))


def looked() -> SitesLooked:
    """The filters of the URL; what is none of the possible ones is left out."""
    args = request.args
    return SitesLooked(
        q=args.get("q", "").strip()[:100].replace("\0", ""), district=_id(args.get("district")), unit=_id(args.get("unit")),
        stage=_one(args.get("stage"), Stage), works=_one(args.get("works"), Works), state=_one(args.get("state"), STATES) or "open",
        mark=_one(args.get("mark"), MARKS),
    )  # fmt: skip


def _id(raw: str | None) -> int | None:
    return int(raw) if raw and raw.isascii() and raw.isdigit() and len(raw) < 18 else None


def _one(raw: str | None, possible: Any) -> str:
    return raw if raw in set(map(str, possible)) else ""


@pages.get("/sites")
@needs("see_inspections")
def index() -> str:
    """The sites of the scope, as a list and on the map."""
    asked, page = looked(), number("page", 1, 1, 100_000)
    total, rows = site_queries.listed(db(), scope(), asked, when(), page)
    return render_template(
        "sites/index.html", rows=rows, total=total, page=page, pages=max(1, -(-total // site_queries.PAGE)), asked=asked,
        districts=areas(db(), scope(), (AreaLevel.DISTRICT, AreaLevel.STREET)), units=_units(), stages=list(Stage), works=list(Works),
        states=STATES, marks=MARKS, call=site_queries.self_check(db()), today=today(), extent=extent(db(), scope()),
        narrowed=bool(request.args),
    )  # fmt: skip


def _units() -> list[Any]:
    return [u for u in units(db()) if scope().unit_id in (None, u.id)]


@pages.get("/sites.json")
@needs("see_inspections")
def on_map() -> dict[str, Any]:
    """What the list shows, as points for the map."""
    _total, rows = site_queries.listed(db(), scope(), looked(), when(), 1, site_queries.MAP_MOST)
    return {"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [r["lon"], r["lat"]]},
         "properties": {"id": r["id"], "name": r["name"], "stage": r["stage"], "breaches": r["breaches"], "unfit": r["unfit"],
                        "never": r["last_id"] is None}} for r in rows
    ]}  # fmt: skip


# --- one site --------------------------------------------------------------------------------------------------------
@pages.get("/sites/<int:site_id>")
@needs("see_inspections")
def show(site_id: int) -> str:
    """One site."""
    return _page(site_id)


def _page(site_id: int, revealed: sites.Revealed | None = None, error: str | None = None) -> str:
    row = site_queries.shown(db(), scope(), site_id, when()) if site_id < 1 << 62 else None
    if row is None:
        raise Missing(thing="site", id=site_id)
    notices = site_queries.notices(db(), site_id)
    happened = [e for e in journal.timeline(db(), "site", site_id) if e["verb"] not in QUIET or can("see_audit")]
    door = db().get(SiteDoor, site_id)
    return render_template(
        "sites/show.html", row=row, people=told_people(site_queries.people(db(), [site_id], gone=True), today(), revealed),
        door=(revealed.door_no if revealed else masked_door(door.door_no) if door else None), revealed=revealed is not None,
        notices=notices, posted_items={i.id: i for i in SIX_PLEDGES if i.id in POSTED}, checks=site_queries.checks(db(), site_id),
        lacking=not_posted(notices[0]["posted"] if notices else (), heating=row["is_heating"]), posted=POSTED,
        visits=round_queries.visits_of_site(db(), site_id, everything=can("see_rounds")), happened=happened,
        names=names_of(db(), {e["user_id"] for e in happened if e["user_id"]}), purposes=PURPOSES, today=today(), error=error,
        steps=site_steps(row["stage"], row["closed_at"] is not None, current_user.role) if can("edit_sites") else [],
        trades=list(Trade), kinds=list(CertificateKind), needed={str(t): str(k) for t, k in REQUIRED.items()},
        known_workers=[w | {"name": masked_name(w["name"])} for w in map(dict, _known(row))],
        inspectors=round_queries.inspectors(db(), scope(), today()) if can("plan_rounds") else [],
        extent=extent(db(), scope()), banned=site_queries.banned(db(), site_id, now()),
    )  # fmt: skip


def _known(row: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return site_queries.workers(db(), row["contractor_id"]) if row["contractor_id"] and can("edit_sites") else []


def told_people(
    rows: Sequence[Mapping[str, Any]], day: date, revealed: sites.Revealed | None = None
) -> list[dict[str, Any]]:
    """People as they are shown: the name masked, and whether they hold what their trade needs on that day."""
    told = []
    for row in rows:
        held = [Held(c["kind"], _date(c["valid_from"]), _date(c["valid_to"])) for c in row["certificates"]]
        name = revealed.names.get(row["id"]) if revealed else masked_name(row["name"])
        told.append(
            dict(row)
            | {"name": name, "fit": str(fit(row["trade"], held, day)), "needs": str(REQUIRED[Trade(row["trade"])])}
        )
    return told


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def act(site_id: int, verb: Callable[[], Any], done: str) -> Response:
    """Do something with a site and come back to it; what is refused is said there."""
    try:
        with db().begin_nested():
            verb()
        flash(done, "done")
    except Missing:
        raise
    except ChengmaiError as error:
        if error.status in (403, 412):
            raise
        flash(message(error), "error")
    return redirect(url_for("sites.show", site_id=site_id), 303)


@pages.post("/sites/<int:site_id>/unmask")
@needs("unmask_site")
def unmask(site_id: int) -> str:
    """The door and the names, once, for a purpose that the journal keeps."""
    try:
        with db().begin_nested():
            found = sites.reveal(db(), who(), scope(), site_id, request.form.get("purpose"))
    except Missing:
        raise
    except ChengmaiError as error:
        return _page(site_id, error=message(error))
    return _page(site_id, found)


@pages.post("/sites/<int:site_id>/steps")
@needs("edit_sites")
def step(site_id: int) -> Response:
    """Move a site on."""
    verb = forms.text("verb")
    return act(
        site_id,
        lambda: sites.take_step(
            db(),
            who(),
            scope(),
            current_user.role,
            site_id,
            verb,
            forms.text("note"),
            today(),
            forms.whole("base_version"),
        ),
        _("The site was moved on."),
    )


@pages.post("/sites/<int:site_id>/persons")
@needs("edit_sites")
def bring(site_id: int) -> Response:
    """Somebody comes onto the site."""
    given = WorkerGiven(forms.text("name"), forms.text("trade"), forms.whole("worker_id"), _certificates())
    return act(
        site_id, lambda: sites.bring_worker(db(), who(), scope(), site_id, given), _("The person is on the site now.")
    )


def _certificates() -> tuple[CertificateGiven, ...]:
    if not forms.text("certificate_no").strip():
        return ()
    return (CertificateGiven(forms.text("kind"), forms.text("certificate_no"), day("valid_from"), day("valid_to")),)


@pages.post("/sites/<int:site_id>/persons/<int:worker_id>/certificates")
@needs("edit_sites")
def certify(site_id: int, worker_id: int) -> Response:
    """Somebody shows a certificate."""
    given = CertificateGiven(forms.text("kind"), forms.text("certificate_no"), day("valid_from"), day("valid_to"))
    return act(
        site_id, lambda: sites.add_certificate(db(), who(), scope(), site_id, worker_id, given), _("The certificate is kept.")
    )  # fmt: skip


@pages.post("/sites/<int:site_id>/persons/<int:worker_id>/leave")
@needs("edit_sites")
def leave(site_id: int, worker_id: int) -> Response:
    """Somebody leaves the site."""
    return act(
        site_id,
        lambda: sites.dismiss_worker(db(), who(), scope(), site_id, worker_id),
        _("The person has left the site."),
    )


@pages.post("/sites/<int:site_id>/notices")
@needs("edit_sites")
def post_notice(site_id: int) -> Response:
    """What is posted at the site, with a photo."""
    file = request.files.get("photo")

    def verb() -> None:
        sha256 = kept_photo(file) if file is not None and file.filename else None
        sites.post_notice(db(), who(), scope(), site_id, request.form.getlist("posted"), forms.text("text"), sha256)

    return act(site_id, verb, _("What is posted is written down."))


@pages.post("/sites/<int:site_id>/visits")
@needs("plan_rounds")
def plan_visit(site_id: int) -> Response:
    """One visit outside of every round; a surprise visit is not told to the unit."""
    return act(
        site_id,
        lambda: round_visits.single(
            db(), who(), scope(), site_id, forms.needed("inspector_id"), forms.day("on_day"), today=today(),
            surprise=forms.text("surprise") == "1", reason=forms.text("reason"),
        ),
        _("The visit is planned."),
    )  # fmt: skip


@pages.post("/sites/<int:site_id>/visits/off")
@needs("plan_rounds")
def call_off(site_id: int) -> Response:
    """A visit is not made after all."""
    return act(
        site_id,
        lambda: round_visits.call_off(
            db(), who(), scope(), forms.needed("visit"), forms.text("reason"), forms.whole("base_version")
        ),
        _("The visit is called off."),
    )


@pages.post("/self-checks")
@needs("plan_rounds")
def call_self_check() -> Response:
    """Every unit is to inspect its own sites by a day."""
    sites.call_self_check(db(), who(), forms.day("from_on"), forms.day("due_on"), forms.text("note"))
    flash(_("Every open site is to be inspected by its own unit."), "done")
    return redirect(url_for("sites.index", mark="no_self_check"), 303)


# --- the form --------------------------------------------------------------------------------------------------------
@pages.get("/sites/new")
@needs("edit_sites")
def new() -> str:
    """An empty form with a map to draw on."""
    return _form(None, {})


@pages.get("/sites/<int:site_id>/edit")
@needs("edit_sites")
def edit(site_id: int) -> str:
    """The form of a site."""
    return _form(_editable(site_id), {})


def _editable(site_id: int) -> Mapping[str, Any]:
    row = site_queries.shown(db(), scope(), site_id, when()) if site_id < 1 << 62 else None
    if row is None:
        raise Missing(thing="site", id=site_id)
    return row


def _form(row: Mapping[str, Any] | None, typed: Mapping[str, str], error: str | None = None) -> str:
    known = units(db())
    return render_template(
        "sites/form.html", row=row, typed=typed, error=error, works=list(Works), extent=extent(db(), scope()),
        contractors=[u for u in known if u.kind == UnitKind.CONTRACTOR], units=[u for u in known if u.kind != UnitKind.CONTRACTOR],
        mine=scope().unit_id,
    )  # fmt: skip


@pages.post("/sites")
@needs("edit_sites")
def create() -> Response | tuple[str, int]:
    """Keep a new site."""
    try:
        with db().begin_nested():
            made = sites.create(db(), who(), scope(), _given())
    except ChengmaiError as error:
        return _form(None, request.form, message(error)), error.status
    return redirect(url_for("sites.show", site_id=made.id), 303)


@pages.post("/sites/<int:site_id>")
@needs("edit_sites")
def change(site_id: int) -> Response | tuple[str, int]:
    """Keep what was changed; 412 where somebody else was faster."""
    try:
        with db().begin_nested():
            sites.edit(db(), who(), scope(), site_id, _given(), forms.whole("base_version"))
    except Missing:
        raise
    except ChengmaiError as error:
        return _form(_editable(site_id), request.form, message(error)), error.status
    return redirect(url_for("sites.show", site_id=site_id), 303)


def _given() -> SiteGiven:
    door = forms.text("door_no")
    return SiteGiven(
        name=forms.text("name"), scope=forms.text("scope"), is_heating=forms.text("is_heating") == "1", code=forms.text("code"),
        unit_id=forms.whole("unit_id"), contractor_id=forms.whole("contractor_id"), address=forms.text("address"),
        door_no=door if door or forms.text("no_door") == "1" else None, note=forms.text("note"),
        planned_from=day("planned_from"), planned_to=day("planned_to"), lon=forms.decimal("lon"), lat=forms.decimal("lat"),
        ground=forms.text("ground"), building_id=forms.whole("building_id"),
    )  # fmt: skip


def day(name: str) -> date | None:
    """A day of the form, or None where nothing was typed."""
    return forms.day(name) if forms.text(name).strip() else None


@pages.get("/sites/building.json")
@needs("edit_sites")
def building() -> dict[str, Any]:
    """The building under a click, if one is known there."""
    try:
        lon, lat = float(request.args.get("lon", "")), float(request.args.get("lat", ""))
    except ValueError:
        return {"building": None}
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        return {"building": None}
    found = site_queries.building_at(db(), lon, lat)
    if found is None:
        return {"building": None}
    return {
        "building": {
            "id": found["id"],
            "code": found["code"],
            "name": found["name"],
            "ground": json.loads(found["ground"]),
        }
    }


def local(at: datetime) -> str:
    """A moment by the city's clock."""
    return at.astimezone(zone()).strftime("%Y-%m-%d %H:%M")

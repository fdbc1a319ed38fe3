"""Repeated complaints at the desk: what is similar while somebody types, merge and split, suspected duplicate groups."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.complaints import duplicates, incident_queries, repeat_queries, repeats
from gis.complaints import queries as complaint_queries
from gis.complaints.locking import locked
from gis.complaints.model import Complaint
from gis.complaints.privacy import masked_text, normal_phone
from gis.complaints.queries import Row, categories
from gis.complaints.repeat_rules import DUPLICATE_DAYS, DUPLICATE_M, KEY_FROM
from gis.complaints.rules import STEPS, BadPhone, clean
from gis.errors import BadInput, ChengmaiError
from gis.places.rules import check_coordinates
from webapp import cards
from webapp.access import can, db, needs, now, scope, who
from webapp.bodies import Body, body
from webapp.complaint_page import SECTIONS
from webapp.complaints import visible_complaint
from webapp.filters import number
from webapp.i18n import message
from webapp.step_forms import handles

pages = Blueprint("repeats", __name__)
GROUPS_SHOWN = 60
DAYS_BACK = 7


class SimilarBody(Body):
    """What is known of the call so far. A telephone number stands in the body: an address would be kept in logs."""

    category: str
    lon: float | None = None
    lat: float | None = None
    place: str = ""
    phone: str = ""
    words: str = ""
    but: int = 0


@pages.post("/complaints/similar.json")
@needs("receive_complaint")
def similar() -> list[dict[str, Any]]:
    """Open complaints that may be this matter, each with its reasons; a number that is still being typed matches nobody."""
    asked = body(SimilarBody)
    lon, lat = asked.lon, asked.lat
    if lon is not None and lat is not None:
        check_coordinates(lon, lat)
    found = repeat_queries.similar(
        db(), scope(), category=asked.category[:40].replace("\0", ""), lon=lon, lat=lat, phone=_whole(asked.phone),
        words=asked.words[:4000].replace("\0", ""), place=asked.place[:300].replace("\0", "").strip(), now=now(),
        but=asked.but,
    )  # fmt: skip
    return [cards.similar_json(row) for row in found]


def _whole(phone: str) -> str:
    try:
        return normal_phone(phone) if phone.strip() else ""
    except BadPhone:
        return ""


# --- merge and split: two of the steps ---------------------------------------------------------------------------------
@handles("merge")
def merge(verb: str, complaint: Complaint, base_version: int, given: dict[str, Any]) -> None:
    """Join it to another that this person may see."""
    into = visible_complaint(int(given.get("into") or 0))
    repeats.merge(db(), who(), complaint, into, base_version, note=given.get("note"))


@handles("split")
def split(verb: str, complaint: Complaint, base_version: int, given: dict[str, Any]) -> None:
    """Take it out again."""
    repeats.split(db(), who(), complaint, base_version, note=given.get("note"))


@pages.post("/complaints/<int:complaint_id>/merge")
@needs("merge_complaints")
def merge_form(complaint_id: int) -> Response:
    """The same from a plain form: into the complaint with this file number or id."""
    complaint = visible_complaint(complaint_id)
    back = request.form.get("back", "")
    try:
        into = named(request.form.get("into", ""))
        with db().begin_nested():
            repeats.merge(db(), who(), complaint, into, _version())
        flash(_("%(no)s now answers for it too.", no=into.hotline_no), "done")
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(_back(back, complaint_id), 303)


@pages.post("/complaints/<int:complaint_id>/split")
@needs("merge_complaints")
def split_form(complaint_id: int) -> Response:
    """Take a merged complaint out again: also the call-taker's undo of "+1"."""
    complaint = visible_complaint(complaint_id)
    try:
        with db().begin_nested():
            repeats.split(db(), who(), complaint, _version(), note=clean("note", request.form.get("note")) or None)
        flash(_("%(no)s is a matter of its own again.", no=complaint.hotline_no), "done")
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(_back(request.form.get("back", ""), complaint_id), 303)


def named(text: str) -> Complaint:
    """The complaint that somebody means by its file number, or by its id."""
    text = text.strip()
    found = repeat_queries.numbered(db(), scope(), text)
    if found is None:
        return visible_complaint(int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0)
    return found


def _version() -> int | None:
    raw = request.form.get("base_version", "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else None


def _back(where: str, complaint_id: int) -> str:
    """Where a form came from: one of our own pages by its name, else the complaint itself."""
    if where == "intake":
        return url_for("complaints.new")
    return url_for("repeats.groups") if where == "groups" else f"/complaints/{complaint_id}"


# --- suspected duplicate groups ------------------------------------------------------------------------------------------
@pages.get("/repeats")
@needs("merge_complaints")
def groups() -> str:
    """Open complaints of the last days that may be one matter, the largest group first."""
    days = number("days", DAYS_BACK, 1, 60)
    metres = number("metres", int(DUPLICATE_M), 5, 1000)
    found = duplicates.find(
        db(), scope(), since=now() - timedelta(days=days), only_open=True, radius_m=metres, days=DUPLICATE_DAYS,
    )  # fmt: skip
    shown = found.groups[:GROUPS_SHOWN]
    seen = repeat_queries.cards(db(), scope(), duplicates.all_ids(shown))
    lines = [{"group": group, "rows": _group_rows([seen[one] for one in group.ids if one in seen])} for group in shown]
    return render_template(
        "repeats/groups.html", lines=lines, found=found, days=days, metres=metres, within=DUPLICATE_DAYS, key_from=KEY_FROM,
        category_name=cards.category_name, categories=categories(db()),
    )  # fmt: skip


def _group_rows(rows: list[Row]) -> list[dict[str, Any]]:
    """The lines of a group, the main one first; what a crew has in hand besides cannot be merged into it."""
    ordered = sorted(rows, key=lambda row: (row["status"] in STEPS["merge"].before, row["received_at"], row["id"]))
    return [
        {**row, "place": masked_text(row["place"]), "can": row is ordered[0] or row["status"] in STEPS["merge"].before}
        for row in ordered
    ]


@pages.post("/repeats/radii")
@needs("edit_routing")
def radii() -> Response:
    """Keep within how many metres complaints of each category are offered as similar."""
    given = {code: int(m) for code, m in request.form.items() if m.isascii() and m.isdigit() and len(m) < 6}
    changed = repeats.set_radii(db(), who(), given)
    flash(_("%(n)s radii were changed.", n=changed), "done")
    return redirect(url_for("repeats.groups"), 303)


@pages.post("/repeats/merge")
@needs("merge_complaints")
def merge_group() -> Response:
    """Merge the chosen complaints of a group into the one that was received first: all of them or none."""
    versions: dict[int, int] = {}
    for pair in request.form.getlist("pick")[:500]:
        one, _dot, version = pair.partition(".")
        if not (one.isascii() and one.isdigit() and version.isascii() and version.isdigit() and len(pair) < 30):
            raise BadInput(reason="pick")
        versions[int(one)] = int(version)
    try:
        if len(versions) < 2:
            raise BadInput(reason="pick")
        for one in versions:
            visible_complaint(one)
        with db().begin_nested():
            main, others = repeats.merge_group(db(), who(), sorted(versions), versions)
        key = locked(db(), main.id).key_since is not None
        told = _("%(n)s complaints were joined to %(no)s.", n=len(others), no=main.hotline_no)
        flash(f"{told} {_('It is under key supervision now.') if key else ''}", "done")
    except ChengmaiError as error:
        flash(message(error), "error")
    return redirect(url_for("repeats.groups", **_kept()), 303)


def _kept() -> dict[str, str]:
    return {name: request.form[name] for name in ("days", "metres") if request.form.get(name, "").isdigit()}


# --- the complaint's own page ----------------------------------------------------------------------------------------
def group_section(row: Row) -> tuple[str, dict[str, Any]] | None:
    """Who else called about it, what it is merged into, its incident, and what it could be merged into."""
    main = complaint_queries.card(db(), scope(), row["merged_into_id"]) if row["merged_into_id"] else None
    hanging = repeat_queries.merged_into(db(), row["id"]) if row["repeat_count"] else []
    incident = incident_queries.of_complaint(db(), row["incident_id"])
    may_merge = can("merge_complaints") and row["status"] in STEPS["merge"].before
    near = cards.similar(row) if may_merge else []
    if not (main or row["merged_into_id"] or hanging or incident or near):
        return None
    places = [one | {"place": masked_text(one["place"])} for one in hanging]
    return "complaints/page/group.html", {
        "main": main, "hanging": places, "incident": incident, "near": near, "may_merge": may_merge,
        "reason_words": reason_words, "key_from": KEY_FROM,
    }  # fmt: skip


def reason_words(reason: dict[str, Any]) -> str:
    """Why something is similar, in words."""
    match reason["code"]:
        case "near":
            return _("%(n)s m away", n=reason["metres"])
        case "words":
            return _("both say “%(words)s”", words=" / ".join(reason["pieces"]))
        case "same_caller":
            return _("the same telephone number")
        case "same_place":
            return _("the same place")
        case _:
            return _("the same category")


SECTIONS.insert(1, group_section)

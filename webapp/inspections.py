"""Inspections at the desk: what was checked, one visit with its answers and photos, and changes that came twice."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import cos, radians
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from gis.errors import Missing
from gis.inspections import actions, amend, change_queries, queries
from gis.inspections.checklist_queries import checklists
from gis.inspections.form_answers import check_form, shown_text
from gis.inspections.forms import SIGNED, form_of, told
from gis.inspections.merge import differences
from gis.inspections.rules import PLEDGES_EN, PROBLEM_WORDS, Given, check, excluded, item_of
from gis.people.queries import units
from gis.places.queries import areas
from gis.places.rules import AreaLevel
from webapp import filters
from webapp.access import can as may_do
from webapp.access import db, needs, scope, who
from webapp.i18n import word

pages = Blueprint("inspections", __name__)
_SKETCH_PX = 160
_EARTH_M_PER_DEGREE = 111_320.0


@pages.get("/inspections")
@needs("see_inspections")
def index() -> str:
    """Every inspection in the scope, newest first, narrowed by the filters of the URL."""
    asked = filters.from_request()
    looked = queries.Looked(asked.district, asked.unit, asked.since, asked.until, request.args.get("no") == "1",
                            request.args.get("by", "") if request.args.get("by") in ("bureau", "self") else "")  # fmt: skip
    page = filters.number("page", 1, 1, 100_000)
    total, rows = queries.listed(db(), scope(), looked, page)
    waiting = _to_review() if may_do("review_conflict") else 0
    known_units = [u for u in units(db()) if scope().unit_id in (None, u.id)]
    return render_template(
        "inspections/index.html", rows=rows, total=total, page=page, pages=max(1, -(-total // queries.PAGE)), asked=looked,
        districts=areas(db(), scope(), (AreaLevel.DISTRICT, AreaLevel.STREET)), units=known_units, waiting=waiting,
        narrowed=bool(request.args),
    )  # fmt: skip


def _to_review() -> int:
    """How many things wait for somebody to look: pairs, disputes, what phones delivered into quarantine."""
    return sum(len(found) for found in (
        change_queries.conflicts(db(), scope()), amend.disputes(db(), scope()), change_queries.quarantine(db(), scope())
    ))  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One item of the checklist as it is shown: what was asked, what was answered, and what is missing."""

    id: str
    text: str
    evidence: str
    answer: str
    note: str
    problems: tuple[str, ...]
    photos: tuple[Mapping[str, Any], ...]
    value: str = ""


@pages.get("/inspections/<uuid:inspection_id>")
@needs("see_inspections")
def show(inspection_id: UUID) -> str:
    """One visit, its answers by pledge."""
    row = queries.shown(db(), scope(), inspection_id)
    if row is None:
        raise Missing(thing="inspection", id=inspection_id)
    pictures = queries.photos(db(), inspection_id)
    given = queries.answers(db(), inspection_id)
    groups = form_groups(row, given, pictures) if row["form"] else _pledges(row, given, pictures)
    known = {line.id for _title, lines in groups for line in lines}
    loose = [p for p in pictures if p["item_id"].removesuffix(SIGNED) not in known]
    return render_template("inspections/show.html", row=row, groups=groups, loose=loose, sketch=sketch(row),
                           corrections=_corrections(inspection_id), awaited=queries.awaited(db(), inspection_id))  # fmt: skip


def _pledges(
    row: Mapping[str, Any], given: Sequence[Mapping[str, Any]], pictures: Sequence[Mapping[str, Any]]
) -> list[tuple[str, list[Line]]]:
    lines = groupby(_lines(row, given, pictures), key=lambda line: int(line.id.partition(".")[0]))
    return [(f"{number} {_(PLEDGES_EN[number])}", list(group)) for number, group in lines]


def form_groups(
    row: Mapping[str, Any], given: Sequence[Mapping[str, Any]], pictures: Sequence[Mapping[str, Any]]
) -> list[tuple[str, list[Line]]]:
    """The answers to a form by its pages: what was answered or should have been, and what is missing."""
    form, language = form_of(row["form"]), "en" if str(get_locale()) == "en" else "zh"
    said = {g["item_id"]: g for g in given}
    answers = [Given(g["item_id"], g["answer"] or "", g["note"], g["value"] or "") for g in given]
    local = row["finished_at"].astimezone(filters.zone()).isoformat(timespec="seconds")
    problems = check_form(form, answers, {p["item_id"] for p in pictures}, local)
    missing = {p.item_id for p in problems if p.code == "unanswered"}
    titles = [told(page.label, language, form.default_language) for page in form.pages()]
    groups: list[tuple[str, list[Line]]] = [(f"{n} {title}".strip(), []) for n, title in enumerate(titles, 1)]
    for placed in form.items():
        item = placed.item
        shots = tuple(p for p in pictures if p["item_id"].removesuffix(SIGNED) == item.name)
        one = said.get(item.name)
        if one is None and item.name not in missing and not shots:
            continue
        value = (one["value"] or "") if one else ""
        groups[placed.page][1].append(Line(
            item.name, told(item.label, language, form.default_language) or item.name, "", (one["answer"] or "") if one else "",
            one["note"] if one else "", tuple(PROBLEM_WORDS[p.code] for p in problems if p.item_id == item.name), shots,
            shown_text(form, item, value, lambda label: told(dict(label), language, form.default_language)),
        ))  # fmt: skip
    return [group for group in groups if group[1]]


def _corrections(inspection_id: UUID) -> list[dict[str, Any]]:
    """Who corrected what after it was sent: where, what stood there, what stands since."""
    texts, made = _item_texts(), []
    for row in amend.history(db(), inspection_id):
        lines = []
        for path, value in sorted(row["sets"].items()):
            item_id, _dot, field = path.rpartition(".")
            name = f"{item_id} {texts.get(item_id, '')} · " if item_id else ""
            lines.append((name + word("visit_field", field), _plain(f".{field}", row["before"].get(path)),
                          _plain(f".{field}", value)))  # fmt: skip
        made.append({"row": row, "lines": lines})
    return made


def _lines(
    row: Mapping[str, Any], given: Sequence[Mapping[str, Any]], pictures: Sequence[Mapping[str, Any]]
) -> list[Line]:
    """Items that were asked or answered, with what the rules say is missing."""
    items = [item_of(raw) for raw in row["items"] or ()]
    said = {g["item_id"]: g for g in given}
    answers = [Given(g["item_id"], g["answer"], g["note"]) for g in given]
    heating = bool(row["heating"])
    problems = check(items, row["scope"], row["stage"], heating, answers, {p["item_id"] for p in pictures})
    missing = {p.item_id for p in problems if p.code == "unanswered"}
    english = str(get_locale()) == "en"
    lines = []
    for item in items:
        if item.id not in said and (item.id not in missing or excluded(item, row["scope"], row["stage"], heating)):
            continue
        one = said.get(item.id)
        lines.append(Line(
            item.id, item.en if english else item.zh, word("evidence", item.evidence), one["answer"] if one else "", one["note"] if one else "",
            tuple(PROBLEM_WORDS[p.code] for p in problems if p.item_id == item.id and one),
            tuple(p for p in pictures if p["item_id"] == item.id),
        ))  # fmt: skip
    return lines


def sketch(row: Mapping[str, Any]) -> dict[str, float] | None:
    """Where the phone was seen from the place: a drawing to scale, in pixels around the middle. None without a position."""
    if row["lon"] is None or row["place_lon"] is None:
        return None
    east = (row["lon"] - row["place_lon"]) * _EARTH_M_PER_DEGREE * cos(radians(row["place_lat"]))
    north = (row["lat"] - row["place_lat"]) * _EARTH_M_PER_DEGREE
    accuracy = row["position_accuracy_m"] or 0.0
    reach = max(50.0, (east**2 + north**2) ** 0.5 + accuracy)
    scale = (_SKETCH_PX / 2 - 8) / reach
    ruler = next(m for m in (10_000_000, 1_000_000, 100_000, 10_000, 1000, 500, 200, 100, 50, 20) if m * scale <= 60)
    middle = _SKETCH_PX / 2
    return {
        "size": _SKETCH_PX, "middle": middle, "x": middle + east * scale, "y": middle - north * scale,
        "radius": max(4.0, accuracy * scale), "ruler_m": ruler, "ruler": ruler * scale,
    }  # fmt: skip


@pages.get("/inspections/review")
@needs("review_conflict")
def review() -> str:
    """Changes that came twice under one id with different contents, side by side; and changes that were not applied."""
    everything = request.args.get("all") == "1"
    texts = _item_texts()
    pairs = [
        (row, _differences(row, texts)) for row in change_queries.conflicts(db(), scope(), reviewed_too=everything)
    ]
    refused = [
        (row, json.dumps(row["body"], ensure_ascii=False, indent=1))
        for row in change_queries.not_applied(db(), scope())
    ]
    disputes = [_dispute(one, texts) for one in amend.disputes(db(), scope())]
    apart = len(change_queries.quarantine(db(), scope()))
    return render_template("inspections/review.html", pairs=pairs, refused=refused, everything=everything,
                           disputes=disputes, held=change_queries.held(db(), scope()), apart=apart)  # fmt: skip


def _dispute(one: amend.Dispute, texts: Mapping[str, str]) -> dict[str, Any]:
    """A disputed property in words, with what each side says."""
    item_id, _dot, field = one.path.rpartition(".")
    name = (
        f"{item_id} {texts.get(item_id, '')} · {word('visit_field', field)}" if item_id else word("visit_field", field)
    )
    sides = [
        {"id": side["id"], "author": side["author"], "at": side["at"], "reason": side["reason"],
         "value": _plain(f".{field}", side["sets"][one.path])} for side in one.sides
    ]  # fmt: skip
    return {"inspection_id": one.inspection_id, "place": one.place, "path": one.path, "name": name, "sides": sides}


@pages.post("/inspections/<uuid:inspection_id>/choose")
@needs("review_conflict")
def chosen(inspection_id: UUID) -> Response:
    """Of two corrections of one property, the one that stands."""
    try:
        side = UUID(request.form.get("chosen", ""))
    except ValueError as error:
        raise Missing(thing="change", id="?") from error
    amend.choose(db(), who(), scope(), uuid4(), inspection_id, request.form.get("path", ""), side, filters.zone())
    return redirect(url_for("inspections.review"))


def _item_texts() -> dict[str, str]:
    """Item id -> what is asked, in the reader's language."""
    language = "en" if str(get_locale()) == "en" else "zh"
    texts = {item["id"]: item[language] for checklist in checklists(db()) for item in checklist.items}
    for checklist in checklists(db()):
        if checklist.form is not None:
            form = form_of(checklist.form)
            texts |= {p.item.name: told(p.item.label, language, form.default_language) for p in form.items()}
    return texts


_PATH = re.compile(r"payload\.(?P<list>answers|photos)\[(?P<key>[^\]]*)\](?:\.(?P<field>.*))?")


def _differences(row: Mapping[str, Any], texts: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Where the two contents differ, in words: `1.1 公示安装设计 · 答案`."""
    found = differences(row["kept"], row["came"])
    return [(_place(d.path, texts), _plain(d.path, d.kept), _plain(d.path, d.came)) for d in found]


def _place(path: str, texts: Mapping[str, str]) -> str:
    match = _PATH.fullmatch(path)
    if match is None:
        return word("visit_field", path.removeprefix("payload."))
    key = match["key"]
    head = f"{key} {texts.get(key, '')}".strip() if match["list"] == "answers" else f"{_('Photo')} {key[:12]}"
    return f"{head} · {word('visit_field', match['field'])}" if match["field"] else head


def _plain(path: str, value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, dict) and "answer" in value:
        return f"{word('answer', value['answer'])} {value.get('note', '')}".strip()
    if path.endswith(".answer"):
        return word("answer", value)
    if value is None or value == "":
        return "—"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@pages.post("/inspections/review/<int:variant_id>")
@needs("review_conflict")
def reviewed(variant_id: int) -> Response:
    """Somebody has looked."""
    actions.review(db(), who(), scope(), variant_id)
    return redirect(url_for("inspections.review"))

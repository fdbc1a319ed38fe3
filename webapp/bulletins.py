"""Bulletins: the daily notice, the weekly report, the monthly bulletin. The URL is the view; every figure opens its list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.complaints.privacy import masked_text
from gis.errors import BadInput, ChengmaiError, Missing
from gis.oversight import counting_actions as actions
from gis.oversight import counting_queries as asking
from gis.oversight import rollup_queries
from gis.oversight.bulletins import Question, asked_of, bulletin, current
from gis.oversight.counting_model import BulletinIssue
from gis.oversight.counting_queries import Counting, Narrow
from gis.oversight.periods import Period, PeriodKind
from gis.oversight.rates import MEASURES, RANKED, TREND_DAYS, RateKey
from webapp import bulletin_files, bulletin_words, charts
from webapp import filters as filtering
from webapp.access import db, needs, now, scope, who
from webapp.bulletin_words import Json
from webapp.i18n import message, word

pages = Blueprint("bulletins", __name__)
FORMATS = "json,xlsx,docx,pdf"
PAGE_ROWS = 100
KEPT_ARGUMENTS = ("period", "on", "to", "district", "unit", "rank")


@dataclass(frozen=True)
class View:
    """What the URL asks for."""

    question: Question
    arguments: dict[str, str]

    def with_(self, **changes: Any) -> dict[str, Any]:
        """The same view with something else in it, as arguments of `url_for`; None takes something out."""
        return {key: value for key, value in {**self.arguments, **changes}.items() if value not in (None, "")}


@pages.get("/bulletins")
@needs("see_bulletins")
def index() -> Any:
    """A bulletin as it stands now. Without a day: the week of the latest complaint, written into the URL."""
    if not request.args.get("on"):
        day = current(db(), scope(), filtering.zone(), now())
        return redirect(url_for("bulletins.index", **{"period": "week", **_arguments(), "on": day.isoformat()}))
    try:
        view = _view()
        body = _body(view)
    except ChengmaiError as error:
        return render_template(
            "bulletins/index.html", problem=message(error), view=None, words=bulletin_words, **_choices(None)
        ), error.status
    return render_template("bulletins/index.html", problem="", view=view, **_shown(body, view), **_choices(view))


@pages.get(f"/bulletins.<any({FORMATS}):format>")
@needs("see_bulletins")
def as_file(format: str) -> Response:
    """The same view as a file."""
    view = _view()
    return _file(format, _body(view), None)


@pages.get("/bulletins/rows")
@needs("see_bulletins")
def rows() -> str:
    """The complaints behind one figure."""
    view = _view()
    measure = request.args.get("measure", "")
    if measure not in MEASURES:
        raise BadInput(reason="measure")
    asked = asked_of(db(), scope(), view.question)
    span, narrow = view.question.period.span(filtering.zone(), now()), _narrow()
    many = asking.how_many(db(), asked, span, measure, narrow)
    pages_most = max(1, -(-many // PAGE_ROWS))
    page = min(filtering.number("page", 1, 1, 10**6), pages_most)
    found = asking.rows(db(), asked, span, measure, narrow, limit=PAGE_ROWS, offset=(page - 1) * PAGE_ROWS)
    more = {key: request.args[key] for key in ("measure", "row", "key") if key in request.args}
    return render_template(
        "bulletins/rows.html", view=view, measure=MEASURES[measure], many=many, rows=found, page=page, pages_most=pages_most,
        more=more, row_name=_row_name() if many else "", words=bulletin_words, masked=masked_text,
    )  # fmt: skip


@pages.get("/bulletins/issues")
@needs("see_bulletins")
def issues() -> str:
    """What was published, newest first."""
    kind = request.args.get("period") or None
    if kind is not None and kind not in set(PeriodKind):
        raise BadInput(reason="period")
    found = asking.issues(db(), scope(), kind)
    return render_template(
        "bulletins/issues.html",
        issues=[_told(row) for row in found],
        kinds=list(PeriodKind),
        kind=kind,
        words=bulletin_words,
    )


@pages.post("/bulletins/issues")
@needs("publish_bulletin")
def publish() -> Response:
    """Keep what the form shows as the next issue; a correction names the issue it corrects."""
    form = request.form
    view = _view(form)
    old = _issue(_id(form["corrects"], "corrects")) if form.get("corrects") else None
    issue = actions.publish(
        db(), who(), scope(), view.question, filtering.zone(), corrects=old, reason=form.get("reason", "")
    )
    flash(_("Published as issue %(number)s of %(year)s.", number=issue.number, year=issue.year), "done")
    return redirect(url_for("bulletins.show", issue_id=issue.id), 303)


@pages.get("/bulletins/issues/<int:issue_id>")
@needs("see_bulletins")
def show(issue_id: int) -> str:
    """A published bulletin as it was printed."""
    row = _issue(issue_id)
    return render_template("bulletins/issue.html", issue=_told(row), view=None, **_shown(row.body, None))


@pages.get(f"/bulletins/issues/<int:issue_id>.<any({FORMATS}):format>")
@needs("see_bulletins")
def issue_file(issue_id: int, format: str) -> Response:
    """A published bulletin as a file: the same figures for ever."""
    row = _issue(issue_id)
    return _file(format, row.body, _told(row))


@pages.post("/bulletins/baselines")
@needs("publish_bulletin")
def baseline() -> Response:
    """Set what is asked for, from a day on."""
    form = request.form
    actions.set_baseline(db(), who(), rate=form.get("rate", ""), percent=form.get("percent", "").strip().rstrip("%"),
                         valid_from=_day(form.get("valid_from", ""), "valid_from"), source=form.get("source", ""))  # fmt: skip
    flash(_("The baseline is set."), "done")
    return redirect(url_for("bulletins.index", **{k: form[k] for k in KEPT_ARGUMENTS if form.get(k)}), 303)


@pages.get("/complaints/trend.json")
@needs("see_complaints")
def trend() -> list[Json]:
    """How many were received and closed on each of the last ninety days, by the filters of the list."""
    zone = filtering.zone()
    days = filtering.number("days", TREND_DAYS, 1, 366)
    found = rollup_queries.trend(db(), scope(), filtering.from_request(), now().astimezone(zone).date(), days, zone)
    return [{"day": row.day.isoformat(), "received": row.received, "closed": row.closed} for row in found]


# --- what the URL says ----------------------------------------------------------------------------------------------------
def _arguments() -> dict[str, str]:
    return {key: request.args[key] for key in KEPT_ARGUMENTS if request.args.get(key)}


def _view(given: Any = None) -> View:
    """The query string (or a form), checked."""
    given = request.args if given is None else given
    kind = given.get("period") or "week"
    if kind not in set(PeriodKind):
        raise BadInput(reason="period")
    last = _day(given["to"], "to") if given.get("to") and kind == PeriodKind.RANGE else None
    period = Period.of(kind, _day(given.get("on", ""), "on"), last)
    rank = given.get("rank") or RateKey.ON_TIME
    if rank not in RANKED:
        raise BadInput(reason="rank")
    ids = {key: _id(given[key], key) if given.get(key) else None for key in ("district", "unit")}
    kept = {key: str(given[key]) for key in KEPT_ARGUMENTS if given.get(key)}
    question = Question(period, ids["district"], ids["unit"], RateKey(rank), counting())
    return View(question, kept)


def counting() -> Counting:
    """What this bureau decided about counting."""
    settings = current_app.config["SETTINGS"]
    return Counting(settings.response_hours, settings.basically_satisfied)


def _day(raw: str, name: str) -> date:
    try:
        return date.fromisoformat(raw.strip())
    except ValueError:
        raise BadInput(reason=name) from None


def _id(raw: str, name: str) -> int:
    if not (raw.isascii() and raw.isdigit() and len(raw) < 19):
        raise BadInput(reason=name)
    return int(raw)


def _narrow() -> Narrow:
    """Which row of which table was opened: `row` names the table, `key` the row."""
    row, key = request.args.get("row", ""), request.args.get("key", "")
    if row not in ("", "area", "unit", "channel", "category") or "\0" in key or len(key) > 40:
        raise BadInput(reason="row")
    if not row:
        return Narrow()
    return Narrow(**{row: _id(key, "key") if row in ("area", "unit") else key})  # type: ignore[arg-type]


def _row_name() -> str:
    """What the opened row is called."""
    row, key = request.args.get("row", ""), request.args.get("key", "")
    if row in ("area", "unit"):
        names = (asking.area_names if row == "area" else asking.unit_names)(db(), [_id(key, "key")])
        return names.get(int(key)) or bulletin_words.name_of({"key": None, "name": None}, row)
    if row == "channel":
        return word("channel", key)
    if row != "category":
        return ""
    chinese, english = asking.category_names(db()).get(key, (word("category_group", key),) * 2)
    return bulletin_words.name_of({"key": key, "name": chinese, "name_en": english}, "category")


# --- what is shown -----------------------------------------------------------------------------------------------------------
def _body(view: View) -> Json:
    body = bulletin(db(), scope(), view.question, filtering.zone(), now()).as_dict()
    if current_app.config["SETTINGS"].demo:
        body["subject"]["synthetic"] = True
    return body


def _issue(issue_id: int) -> BulletinIssue:
    row = asking.issue(db(), scope(), issue_id) if issue_id < 1 << 62 else None
    if row is None:
        raise Missing(thing="bulletin", id=issue_id)
    return row


def _told(row: BulletinIssue) -> Json:
    """An issue beside its body."""
    old = asking.issue(db(), scope(), row.corrects_id) if row.corrects_id else None
    return {
        "id": row.id, "kind": row.kind, "year": row.year, "number": row.number, "first": row.first.isoformat(),
        "last": row.last.isoformat(), "published_at": row.published_at.isoformat(), "reason": row.reason,
        "corrects": f"{old.year}-{old.number}" if old else None, "corrects_id": row.corrects_id,
        "about": " · ".join(n for n in (row.body["subject"]["area"], row.body["subject"]["unit"]) if n),
    }  # fmt: skip


def _file(kind: str, body: Json, issue: Json | None) -> Response:
    data, mimetype = bulletin_files.write(kind, body, issue, asking.bureau(db()))
    name = bulletin_files.file_name(body, issue, kind)
    return Response(data, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _shown(body: Json, view: View | None) -> Json:
    """Everything the template shows of a bulletin, live or kept."""
    return {
        "body": body, "words": bulletin_words, "charts": charts, "chart": bulletin_files.trend_chart(body),
        "summary": bulletin_files.summary(body), "rates": {row["key"]: row for row in body["rates"]},
        "counts": {row["key"]: row["count"] for row in body["figures"]}, "publisher": asking.bureau(db()),
        "apart": current_app.config["SETTINGS"].unreachable_apart,
        "measure_words": {row["key"]: row for row in body["definitions"]},
    }  # fmt: skip


def _choices(view: View | None) -> Json:
    """What the form offers, and the periods beside this one."""
    areas, units = asking.choices(db(), scope())
    beside: Json = {"earlier": None, "later": None, "latest": None}
    today = now().astimezone(filtering.zone()).date()
    if view is not None:
        period = view.question.period
        later = period.last + timedelta(days=1)
        beside["earlier"] = view.with_(**_ends(period.previous()))
        if later <= today:
            following = Period.of(period.kind, later, later + timedelta(days=period.days - 1))
            beside["later"] = view.with_(**_ends(following))
        asked, bound = view.question, scope()
        area = asked.district if asked.district is not None else bound.area_id
        unit = asked.unit if asked.unit is not None else bound.unit_id
        beside["latest"] = asking.published(db(), period.kind, period.first, period.last, area, unit)
    return {"areas": areas, "units": units, "kinds": list(PeriodKind), "ranked": RANKED, "today": today, **beside}


def _ends(period: Period) -> dict[str, str | None]:
    last = period.last.isoformat() if period.kind is PeriodKind.RANGE else None
    return {"on": period.first.isoformat(), "to": last}

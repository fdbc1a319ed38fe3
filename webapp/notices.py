"""Supervision notices at the desk: what calls for one, the list, one notice with its steps, its Word and PDF, the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from gis import journal
from gis.complaints.queries import units_with_complaints
from gis.errors import BadInput, ChengmaiError, NotAllowed
from gis.inspections.rules import PLEDGES
from gis.oversight import notices, queries
from gis.oversight.rules import LONGEST_NOTICE, NOTICE_STEPS, RULES, NoticeReason, NoticeStatus, notice_steps
from gis.people.queries import names_of
from gis.people.rules import Role
from gis.places.queries import working_days
from webapp import filters, forms, notice_files
from webapp.access import can, db, needs, now, scope, who
from webapp.filters import zone
from webapp.i18n import message
from webapp.notice_paper import paper

pages = Blueprint("notices", __name__)
SHOWN = ("", "open", "overdue", *NoticeStatus)


@pages.get("/oversight/notices")
@needs("see_oversight")
def index() -> str:
    """Proposals with one click to issue them, and the list of notices."""
    return _index()


def _index(error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    status = request.args.get("status", "")
    if status not in SHOWN:
        raise BadInput(reason="status")
    page, unit = filters.number("page", 1, 1, 100_000), filters.number("unit", 0, 0, 1 << 29) or None
    total, rows = queries.notices(db(), scope(), now(), status=status, unit=unit, page=page)
    issuing = can("issue_notice")
    return render_template(
        "oversight/notices.html", rows=rows, total=total, page=page, pages=max(1, -(-total // queries.PAGE)),
        proposals=queries.proposals(db(), scope(), now()) if issuing else [], issuers=queries.issuers(db()) if issuing else [],
        units=units_with_complaints(db(), scope()), status=status, unit=unit, statuses=list(NoticeStatus),
        reasons=[r for r in NoticeReason if r != NoticeReason.FINDING], days=queries.number(db(), "notice_days"), seed=RULES["notice_days"],
        longest=LONGEST_NOTICE, error=error, typed=typed or {},
    )  # fmt: skip


@pages.post("/oversight/notices")
@needs("issue_notice")
def issue() -> Response | tuple[str, int]:
    """Issue a notice: about the ticked complaints of a proposal, or about those whose numbers were typed."""
    try:
        ids = forms.chosen("complaint")
        if forms.text("numbers"):
            ids += [row["id"] for row in queries.chosen(db(), scope(), forms.text("numbers"))]
        asked = notices.Demand(
            reason=forms.text("reason"), complaint_ids=ids, issuer_id=forms.whole("issuer_id"),
            limit_days=forms.whole("limit_days"), text=forms.text("demand"),
        )  # fmt: skip
        made = notices.issue(db(), who(), scope(), asked, calendar=working_days(db()), zone=zone())
        if request.form.get("send"):
            notices.step(db(), who(), scope(), made.id, "send", base_version=made.version)
    except ChengmaiError as error:
        if error.status == 404:
            raise
        db().rollback()
        return _index(message(error), request.form), error.status
    flash(_("Notice %(no)s is issued.", no=made.notice_no), "done")
    return redirect(url_for("notices.show", notice_id=made.id), 303)


@pages.get("/oversight/notices/<int:notice_id>")
@needs("see_oversight")
def show(notice_id: int) -> str:
    """One notice: what it is about, where it stands, what can be done."""
    return _show(notice_id)


def _show(notice_id: int, error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    row = _notice(notice_id)
    told = journal.timeline(db(), "supervision_notice", notice_id)
    return render_template(
        "oversight/notice.html", row=row, cases=queries.about(db(), notice_id), findings=queries.about_findings(db(), notice_id), told=told,
        names=names_of(db(), {e["user_id"] for e in told if e["user_id"]}), steps=_steps(row["status"]),
        late=row["status"] in ("sent", "acknowledged", "escalated") and row["reply_by"] < now(),
        paper=_paper(row), error=error, typed=typed or {},
    )  # fmt: skip


def _notice(notice_id: int) -> queries.Row:
    return queries.notice(db(), scope(), notice_id if notice_id < 1 << 62 else 0)


def _steps(status: str) -> list[Any]:
    return notice_steps(status, current_user.role) if current_user.role in set(Role) else []


def _paper(row: queries.Row) -> Any:
    cases = queries.about(db(), row["id"]) if row["reason"] != NoticeReason.FINDING else [
        {"hotline_no": f["item_id"], "received_at": f["found_at"], "place": f["place"], "description": f"{f['item_zh']} {f['note']}",
         "category_zh": PLEDGES.get(f["pledge_no"], "检查"), "resolve_by": f["rectify_by"] or row["reply_by"]}
        for f in queries.about_findings(db(), row["id"])
    ]  # fmt: skip
    return paper(row, cases, zone())


@pages.post("/oversight/notices/<int:notice_id>/steps")
@needs("answer_notice")
def step(notice_id: int) -> Response | tuple[str, int]:
    """Move a notice by the table of its steps."""
    verb = forms.text("verb")
    _notice(notice_id)
    if verb not in NOTICE_STEPS:
        raise BadInput(reason="verb")
    if Role(current_user.role) not in NOTICE_STEPS[verb].roles:
        raise NotAllowed()
    try:
        version = forms.whole("base_version")
        notices.step(db(), who(), scope(), notice_id, verb, base_version=version, words=forms.text("words"))
    except ChengmaiError as error:
        db().rollback()
        return _show(notice_id, message(error), request.form), error.status
    return redirect(url_for("notices.show", notice_id=notice_id), 303)


@pages.get("/oversight/notices/<int:notice_id>.docx")
@needs("see_oversight")
def word(notice_id: int) -> Response:
    """The notice as a Word file that can be edited."""
    row = _notice(notice_id)
    return _file(notice_files.word(_paper(row)), notice_files.DOCX, row, "docx")


@pages.get("/oversight/notices/<int:notice_id>.pdf")
@needs("see_oversight")
def pdf(notice_id: int) -> Response:
    """The notice as it is printed."""
    row = _notice(notice_id)
    return _file(notice_files.pdf(_paper(row)), "application/pdf", row, "pdf")


def _file(data: bytes, mime: str, row: queries.Row, ending: str) -> Response:
    answer = Response(data, mimetype=mime)
    name = f"supervision-notice-{row['year']}-{row['number']}.{ending}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


# --- the template ----------------------------------------------------------------------------------------------------
@pages.get("/oversight/template")
@needs("edit_oversight")
def template() -> str:
    """The Word template: take it away, change it, put it back."""
    return _template_page()


def _template_page(error: str | None = None) -> str:
    names = [name for name in notice_files.SAMPLE.as_dict() if name not in ("cases", "labels", "extra")]
    cases = list(notice_files.SAMPLE.as_dict()["cases"][0])
    own = notice_files.is_own()
    return render_template("oversight/template.html", own=own, names=names, cases=cases, error=error)


@pages.get("/oversight/template.docx")
@needs("edit_oversight")
def template_file() -> Response:
    """The template that is used now."""
    answer = Response(notice_files.template(), mimetype=notice_files.DOCX)
    answer.headers["Content-Disposition"] = 'attachment; filename="notice-template.docx"'
    return answer


@pages.post("/oversight/template")
@needs("edit_oversight")
def put_template() -> Response | tuple[str, int]:
    """From now on notices are made from this file; `reset` goes back to the house's own."""
    given = request.files.get("file")
    try:
        if request.form.get("reset"):
            notice_files.forget_template()
        elif given is None or not given.filename:
            raise BadInput(reason="file")
        else:
            notice_files.keep_template(given.stream.read())
    except ChengmaiError as error:
        return _template_page(message(error)), error.status
    verb = "reset_template" if request.form.get("reset") else "put_template"
    journal.write(db(), who(), verb, "notice_template", "notice")
    flash(_("The template is changed."), "done")
    return redirect(url_for("notices.template"), 303)

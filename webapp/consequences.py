"""Consequences at the desk: what is proposed, in force, appealed and over; the written rules, which everybody can read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from gis import journal
from gis.errors import BadInput, ChengmaiError, Missing, NotAllowed
from gis.inspections import consequence_queries as queries
from gis.inspections import consequences as verbs
from gis.inspections.consequence_rules import (
    CONSEQUENCE_STEPS,
    RULE_LIMITS,
    ConsequenceKind,
    ConsequenceStatus,
    Counted,
    Subject,
    consequence_steps,
)
from gis.inspections.finding_rules import Severity
from gis.people.queries import names_of
from gis.people.rules import Role
from webapp import filters, finding_papers, forms
from webapp.access import can, db, needs, now, public, scope, who
from webapp.filters import zone
from webapp.findings import days, issuer
from webapp.i18n import message

pages = Blueprint("consequences", __name__)
_MOST_ID = 1 << 62


@pages.get("/consequences")
@needs("see_inspections")
def index() -> str:
    """What waits for a decision first; a unit sees what concerns it."""
    status, kind = request.args.get("status", ""), request.args.get("kind", "")
    if status not in ("", *ConsequenceStatus) or kind not in ("", *ConsequenceKind):
        raise BadInput(reason="status" if status not in ("", *ConsequenceStatus) else "kind")
    page = filters.number("page", 1, 1, 100_000)
    total, rows = queries.listed(db(), scope(), status=status, kind=kind, page=page)
    return render_template(
        "consequences/index.html", rows=rows, total=total, page=page, pages=max(1, -(-total // queries.PAGE)), status=status,
        kind=kind, statuses=list(ConsequenceStatus), kinds=list(ConsequenceKind), narrowed=bool(status or kind),
        written=bool(queries.rules(db(), active=True)),
    )  # fmt: skip


@pages.post("/consequences/look")
@needs("edit_inspection_rules")
def look() -> Response:
    """Ask the rules now, instead of at the next full hour."""
    ended, made = verbs.expire(db(), who()), verbs.propose(db(), who())
    flash(_("%(made)s proposed, %(ended)s ended.", made=made, ended=ended), "done")
    return redirect(url_for("consequences.index"), 303)


@pages.get("/consequences/<int:consequence_id>")
@needs("see_inspections")
def show(consequence_id: int) -> str:
    """One consequence: by which rule, on what grounds, decided by whom, and what can be done."""
    return _show(consequence_id)


def _show(consequence_id: int, error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    row = _row(consequence_id)
    told = journal.timeline(db(), "consequence", consequence_id)
    return render_template(
        "consequences/show.html", row=row, told=told, names=names_of(db(), {e["user_id"] for e in told if e["user_id"]}),
        found=queries.findings_of(db(), row["basis"]), steps=_steps(row), error=error, typed=typed or {},
    )  # fmt: skip


def _row(consequence_id: int) -> Mapping[str, Any]:
    return queries.shown(db(), scope(), consequence_id if consequence_id < _MOST_ID else 0)


def _steps(row: Mapping[str, Any]) -> list[Any]:
    """The buttons of the table, without those that would be refused to this person."""
    if not can("move_consequence"):
        return []
    possible = consequence_steps(row["status"], current_user.role)
    own = row["unit_id"] or row["person_unit_id"]
    in_time = row["appeal_decided_at"] is None and row["appeal_by"] is not None and now() <= row["appeal_by"]
    refused = set()
    if not in_time or own != current_user.unit_id:
        refused.add("appeal")
    if row["decided_by"] == current_user.id:
        refused |= {"uphold", "revoke"}
    return [step for step in possible if step.verb not in refused]


@pages.post("/consequences/<int:consequence_id>/steps")
@needs("move_consequence")
def step(consequence_id: int) -> Response | tuple[str, int]:
    """Move a consequence by the table of its steps."""
    verb = forms.text("verb")
    _row(consequence_id)
    if verb not in CONSEQUENCE_STEPS:
        raise BadInput(reason="verb")
    if Role(current_user.role) not in CONSEQUENCE_STEPS[verb].roles:
        raise NotAllowed()
    try:
        version = forms.whole("base_version")
        verbs.step(db(), who(), scope(), consequence_id, verb, forms.text("words"), days(), base_version=version)
    except ChengmaiError as error:
        db().rollback()
        return _show(consequence_id, message(error), request.form), error.status
    return redirect(url_for("consequences.show", consequence_id=consequence_id), 303)


@pages.get("/consequences/<int:consequence_id>.<any(docx, pdf):ending>")
@needs("see_inspections")
def paper(consequence_id: int, ending: str) -> Response:
    """处理决定书: there is one as soon as it was decided."""
    row = _row(consequence_id)
    if row["decision_no"] is None:
        raise Missing(thing="decision", id=consequence_id)
    found = queries.findings_of(db(), row["basis"])
    if row["worker_id"] is not None:  # the paper must say whom it means; the pages do not
        journal.write(
            db(), who(), "unmask", "consequence", consequence_id, unit_id=row["person_unit_id"], purpose="decision"
        )
    return finding_papers.sent(
        finding_papers.decision(row, found, issuer(), zone()), ending, f"decision-{consequence_id}"
    )


# --- the written rules -----------------------------------------------------------------------------------------------
@pages.get("/consequences/rules")
@public
def rules() -> str:
    """The rules as they stand, for anybody to read."""
    return _rules()


def _rules(error: str | None = None, typed: Mapping[str, str] | None = None) -> str:
    return render_template(
        "consequences/rules.html", rules=queries.rules(db()), subjects=list(Subject), measures=list(Counted),
        severities=list(Severity), kinds=list(ConsequenceKind), limits=RULE_LIMITS, error=error, typed=typed or {},
    )  # fmt: skip


@pages.post("/consequences/rules")
@needs("edit_inspection_rules")
def put_rule() -> Response | tuple[str, int]:
    """Write a rule, or another version of one."""
    try:
        values: dict[str, Any] = {
            name: forms.text(name) for name in ("name", "subject", "measure", "severity", "kind", "source", "active")
        }
        values |= {name: forms.needed(name) for name in RULE_LIMITS}
        verbs.put_rule(db(), who(), values, rule_id=forms.whole("id"), base_version=forms.whole("base_version"))
    except ChengmaiError as error:
        db().rollback()
        return _rules(message(error), request.form), error.status
    flash(_("The rule is written. What was proposed before keeps the words it was proposed by."), "done")
    return redirect(url_for("consequences.rules"), 303)

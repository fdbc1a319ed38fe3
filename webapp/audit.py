"""The journal's proof on the screen: what is sealed, what was signed, what the last checks found."""

from __future__ import annotations

import json

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user

from gis import jobs
from gis.audit import queries
from webapp.access import can, db, needs
from webapp.worklist import adds

pages = Blueprint("audit", __name__)
SHOWN = 60


@adds("journal_broken")
def broken() -> tuple[int, str]:
    """What the last check found broken, for whoever may see it."""
    last = queries.checks(db(), 1) if can("see_audit") else []
    return last[0].broken_count if last else 0, url_for("audit.index")


@pages.get("/audit")
@needs("see_audit")
def index() -> str:
    """Sealed and signed rows, and every check."""
    heads = queries.heads(db())
    return render_template(
        "audit/index.html", sealed=queries.sealed_rows(db()), unsealed=queries.unsealed(db()), checks=queries.checks(db()),
        heads=[(head, queries.document(head)) for head in reversed(heads[-SHOWN:])], count=len(heads),
    )  # fmt: skip


@pages.post("/audit/check")
@needs("see_audit")
def check() -> Response:
    """Have the worker check everything now. A second one is not asked for while the first waits."""
    if jobs.waiting(db(), "check_journal"):
        flash(_("A check is waiting already."), "done")
    else:
        jobs.defer(db(), "check_journal", {"user_id": current_user.id}, lock="check_journal")
        flash(_("The worker is checking; come back in a moment."), "done")
    return redirect(url_for("audit.index"), 303)  # type: ignore[return-value]


@pages.get("/audit/heads.json")
@needs("see_audit")
def heads() -> Response:
    """Every signed head, for somebody outside to keep: `chengmai audit verify --heads` reads the file."""
    told = [queries.document(head) for head in queries.heads(db())]
    answer = Response(json.dumps(told, indent=1), content_type="application/json")
    answer.headers["Content-Disposition"] = "attachment; filename=journal-heads.json"
    return answer

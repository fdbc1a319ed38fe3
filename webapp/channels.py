"""How complaints reach the bureau: the companies' lines of a hotline, and how often the public page may be asked."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.complaints import lines
from gis.complaints.channels import UTILITY_HOTLINES, Channel
from gis.errors import BadInput, ChengmaiError
from gis.people.queries import units
from gis.portal import actions, queries
from gis.portal.rules import Asked
from webapp.access import db, needs, who
from webapp.i18n import message

pages = Blueprint("channels", __name__, url_prefix="/channels")
MOST, LONGEST_MIN = 100_000, 525_600


@pages.get("")
@needs("administer")
def index() -> str:
    """All channels, their lines, and the limits of the public page."""
    return render_template(
        "channels/index.html", channels=[c for c in Channel if c != Channel.IMPORTED], hotlines=[c for c in Channel if c in UTILITY_HOTLINES],
        lines=lines.lines(db(), every=True), units=units(db()), limits=queries.limits(db()),
    )  # fmt: skip


def _back(done: str | None, error: ChengmaiError | None = None) -> Response:
    flash(message(error) if error else str(done), "error" if error else "done")
    return redirect(url_for("channels.index"), 303)


@pages.post("/lines")
@needs("administer")
def add() -> Response:
    """Open a line of a company."""
    form = request.form
    unit = form.get("unit_id", "")
    try:
        with db().begin_nested():
            line = lines.add_line(
                db(), who(), form.get("channel", ""), form.get("name", ""),
                int(unit) if unit.isascii() and unit.isdigit() and len(unit) < 19 else None, form.get("phone"),
            )  # fmt: skip
    except ChengmaiError as error:
        return _back(None, error)
    return _back(_("Added %(name)s.", name=line.name))


@pages.post("/lines/<int:line_id>")
@needs("administer")
def switch(line_id: int) -> Response:
    """Close a line, or open it again."""
    form = request.form
    try:
        with db().begin_nested():
            lines.switch_line(db(), who(), line_id, _whole("base_version", 1 << 30), form.get("active") == "1")
    except ChengmaiError as error:
        return _back(None, error)
    return _back(_("Saved."))


@pages.post("/limits/<kind>")
@needs("administer")
def set_limit(kind: str) -> Response:
    """Another number for a limit of the public page, with its source."""
    if kind not in set(Asked):
        raise BadInput(reason="kind")
    source = request.form.get("source", "").strip()[:200]
    try:
        most, minutes = _whole("most", MOST), _whole("within_min", LONGEST_MIN)
        if not source:
            raise BadInput(reason="source")
        actions.set_limit(db(), who(), Asked(kind), most, minutes, source)
    except ChengmaiError as error:
        return _back(None, error)
    return _back(_("Saved."))


def _whole(name: str, most: int) -> int:
    raw = request.form.get(name, "")
    if not (raw.isascii() and raw.isdigit() and len(raw) < 10 and 1 <= int(raw) <= most):
        raise BadInput(reason=f"{name}: 1-{most}")
    return int(raw)

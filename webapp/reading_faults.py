"""What came and could not be kept as a reading: by day, object and kind, with an example."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template, request

from gis.errors import BadInput
from gis.network import reading_queries as asking
from gis.network.reading_rules import FaultKind
from webapp.access import db, needs, scope
from webapp.filters import number, today

pages = Blueprint("reading_faults", __name__)


@pages.get("/readings/faults")
@needs("see_network")
def index() -> str:
    """Faults of the last days, the newest first."""
    kind, days = request.args.get("kind", ""), number("days", 7, 1, 366)
    if kind and kind not in set(FaultKind):
        raise BadInput(reason="kind")
    rows = asking.faults(db(), scope(), today() - timedelta(days=days - 1), kind or None)
    return render_template("readings/faults.html", rows=rows, kinds=list(FaultKind), kind=kind, days=days)

"""Readings from programs: one address that takes a batch, as JSON or as CSV, with a body's key."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request

from gis.errors import BadInput, TooLarge
from gis.network.reading_actions import keep
from gis.network.reading_rules import FromWhere
from gis.settings import Settings
from webapp.access import db
from webapp.api_keys import caller_scope, caller_who, key_needs

pages = Blueprint("telemetry", __name__, url_prefix="/telemetry/v1")
NO_COOKIES = True  # a key speaks here, never a cookie
READINGS_MOST = 50_000


class NoReadings(BadInput):
    """Send {"readings": [{"point": …, "at": …, "value": …}, …]} as JSON, or a CSV file with these columns."""

    code = "no_readings"


@pages.post("/readings")
@key_needs("send_readings")
def receive() -> Response:
    """Keep a batch. Sent again it changes nothing; what cannot be kept is told by object and kind, the rest is kept."""
    rows = _csv() if request.mimetype == "text/csv" else _json()
    if len(rows) > READINGS_MOST:
        raise TooLarge(limit=f"{READINGS_MOST:,}")
    settings: Settings = current_app.config["SETTINGS"]
    ahead = timedelta(seconds=settings.reading_ahead_s)
    return jsonify(keep(db(), caller_who(), caller_scope(), rows, FromWhere.API, ahead=ahead).as_dict())


def _json() -> list[Any]:
    said = request.get_json(silent=True)
    rows = said.get("readings") if isinstance(said, dict) else said
    if not isinstance(rows, list):
        raise NoReadings()
    return rows


def _csv() -> list[Any]:
    try:
        rows = list(csv.DictReader(request.get_data(as_text=True).lstrip("\ufeff").splitlines(), restkey="_"))
    except (csv.Error, UnicodeDecodeError):
        raise NoReadings() from None
    if not rows or not {"point", "at", "value"} <= set(rows[0]):
        raise NoReadings()
    return rows

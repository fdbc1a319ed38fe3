"""The complaints of a view as a file. The columns are named here, so a caller's can never slip in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, request, stream_with_context
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints import queries
from gis.complaints.privacy import masked_text
from gis.complaints.queries import Filters
from gis.complaints.rules import time_state
from gis.errors import BadInput
from gis.people.rules import Scope
from webapp.access import db, needs, now, scope, who
from webapp.cards import category_name
from webapp.exports import Cell, csv_answer, xlsx_answer
from webapp.filters import from_request, zone
from webapp.i18n import word

pages = Blueprint("complaints_export", __name__)
ENCODINGS = {"utf-8": "utf-8-sig", "gb18030": "gb18030", "gbk": "gbk"}


class NotInGbk(BadInput):
    """GBK has no %(signs)s (first in %(number)s); take GB18030 or UTF-8, nothing is lost there."""

    code = "not_in_gbk"


def heading() -> list[str]:
    """The titles of the columns, in the reader's language."""
    return [
        _("Number"), _("Channel"), _("Category code"), _("Category"), _("Status"), _("Promise"), _("Clock"),
        _("Received at"), _("To be closed by"), _("Closed at"), _("Place"), _("Description"), _("District"),
        _("Answering unit"), _("Longitude"), _("Latitude"), _("Located"), _("Synthetic"),
    ]  # fmt: skip


def _cells(row: Any, words: dict[tuple[str, str], str], local: Any, at: Any) -> list[Cell]:
    def say(kind: str, value: str) -> str:
        return words.setdefault((kind, value), word(kind, value))

    state = time_state(row["received_at"], row["resolve_by"], at, row["closed_at"], row["paused_at"])
    closed = row["closed_at"].astimezone(local) if row["closed_at"] else None
    return [
        row["hotline_no"], say("channel", row["channel"]), row["category"], category_name(row),
        say("status", row["status"]), say("complexity", row["complexity"]), say("time_state", str(state)),
        row["received_at"].astimezone(local), row["resolve_by"].astimezone(local), closed, masked_text(row["place"]),
        masked_text(row["description"]), row["district"], row["unit"], row["lon"], row["lat"],
        say("located", row["located"]), say("yes_no", "yes" if row["synthetic"] else "no"),
    ]  # fmt: skip


def rows(within: Scope, filters: Filters) -> Iterator[list[Cell]]:
    """Row after row from a cursor of the server, in a session of its own: the request's ends before the file does."""
    at, local, words = now(), zone(), {}
    session: Session = current_app.extensions["sessions"]()
    with session:
        asked = queries.everything(session, within, filters, at).execution_options(yield_per=1000)
        for row in session.execute(asked).mappings():
            yield _cells(row, words, local, at)


def begin(kind: str) -> tuple[Scope, Filters, int, str]:
    """Write down that a file was taken away, and of how many rows."""
    filters, within = from_request(), scope()
    count = queries.total(db(), within, filters, now())
    journal.write(db(), who(), "export", "complaints", kind, area_id=within.area_id, unit_id=within.unit_id, rows=count)
    return within, filters, count, f"complaints-{now().astimezone(zone()):%Y%m%d-%H%M}"


@pages.get("/complaints.csv")
@needs("export")
def as_csv() -> Response:
    """What the same query string shows in the list, as CSV: UTF-8 with its mark, or `encoding=gb18030` or `gbk`."""
    encoding = request.args.get("encoding", "utf-8")
    if encoding not in ENCODINGS:
        raise BadInput(reason=f"encoding: {', '.join(ENCODINGS)}")
    within, filters, _count, name = begin("csv")
    if encoding == "gbk":
        refuse_what_gbk_lacks(rows(within, filters))
    return csv_answer(name, heading(), stream_with_context(rows(within, filters)), ENCODINGS[encoding])


def refuse_what_gbk_lacks(found: Iterator[list[Cell]]) -> None:
    """Raise NotInGbk where a character would be lost, before one byte is sent. GB18030 has them all."""
    lacking: dict[str, str] = {}
    for row in found:
        for cell in row:
            if isinstance(cell, str) and not cell.isascii():
                try:
                    cell.encode("gbk")
                except UnicodeEncodeError:
                    for sign in set(cell):
                        try:
                            sign.encode("gbk")
                        except UnicodeEncodeError:
                            lacking.setdefault(sign, str(row[0]))
        if len(lacking) > 20:
            break
    if lacking:
        raise NotInGbk(signs=" ".join(list(lacking)[:20]), number=next(iter(lacking.values())))


@pages.get("/complaints.xlsx")
@needs("export")
def as_xlsx() -> Response:
    """What the same query string shows in the list, as a workbook."""
    within, filters, count, name = begin("xlsx")
    return xlsx_answer(name, _("Complaints"), heading(), rows(within, filters), count)

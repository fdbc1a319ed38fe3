"""What a program told beside a complaint, on the complaint's page at the desk: whose program, its answers, its picture's address."""

from __future__ import annotations

from typing import Any

from flask_babel import get_locale

from gis.complaints import georeport_queries as queries
from gis.complaints.georeport_rules import ATTRIBUTES, Attribute
from gis.complaints.queries import Row
from webapp import complaint_page
from webapp.access import can, db


def reported_by_program(row: Row) -> tuple[str, dict[str, Any]] | None:
    """Nothing for a complaint that came another way. The address of a picture is text: nobody's browser follows it unasked."""
    beside = queries.beside(db(), row["id"]) if row["channel"] == "open311" else None
    if beside is None:
        return None
    asked = {attribute.code: attribute for attribute in ATTRIBUTES.get(row["category"], ())}
    answers = [_said(asked.get(code), code, values) for code, values in beside.answers.items()]
    told = queries.key_told(db(), beside.key_id)
    return "complaints/page/open311.html", {
        "beside": beside, "answers": answers, "key": told, "sees_device": can("unmask_caller"),
    }  # fmt: skip


def _said(attribute: Attribute | None, code: str, values: list[str]) -> tuple[str, str]:
    """A question and its answer in the reader's language."""
    if attribute is None:
        return code, ", ".join(values)
    english = str(get_locale()) == "en"
    words = {key: en if english else zh for key, zh, en in attribute.values}
    return attribute.name_en if english else attribute.name, ", ".join(words.get(value, value) for value in values)


complaint_page.SECTIONS.insert(1, reported_by_program)

"""Which steps the desk offers, and their forms, made from the table: a button is shown when its step could be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gis.complaints import law_queries
from gis.complaints.model import Complaint
from gis.complaints.rules import STEPS, Field, possible
from webapp.access import db
from webapp.i18n import word

Handler = Callable[[str, Complaint, int, dict[str, Any]], object]
HANDLERS: dict[str, Handler] = {}


def handles(*verbs: str) -> Callable[[Handler], Handler]:
    """The decorated function makes these steps: it gets the verb, the complaint, the version its maker saw, the evidence."""

    def keep(handler: Handler) -> Handler:
        for verb in verbs:
            if verb not in STEPS or HANDLERS.get(verb, handler) is not handler:
                raise ValueError(f"step {verb}")
            HANDLERS[verb] = handler
        return handler

    return keep


@dataclass(frozen=True)
class Offer:
    """The steps of one complaint that somebody is offered, each with the fields of its form in the reader's language."""

    verbs: list[str]
    forms: dict[str, list[dict[str, Any]]]


def offer(row: Mapping[str, Any], role: str) -> Offer:
    """The steps that the desk offers somebody: possible, theirs, to the point, and with a function behind them."""
    verbs = [verb for verb in possible(row["status"], role) if verb in HANDLERS]
    conditional = any(STEPS[verb].needs or STEPS[verb].unless for verb in verbs)
    facts, measures = law_queries.facts(db(), row["id"]) if conditional else (set(), [])
    verbs = [v for v in verbs if (not STEPS[v].needs or STEPS[v].needs in facts) and STEPS[v].unless not in facts]
    return Offer(verbs, {verb: [_field(field, measures) for field in STEPS[verb].fields] for verb in verbs})


def _field(field: Field, measures: list[str]) -> dict[str, Any]:
    choices = [{"code": code, "name": word(field.name, code)} for code in field.choices]
    if field.kind == "measure":
        choices = [{"code": name, "name": name} for name in measures]
    return {"name": field.name, "kind": "choice" if choices else field.kind, "required": field.required,
            "choices": choices, "label": word("field", field.name)}  # fmt: skip

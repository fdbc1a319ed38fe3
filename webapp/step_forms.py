"""Which steps the desk offers, and their forms, made from the table: a button is shown when its step could be made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gis.complaints.model import Complaint
from gis.complaints.rules import STEPS, Field, possible
from webapp.i18n import word

Handler = Callable[[str, Complaint, int, dict[str, Any]], object]
HANDLERS: dict[str, Handler] = {}
# The kind of word that a field's choices are.
WORDS = {"ground": "ground", "cause": "cause", "reason": "reason"}


def handles(*verbs: str) -> Callable[[Handler], Handler]:
    """The decorated function makes these steps: it gets the verb, the complaint, the version its maker saw, the evidence."""

    def keep(handler: Handler) -> Handler:
        for verb in verbs:
            if verb not in STEPS or HANDLERS.get(verb, handler) is not handler:
                raise ValueError(f"step {verb}")
            HANDLERS[verb] = handler
        return handler

    return keep


def offered(status: str, role: str) -> list[str]:
    """The steps that this desk offers somebody here: possible, theirs, and with a function behind them."""
    return [verb for verb in possible(status, role) if verb in HANDLERS]


def forms(verbs: list[str]) -> dict[str, list[dict[str, Any]]]:
    """What each of these steps asks for, in the reader's language: the fields of its form."""
    return {verb: [_field(field) for field in STEPS[verb].fields] for verb in verbs}


def _field(field: Field) -> dict[str, Any]:
    choices = [{"code": code, "name": word(WORDS[field.name], code)} for code in field.choices]
    return {"name": field.name, "kind": field.kind, "required": field.required, "choices": choices,
            "label": word("field", field.name)}  # fmt: skip

"""Sentences about plans: why an order has no place, what has changed since, what failed, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gis.dispatch.plan_rules import CHANGES, PlanStale

Translate = Callable[[str], str]

# Code of `plan_rules.UNSERVED` -> message id.
UNSERVED: dict[str, str] = {
    "place_unknown": "The place is not known: put it on the map first",
    "no_skill": "No crew on duty has the skill with a valid certificate",
    "site_stopped": "Works at the place are stopped, and only crews of that unit have the skill",
    "none_on_shift": "No crew that may do it is on duty that day",
    "closes_too_soon": "Nobody who may do it can be there in the time agreed",
    "no_time_left": "The work does not fit into what is left of any shift",
    "crews_full": "The %(n)s crews that may do it are full",
}
FAILED: dict[str, str] = {"plan_nothing": "No crew is on duty that day: nothing can be planned"}


def plain(text: str) -> str:
    return text


def unserved(code: str, params: Mapping[str, Any], say: Translate = plain) -> str:
    """Why an order is in no crew's day."""
    return say(UNSERVED[code]) % params


def failed(code: str, say: Translate = plain) -> str:
    """Why a proposal could not be made."""
    return say(FAILED.get(code, "The search broke off; please try again"))


def stale(error: PlanStale, say: Translate = plain) -> PlanStale:
    """The same refusal with its changes in the reader's language."""
    return PlanStale(error.changes, what=say("; ").join(_changes(error.changes, say)))


def _changes(changes: Iterable[tuple[str, Mapping[str, Any]]], say: Translate) -> list[str]:
    return [say(CHANGES[code]) % params for code, params in changes]

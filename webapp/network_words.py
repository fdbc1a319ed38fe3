"""What is wrong with a network, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from webapp.i18n import word


def sentence(finding: Mapping[str, Any]) -> str:
    """One finding in words; the object and the place stand beside it."""
    kind, detail = finding["kind"], finding["detail"]
    told = {"other": finding["other_code"], "metres": _metres(finding["metres"]), "n": detail}
    if kind == "valve_off_pipe" and detail == "taken":
        return _("The valve lies %(metres)s m beside %(other)s; it is taken to be on it.", **told)
    if kind == "valve_off_pipe" and detail == "moved":
        return _(
            "The valve is said to be on %(other)s, %(metres)s m away; it lies on another pipe and is taken to be on that.",
            **told,
        )
    if kind == "valve_off_pipe" and finding["metres"] is None:
        return _("The valve is on no pipe, and none is near.")
    if kind.endswith("_off_pipe") and kind != "valve_off_pipe":
        sides = ", ".join(word("side", side) for side in detail.split(",") if side)
        return _("No pipe reaches it: %(sides)s.", sides=sides) if sides else _("No pipe reaches it.")
    if kind == "no_flow" and detail:
        return _("None of %(n)s pipes says whether it is supply or return; all are taken as supply.", **told)
    return {
        "bad_geometry": _("The pipe is not drawn so that it can be used: a place is missing or is no number."),
        "zero_length": _("The pipe has no length."),
        "duplicate": _("The pipe is drawn twice: it lies along %(other)s.", **told),
        "near_miss": _("The end lies %(metres)s m from %(other)s and does not join it.", **told),
        "valve_off_pipe": _("The valve is on no pipe; the nearest, %(other)s, is %(metres)s m away.", **told),
        "no_source": _("%(n)s pipes (%(metres)s m) hang together, and no source or station feeds them.", **told),
        "no_flow": _("It is not said whether this pipe is supply or return; it is taken as supply."),
        "swapped": _(
            "Supply and return are probably swapped: it goes on where %(other)s of the other direction ends.", **told
        ),
    }[kind]


def _metres(metres: float | None) -> str:
    if metres is None:
        return "—"
    return f"{metres:,.1f}" if metres < 100 else f"{metres:,.0f}"

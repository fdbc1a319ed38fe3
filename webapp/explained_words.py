"""Explanations of calls in words: the name of a failure, its evidence, how sure it is, what callers are told."""

from __future__ import annotations

import math
from typing import Any

from flask_babel import gettext as _

from gis.complaints.explaining import Cause, Named, explain
from gis.complaints.explaining_rules import NotANetwork
from gis.complaints.privacy import masked_text
from gis.complaints.repeat_rules import SUSPECT_HOURS
from webapp.access import db, now, scope
from webapp.i18n import word

# Log odds against chance in words: from 99.99 % on nearly certain, from 95 % on likely.
SURE, LIKELY = math.log(0.9999 / 0.0001), math.log(0.95 / 0.05)


def named(thing: Named) -> str:
    """A thing with its kind; of what may belong to several utilities also which."""
    name = masked_text(thing.name)
    if thing.kind not in ("station", "customer"):
        name = f"{word('asset', thing.kind)} {name}"
    return f"{name} · {word('utility', thing.utility)}" if thing.utility else name


def title_of(cause: Cause) -> str:
    """The place and the thing, as a crew would be sent."""
    thing = cause.things[0]
    kind = word("asset_of", f"{cause.utility}.{thing.kind}") if thing.kind in ("pipeline", "valve") else ""
    name = f"{kind} {thing.name}" if kind else named(thing)
    place = cause.areas[0] if cause.areas and cause.areas[0] not in name else ""
    return f"{place} · {name}" if place else name


def evidence(cause: Cause) -> list[tuple[str, str]]:
    """What speaks for it and against it, in sentences: (for, against or check, sentence)."""
    ranked = cause.ranked
    told = [("for", _("%(utility)s: %(k)s of %(n)s households under it called", utility=word("utility", utility), k=k, n=n))
            for utility, n, k in cause.share]  # fmt: skip
    told.append(("for", _("without a failure about %(n)s would have called in these hours", n=_few(ranked.expected))))
    told.append(
        (
            "for",
            _(
                "everywhere else: %(k)s of %(n)s, each network counted apart",
                k=ranked.outside_calls,
                n=ranked.outside_households,
            ),
        )
    )
    if len({utility for utility, _n, k in cause.share if k}) > 1:
        told.append(("for", _("one failure explains the calls of several utilities")))
    for thing, n in cause.silent:
        told.append(("against", _("nobody called from %(name)s (%(n)s households)", name=named(thing), n=n)))
    if len(cause.things) + cause.more > 1:
        names = _listed([named(one) for one in cause.things[1:]], cause.more)
        told.append(("check", _("calls cannot tell it from: %(names)s", names=names)))
    if cause.valves:
        told.append(
            ("check", _("check these valves first: %(names)s", names=_listed([one.name for one in cause.valves])))
        )
    if cause.stations:
        told.append(
            ("check", _("read these stations first: %(names)s", names=_listed([one.name for one in cause.stations])))
        )
    return told


def _listed(names: list[str], more: int = 0) -> str:
    listed = _(", ").join(names)
    return _("%(names)s and %(n)s more", names=listed, n=more) if more else listed


def _few(n: float) -> str:
    return f"{n:.2g}" if n < 10 else f"{n:.0f}"


def sure(odds: float) -> tuple[str, str]:
    """How much likelier than chance: a colour and a word."""
    if odds >= SURE:
        return "red", _("nearly certain")
    return ("orange", _("likely")) if odds >= LIKELY else ("yellow", _("possible"))


def less(difference: float) -> str:
    """How much less likely, as a person says it."""
    if difference < math.log(1.5):
        return _("about as likely")
    times = math.exp(min(difference, 12.0))
    return _("more than 1,000 times less likely") if times > 1000 else _("%(n)s times less likely", n=f"{times:.0f}")


def notice_of(cause: Cause) -> str:
    """What callers are told until it is repaired; the dispatcher may change it."""
    places = _listed(cause.areas[:3], max(len(cause.areas) - 3, 0))
    lost = _(", ").join(word("utility", utility) for utility, _n, _k in cause.share)
    return _(
        "%(lost)s is cut off at %(places)s; the cause is being repaired. Whoever called will be told.",
        lost=lost,
        places=places,
    )


def summary() -> dict[str, Any] | None:
    """For the page of incidents: what is explained at the moment, and which complaints need no other suspect."""
    try:
        found = explain(db(), scope(), now(), hours=SUSPECT_HOURS)
    except NotANetwork:
        return None
    causes = [one_of[0] for one_of in found.causes]
    return {"causes": [{"title": title_of(one), "calls": one.ranked.calls, "sure": sure(one.ranked.odds)} for one in causes],
            "ids": {number for one in causes for number in one.ids}, "calls": found.placed}  # fmt: skip

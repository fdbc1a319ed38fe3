"""Sentences about crews: the codes of a ranking in words, in the reader's language (English where there is no request)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from typing import Any

from gis.dispatch.assign import Finding

# Code -> message id. `%(…)s` places are filled with the numbers of the finding, written out by `_written`.
SENTENCES: dict[str, str] = {
    "by_road": "%(minutes)s min by road (%(metres)s)",
    "by_walk": "%(minutes)s min on foot (%(metres)s)",
    "by_straight": "%(minutes)s min in a straight line (%(metres)s): no road time",
    "network_not_here": "The place is not on the road network",
    "place_unknown": "The place is not known: no travel time",
    "has_skill": "Has the skill: %(skill)s",
    "certificate_until": "Certificate valid until %(on)s",
    "free_now": "Free now",
    "open_orders": "%(n)s open orders",
    "own_unit": "Of the responsible unit",
    "other_unit": "Of another unit",
    "own_area": "Responsible for this area",
    "other_area": "Responsible for another area",
    "old_position": "Position is %(minutes)s min old",
    "from_order": "Comes from order %(order_no)s",
    "on_shift_until": "On shift until %(until)s",
    "on_duty": "On duty round the clock",
    "late": "Done at %(end)s, after the limit %(resolve_by)s",
    "community_team": "The community's own volunteer team",
    "other_team": "Volunteer team of another community",
    "paid_crew": "Volunteers could do this",
    "vulnerable": "Vulnerable household: %(marks)s",
    "blacklisted": "%(whom)s is on the blacklist (until %(until)s)",
    "site_stopped": "Works at %(site)s are stopped by %(no)s since %(since)s",
    "inactive": "Not in service",
    "wrong_skill": "Lacks the skill: %(skill)s",
    "certificate_expired": "Certificate for %(skill)s expired on %(on)s",
    "certificate_not_yet": "Certificate for %(skill)s valid only from %(on)s",
    "not_for_volunteers": "Not work for volunteers: %(skill)s",
    "off_shift": "Off shift; next shift %(starts)s",
    "shift_ends": "Shift ends at %(until)s, before the work would be done",
    "busy_until": "Busy until %(until)s (order %(order_no)s)",
    "off_network": "Not reachable by road",
    "too_far": "Too far: %(minutes)s min (limit %(limit)s)",
    "gave_back": "Gave this complaint back: %(reason)s",
    "not_accepted": "Did not accept this complaint in time",
}

Translate = Callable[[str], str]


def plain(text: str) -> str:
    return text


def plain_word(kind: str, value: object) -> str:
    return str(value).replace("_", " ").replace(".", " ").capitalize()


def sentence(
    finding: Finding,
    zone: tzinfo,
    now: datetime,
    say: Translate = plain,
    word: Callable[[str, object], str] = plain_word,
) -> str:
    """One finding in words."""
    return say(SENTENCES[finding.code]) % _written(finding.params, zone, now, say, word)


def _written(
    params: Mapping[str, Any], zone: tzinfo, now: datetime, say: Translate, word: Callable[[str, object], str]
) -> dict[str, str]:
    return {name: _one(name, value, zone, now, say, word) for name, value in params.items()}


def _one(name: str, value: Any, zone: tzinfo, now: datetime, say: Translate, word: Callable[[str, object], str]) -> str:
    """Times on the city's clock (with the day when it is another), minutes whole, metres or kilometres, skills as words."""
    if value is None:
        return say("unknown")
    if isinstance(value, datetime):
        local = value.astimezone(zone)
        same_day = local.date() == now.astimezone(zone).date()
        return local.strftime("%H:%M" if same_day else "%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if name == "metres":
        return f"{value:.0f} m" if value < 950 else f"{value / 1000:.1f} km"
    if name == "marks":
        return ", ".join(word("vulnerable", mark) for mark in value)
    if name in ("minutes", "limit"):
        return f"{value:.0f}"
    return word(name, value) if name in ("skill", "reason") else str(value)

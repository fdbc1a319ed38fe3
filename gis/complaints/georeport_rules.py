"""What a program may report and what it should also ask, category by category: Open311's attributes of a service. Pure.

A question is a row. Nothing is required that a frightened caller would not know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gis.errors import BadInput, Conflict

ANSWER_MAX = 1000


class Datatype(StrEnum):
    """How an answer is given."""

    STRING = "string"
    NUMBER = "number"
    DATETIME = "datetime"
    TEXT = "text"
    SINGLE = "singlevaluelist"
    MULTI = "multivaluelist"


@dataclass(frozen=True)
class Attribute:
    """One question. `values` are the possible answers of a list: key, Chinese, English."""

    code: str
    datatype: Datatype
    name: str
    name_en: str
    hint: str = ""
    hint_en: str = ""
    required: bool = False
    values: tuple[tuple[str, str, str], ...] = ()


_ROOMS = (("living_room", "客厅", "Living room"), ("bedroom", "卧室", "Bedroom"), ("whole_home", "全屋", "Whole home"))
_SINCE = Attribute(
    "since", Datatype.DATETIME, "从何时开始", "Since when", "ISO 8601，含时区", "ISO 8601 with a time zone"
)
_COLD = (
    Attribute("room_temperature_c", Datatype.NUMBER, "室内温度（℃）", "Room temperature (°C)"),
    Attribute("rooms", Datatype.MULTI, "哪些房间不热", "Which rooms", values=_ROOMS),
    _SINCE,
)
_TRAFFIC = Attribute(
    "traffic", Datatype.SINGLE, "是否影响通行", "Is traffic affected",
    values=(("free", "不影响", "No"), ("slowed", "部分影响", "Partly"), ("blocked", "无法通行", "Blocked")),
)  # fmt: skip
_LAMP = Attribute(
    "lamp_no", Datatype.STRING, "灯杆编号", "Number on the lamp post", "灯杆上的铭牌", "The plate on the post"
)
_PERMIT = Attribute("permit_no", Datatype.STRING, "施工公示牌编号", "Number on the site's notice board")
_METER = Attribute("meter_no", Datatype.STRING, "表号", "Meter number", required=True)
ATTRIBUTES: dict[str, tuple[Attribute, ...]] = {
    "heat.cold": _COLD,
    "heat.none": _COLD,
    "heat.test": _COLD[:1],
    "water.burst": (_TRAFFIC, _SINCE),
    "water.none": (_SINCE,),
    "gas.meter": (_METER,),
    "road.damage": (_TRAFFIC,),
    "drain.blocked": (_TRAFFIC,),
    "light.out": (_LAMP,),
    "works.restore": (_PERMIT,),
    "works.conduct": (_PERMIT,),
}


class BadAnswer(BadInput):
    """attribute[%(attribute)s]: %(expected)s is expected."""

    code = "bad_answer"


class UnknownAttribute(BadInput):
    """This service has no attribute %(attribute)s."""

    code = "unknown_attribute"


class AnswerMissing(BadInput):
    """attribute[%(attribute)s] must be answered."""

    code = "answer_missing"


class ReferenceUsed(Conflict):
    """This reference was already used for another report."""

    code = "reference_used"


class MissingArgument(BadInput):
    """%(argument)s is missing."""

    code = "missing_argument"


class NoLocation(BadInput):
    """Say where: lat and long together, or address_string, or address_id."""

    code = "no_location"


class BadDegrees(BadInput):
    """lat and long must both be numbers of degrees: -90 to 90 and -180 to 180."""

    code = "bad_degrees"


class UnknownAddress(BadInput):
    """There is no address_id %(address_id)s."""

    code = "unknown_address"


class BadMediaUrl(BadInput):
    """media_url must be an http or https address of at most %(limit)s characters."""

    code = "bad_media_url"


class BadEmail(BadInput):
    """This is not an e-mail address."""

    code = "bad_email"


class Several(BadInput):
    """Several things are wrong with this report."""

    code = "several"

    def __init__(self, errors: list[BadInput]) -> None:
        self.errors = errors
        super().__init__()


_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+")
MEDIA_URL_MAX = 2000


def check_email(text: str) -> str | None:
    """An e-mail address as it may be kept, or None where none is given. Raises BadEmail."""
    kept = text.strip()
    if kept and (len(kept) > 254 or not kept.isprintable() or not _EMAIL.fullmatch(kept)):
        raise BadEmail()
    return kept or None


def check_media_url(text: str) -> str | None:
    """Where the program says a picture is: kept as text and never fetched. Raises BadMediaUrl."""
    kept = text.strip()
    if not kept:
        return None
    if len(kept) > MEDIA_URL_MAX or not re.fullmatch(r"https?://[^\s<>\"'\x00-\x1f\x7f]+", kept):
        raise BadMediaUrl(limit=MEDIA_URL_MAX)
    return kept


def check_degrees(lat: str, long: str) -> tuple[float, float] | None:
    """Longitude and latitude, or None where neither is given. Raises BadDegrees."""
    if not lat.strip() and not long.strip():
        return None
    try:
        y, x = float(lat), float(long)
    except ValueError:
        raise BadDegrees() from None
    if not (-90 <= y <= 90 and -180 <= x <= 180):
        raise BadDegrees()
    return x, y


def check_answers(category: str, given: dict[str, list[str]]) -> tuple[dict[str, list[str]], list[BadInput]]:
    """The answers as they may be kept, and everything that is wrong with them. An empty answer is none."""
    asked = {attribute.code: attribute for attribute in ATTRIBUTES.get(category, ())}
    answers = {code: [v.strip() for v in values if v.strip()] for code, values in given.items()}
    wrong: list[BadInput] = [UnknownAttribute(attribute=code[:40]) for code in answers if code not in asked]
    kept: dict[str, list[str]] = {}
    for code, attribute in asked.items():
        values = answers.get(code, [])
        if not values:
            if attribute.required:
                wrong.append(AnswerMissing(attribute=code))
            continue
        expected = _expected(attribute, values)
        if expected:
            wrong.append(BadAnswer(attribute=code, expected=expected))
        else:
            kept[code] = values
    return kept, wrong


def _expected(attribute: Attribute, values: list[str]) -> str | None:
    """What should have been answered, or None where the answer is good."""
    keys = {key for key, _zh, _en in attribute.values}
    if attribute.datatype != Datatype.MULTI and len(values) > 1:
        return "one value"
    if keys:
        return None if set(values) <= keys else ", ".join(sorted(keys))
    reads = {Datatype.NUMBER: _number, Datatype.DATETIME: _moment}.get(attribute.datatype, _line)
    return None if reads(values[0]) else str(attribute.datatype)


def _number(text: str) -> bool:
    try:
        return len(text) <= 30 and abs(float(text)) < 1e9
    except ValueError:
        return False


def _moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _line(text: str) -> bool:
    return len(text) <= ANSWER_MAX and text.isprintable()

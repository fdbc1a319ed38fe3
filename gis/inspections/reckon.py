"""What an expression of a form comes to. Pure: the values, the moment and the item itself are given.

A value is a number, a text, true or false, or a `Day`. Answers are texts, as in an XForm: an item that was not answered or
not asked is empty, several choices are one text with spaces between.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from gis.inspections.expressions import parse

_NUMBER = re.compile(r"[ \t\r\n]*(-?(?:\d+(?:\.\d*)?|\.\d+))[ \t\r\n]*", re.ASCII)
_SPACE = " \t\r\n"
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_EPOCH = date(1970, 1, 1).toordinal()
LONGEST_MATCHED = 1000


@dataclass(frozen=True)
class Day:
    """A date, or a moment by the wall clock. `days` since 1970-01-01, with its fraction."""

    days: float
    text: str


@dataclass(frozen=True)
class Ground:
    """What is known where an expression stands. `now` is local: `2009-11-17T10:00:00+08:00`."""

    values: Mapping[str, str] = field(default_factory=dict)
    dates: frozenset[str] = frozenset()
    now: str = ""
    own: str = ""
    own_is_date: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)


def day_of(text: str) -> Day | None:
    """A `Day` of `2009-11-17` or `2009-11-17T10:00:00`, or None."""
    match = _DAY.fullmatch(text.strip(_SPACE))
    if match is None:
        return None
    try:
        whole = date(int(match[1]), int(match[2]), int(match[3])).toordinal() - _EPOCH
    except ValueError:
        return None
    hours, minutes, seconds = (int(match[n] or 0) for n in (4, 5, 6))
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    return Day(whole + (hours * 3600 + minutes * 60 + seconds) / 86400, text.strip(_SPACE))


def value(text: str, ground: Ground) -> Any:
    """What the expression comes to. Raises Wrong and BeyondUs."""
    return _reckon(parse(text), ground)


def holds(text: str, ground: Ground) -> bool:
    """Is it so?"""
    return boolean(value(text, ground))


def boolean(v: Any) -> bool:
    if isinstance(v, bool):
        return v
    if isinstance(v, float):
        return not (v == 0 or math.isnan(v))
    return True if isinstance(v, Day) else v != ""


def number(v: Any) -> float:
    if isinstance(v, bool):
        return 1.0 if v else 0.0
    if isinstance(v, float):
        return v
    if isinstance(v, Day):
        return v.days
    match = _NUMBER.fullmatch(v)
    return float(match[1]) if match else math.nan


def string(v: Any) -> str:
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, Day):
        return v.text
    return v if isinstance(v, str) else _written(v)


def _written(v: float) -> str:
    if math.isnan(v):
        return "NaN"
    if math.isinf(v):
        return "Infinity" if v > 0 else "-Infinity"
    if v == int(v):
        return str(int(v))
    return format(Decimal(repr(v)), "f")


def _reckon(node: Any, g: Ground) -> Any:
    kind = node[0]
    if kind in ("num", "str"):
        return node[1]
    if kind == "ref":
        text = g.values.get(node[1], "")
        return (day_of(text) or text) if node[1] in g.dates else text
    if kind == "self":
        return (day_of(g.own) or g.own) if g.own_is_date else g.own
    if kind == "name":
        return g.columns.get(node[1], "")
    if kind == "neg":
        return -number(_reckon(node[1], g))
    if kind == "op":
        return _operated(node[1], node[2], node[3], g)
    return _called(node[1], node[2], g)


def _operated(op: str, left: Any, right: Any, g: Ground) -> Any:
    if op == "or":
        return boolean(_reckon(left, g)) or boolean(_reckon(right, g))
    if op == "and":
        return boolean(_reckon(left, g)) and boolean(_reckon(right, g))
    a, b = _reckon(left, g), _reckon(right, g)
    if op in ("=", "!="):
        return _same(a, b) == (op == "=")
    if op in _COMPARED:
        a, b = _both_days(a, b)
        return _COMPARED[op](number(a), number(b))
    return _ARITHMETIC[op](number(a), number(b))


def _both_days(a: Any, b: Any) -> tuple[Any, Any]:
    """A text beside a date is read as one."""
    if isinstance(a, Day) and isinstance(b, str):
        b = day_of(b) or b
    elif isinstance(b, Day) and isinstance(a, str):
        a = day_of(a) or a
    return a, b


def _same(a: Any, b: Any) -> bool:
    a, b = _both_days(a, b)
    if isinstance(a, bool) or isinstance(b, bool):
        return boolean(a) == boolean(b)
    if isinstance(a, float) or isinstance(b, float) or (isinstance(a, Day) and isinstance(b, Day)):
        return number(a) == number(b)
    return string(a) == string(b)


def _divided(a: float, b: float) -> float:
    if b == 0:
        return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)
    return a / b


def _left_over(a: float, b: float) -> float:
    return math.nan if b == 0 or math.isinf(a) or math.isnan(a) or math.isnan(b) else math.fmod(a, b)


_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "div": _divided, "mod": _left_over,
}  # fmt: skip


def _called(name: str, args: tuple[Any, ...], g: Ground) -> Any:
    if name == "if":
        return _reckon(args[1] if boolean(_reckon(args[0], g)) else args[2], g)
    if name == "today":
        return day_of(g.now[:10]) or ""
    if name == "now":
        return day_of(g.now) or ""
    own = _reckon(("self",), g)
    if name == "once":
        return own if string(own) else _reckon(args[0], g)
    given = [_reckon(a, g) for a in args] or [own]
    return _VERBS[name](*given)


def _rounded(v: Any, places: Any = 0.0) -> float:
    n, p = number(v), number(places)
    if math.isnan(n) or math.isinf(n) or math.isnan(p):
        return n if not math.isnan(p) else math.nan
    scale = 10.0 ** max(-15, min(15, int(p)))
    return math.floor(n * scale + 0.5) / scale


def _whole(v: Any) -> float:
    n = number(v)
    return n if math.isnan(n) or math.isinf(n) else float(math.trunc(n))


def _part(v: Any, start: Any, length: Any = math.inf) -> str:
    """XPath's substring: counted from one, its bounds rounded."""
    text, first = string(v), _rounded(start)
    end = first + (_rounded(length) if length is not math.inf else math.inf)
    return "".join(c for i, c in enumerate(text, 1) if first <= i < end)


def _cut(v: Any, start: Any, end: Any = math.inf) -> str:
    """ODK's substr: counted from nought, up to but without its end; negative from the end."""
    text, first, last = string(v), number(start), number(end) if end is not math.inf else math.inf
    if math.isnan(first) or math.isnan(last):
        return ""
    size = len(text)
    first = max(0, first + size) if first < 0 else first
    last = last + size if last < 0 else min(last, size)
    return text[int(min(first, size)) : int(max(0, last))]


def _power(a: Any, b: Any) -> float:
    try:
        made = number(a) ** number(b)
    except (OverflowError, ZeroDivisionError):
        return math.inf
    return made if isinstance(made, float) else math.nan


def _floor(v: Any, cut: Callable[[float], int]) -> float:
    n = number(v)
    return n if math.isnan(n) or math.isinf(n) else float(cut(n))


def _extreme(pick: Callable[..., float], given: tuple[Any, ...]) -> float:
    found = [number(v) for v in given if string(v) != ""]
    return math.nan if not found or any(map(math.isnan, found)) else pick(found)


def _chosen(v: Any) -> list[str]:
    return [one for one in re.split(r"[ \t\r\n]+", string(v)) if one]


def _matched(v: Any, pattern: Any) -> bool:
    text = string(v)
    return len(text) <= LONGEST_MATCHED and re.fullmatch(string(pattern), text, re.ASCII) is not None


def _nth(v: Any, at: Any) -> str:
    chosen, n = _chosen(v), number(at)
    return chosen[int(n)] if 0 <= n < len(chosen) else ""


def _as_day(v: Any) -> Any:
    if isinstance(v, float):
        if math.isnan(v) or not -700_000 < v < 2_900_000:
            return ""
        text = date.fromordinal(_EPOCH + math.floor(v)).isoformat()
        return day_of(text) or ""
    return v if isinstance(v, Day) else (day_of(string(v)) or "")


def _told(v: Any, how: Any) -> str:
    found = _as_day(v)
    if not isinstance(found, Day):
        return ""
    on = date.fromordinal(_EPOCH + math.floor(found.days))
    clock = round((found.days - math.floor(found.days)) * 86400)
    parts = {
        "Y": f"{on.year:04}", "y": f"{on.year % 100:02}", "m": f"{on.month:02}", "n": str(on.month), "d": f"{on.day:02}",
        "e": str(on.day), "H": f"{clock // 3600:02}", "h": str(clock // 3600), "M": f"{clock // 60 % 60:02}",
        "S": f"{clock % 60:02}", "%": "%",
    }  # fmt: skip
    return re.sub(r"%(.)", lambda m: parts.get(m[1], m[0]), string(how))


def _translated(v: Any, old: Any, new: Any) -> str:
    before, after = string(old), string(new)
    table: dict[int, str | None] = {}
    for i, c in enumerate(before):
        table.setdefault(ord(c), after[i] if i < len(after) else None)
    return string(v).translate(table)


_VERBS: dict[str, Callable[..., Any]] = {
    "string": string, "boolean": boolean, "number": number, "not": lambda v: not boolean(v), "true": lambda *_: True,
    "false": lambda *_: False, "concat": lambda *p: "".join(map(string, p)),
    "starts-with": lambda a, b: string(a).startswith(string(b)), "ends-with": lambda a, b: string(a).endswith(string(b)),
    "contains": lambda a, b: string(b) in string(a),
    "substring-before": lambda a, b: string(a).partition(string(b))[0] if string(b) and string(b) in string(a) else "",
    "substring-after": lambda a, b: string(a).partition(string(b))[2] if string(b) else string(a),
    "substring": _part, "substr": _cut, "string-length": lambda v: float(len(string(v))),
    "normalize-space": lambda v: " ".join(re.split(r"[ \t\r\n]+", string(v).strip(_SPACE))), "translate": _translated,
    "floor": lambda v: _floor(v, math.floor), "ceiling": lambda v: _floor(v, math.ceil), "round": _rounded, "int": _whole,
    "abs": lambda v: abs(number(v)), "pow": _power, "min": lambda *p: _extreme(min, p), "max": lambda *p: _extreme(max, p),
    "selected": lambda v, one: string(one).strip(_SPACE) in _chosen(v), "count-selected": lambda v: float(len(_chosen(v))),
    "selected-at": _nth, "coalesce": lambda a, b: a if string(a) else b, "regex": _matched, "date": _as_day,
    "decimal-date-time": lambda v: number(_as_day(v)) if isinstance(_as_day(v), Day) else math.nan, "format-date": _told,
}  # fmt: skip

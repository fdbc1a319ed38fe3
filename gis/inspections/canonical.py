"""The one way to write JSON down, so that a phone and the server compute the same sha256 of the same change.

Keys sorted, no spaces, UTF-8, numbers as ECMAScript writes them (RFC 8785): a browser gets the same bytes from
`JSON.stringify` of an object whose keys it has sorted.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

# Where Python's encoder and a browser's may differ: 1.0, 1e-07, integers of 22 digits, the order of keys beyond U+FFFF.
# A text that looks like one of these only costs the slower way. (It begins with what stands before every number inside.)
_DOUBTFUL = re.compile(r"[:,\[]-?(?:[0-9]+\.0(?![0-9])|[0-9]+(?:\.[0-9]+)?e|[0-9]{21})")


def dumps(value: Any) -> str:
    """Canonical JSON. Raises ValueError for NaN and infinity, TypeError for what is no JSON at all."""
    quick = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    if isinstance(value, dict | list) and _DOUBTFUL.search(quick) is None and max(quick) <= "\uffff":
        return quick
    out: list[str] = []
    _write(value, out)
    return "".join(out)


def sha256(value: Any) -> str:
    """The sha256 of the canonical JSON, in lower-case hexadecimal."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()


def _write(value: Any, out: list[str]) -> None:
    if value is None or value is True or value is False:
        out.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, str):
        out.append(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, int):
        out.append(str(value) if abs(value) < 10**21 else _number(float(value)))
    elif isinstance(value, float):
        out.append(_number(value))
    elif isinstance(value, dict):
        out.append("{")
        for i, key in enumerate(sorted(value, key=_utf16)):
            out.append(f"{',' * (i > 0)}{json.dumps(key, ensure_ascii=False)}:")
            _write(value[key], out)
        out.append("}")
    elif isinstance(value, list | tuple):
        out.append("[")
        for i, one in enumerate(value):
            out.append("," * (i > 0))
            _write(one, out)
        out.append("]")
    else:
        raise TypeError(f"not JSON: {type(value).__name__}")


def _utf16(key: str) -> bytes:
    """Browsers sort keys by UTF-16 code units."""
    return key.encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    """ECMAScript's Number::toString: the shortest digits that read back as the same number."""
    if value == 0:
        return "0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    point = len(whole) - leading + int(exponent or 0)  # the value is 0.digits * 10**point
    digits = digits.rstrip("0")
    return ("-" if value < 0 else "") + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{'+' if point > 0 else '-'}{abs(point - 1)}"

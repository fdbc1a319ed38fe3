"""How GeoReport v2 speaks: the same answer as XML or as JSON, errors in its own shape, moments with their zone. No request here."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from flask import Response

FORMATS = {"xml": "text/xml", "json": "application/json"}
# A list's name -> the name of one of its things; in JSON a list is simply a list (the "Spark convention").
_ONE_OF = {
    "services": "service", "attributes": "attribute", "values": "value", "service_requests": "request",
    "errors": "error", "endpoints": "endpoint", "formats": "format",
}  # fmt: skip
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def answer(root: str, value: Any, fmt: str, status: int = 200) -> Response:
    """`value` (a dictionary, or a list of them) as a document with this root."""
    body = _xml(root, value) if fmt == "xml" else json.dumps(value, ensure_ascii=False).encode()
    return Response(body, status=status, content_type=f"{FORMATS[fmt]}; charset=utf-8")


def errors(told: list[tuple[int | str, str]], fmt: str, status: int) -> Response:
    """Everything that is wrong: `code` and `description` of each."""
    return answer("errors", [{"code": code, "description": text} for code, text in told], fmt, status)


def moment(at: datetime) -> str:
    """W3C: to the second, always with the offset."""
    return at.isoformat(timespec="seconds")


def _xml(root: str, value: Any) -> bytes:
    top = Element(root)
    _fill(top, value)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + tostring(top, encoding="utf-8")


def _fill(element: Element, value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _fill(SubElement(element, key), inner)
    elif isinstance(value, list):
        for inner in value:
            _fill(SubElement(element, _ONE_OF[element.tag]), inner)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    else:
        element.text = _NOT_XML.sub("\ufffd", str(value))

"""Files that a form speaks of and does not hold (表单附件): lists of choices, pictures, sounds. Which they are, and whether one is fit. Pure.

source: https://getodk.github.io/xforms-spec, "jr://" addresses and secondary external instances; https://docs.getodk.org/openrosa-form-list
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from lxml import etree

from gis.errors import BadInput
from gis.inspections import image_header
from gis.inspections.xforms import outside

MOST_BYTES = 10 << 20
MOST_FILES = 100
ITEMSETS = "itemsets.csv"  # what pyxform makes of a sheet `external_choices`
PICTURES = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}
MIMES = PICTURES | {
    "csv": "text/csv; charset=utf-8", "xml": "text/xml; charset=utf-8", "geojson": "application/geo+json", "mp3": "audio/mpeg",
    "m4a": "audio/mp4", "wav": "audio/wav", "ogg": "audio/ogg", "amr": "audio/amr", "mp4": "video/mp4", "mov": "video/quicktime", "3gp": "video/3gpp",
}  # fmt: skip
_ADDRESS = re.compile(r"jr://(?:images|audio|video|file|file-csv)/([^/\\]+)")
_READ = re.compile(r"""\b(?:search|pulldata)\(\s*['"]([^'"/\\]+)['"]""")


class FormFileStrange(BadInput):
    """This form speaks of no file “%(name)s”."""

    code = "form_file_strange"


class FormFileUnfit(BadInput):
    """The file “%(name)s” cannot be used: %(reason)s"""

    code = "form_file_unfit"


@lru_cache(maxsize=256)
def named(xform: str) -> tuple[str, ...]:
    """The names of the files that a client needs before it can open this XForm."""
    found: set[str] = set()
    for element in outside(xform.encode()).iter(etree.Element):
        for said in (element.text or "", *map(str, element.attrib.values())):
            if whole := _ADDRESS.fullmatch(said.strip()):
                found.add(whole[1])
            found |= {f"{name.removesuffix('.csv')}.csv" for name in _READ.findall(said)}
        if element.get("query") is not None:
            found.add(ITEMSETS)
    return tuple(sorted(found))


def mime_of(name: str) -> str:
    """What a file is served as. Raises FormFileUnfit for a kind that no form needs."""
    mime = MIMES.get(name.rpartition(".")[2].lower())
    if mime is None:
        raise FormFileUnfit(name=name, reason="kind of file")
    return mime


def fit(name: str, data: bytes) -> bytes:
    """What is kept of a file: itself, or a table in UTF-8, which clients expect and Excel does not write. Raises FormFileUnfit."""
    kind = name.rpartition(".")[2].lower()
    mime_of(name)
    if not data or len(data) > MOST_BYTES:
        raise FormFileUnfit(name=name, reason=f"1 byte - {MOST_BYTES >> 20} MB")
    try:
        if kind == "csv":
            return _table(data)
        if kind == "xml":
            outside(data)
        if kind == "geojson" and json.loads(data.decode("utf-8-sig")).get("type") != "FeatureCollection":
            raise ValueError("FeatureCollection")
        if kind in PICTURES and getattr(image_header.read(data), "mime", None) != PICTURES[kind]:
            raise ValueError(PICTURES[kind])
    except (ValueError, AttributeError, RecursionError, etree.XMLSyntaxError) as error:
        raise FormFileUnfit(name=name, reason=f".{kind}") from error
    return data


def _table(data: bytes) -> bytes:
    """A CSV as UTF-8 without a mark, whichever of the two encodings of a Chinese office it came in."""
    if b"\0" in data:
        raise ValueError("NUL")
    try:
        return data.decode("utf-8-sig").encode()
    except UnicodeDecodeError:
        return data.decode("gb18030").encode()

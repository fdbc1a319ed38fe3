"""XForms and what is filled into them, as XML from outside: read without entities, document types or network. Pure.

source: https://docs.getodk.org/openrosa and https://getodk.github.io/xforms-spec
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from lxml import etree

from gis.inspections.form_answers import as_given
from gis.inspections.forms import PICTURES, SIGNED, SILENT, Form, ItemType, Need
from gis.inspections.pledge_form import FAR, HEATING, WORKS, name_of
from gis.inspections.rules import BadSubmission, CheckItem, Given

MOST_XML = 2 << 20
DEEPEST = 40
NEED_SUFFIX = "__"  # `step_1__photo` is the photo that the answer to step_1 must carry
_H, _X, _OR = "http://www.w3.org/1999/xhtml", "http://www.w3.org/2002/xforms", "http://openrosa.org/xforms"
_ID = re.compile(r"[\x21-\x7e]{1,200}")


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True,
                           remove_pis=True)  # fmt: skip


def outside(data: bytes) -> etree._Element:
    """XML from outside as a tree: no document type, nothing expanded or fetched. Raises ValueError, etree.XMLSyntaxError."""
    if b"<!DOCTYPE" in data.upper() or b"<!ENTITY" in data.upper() or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ValueError("a document type is not allowed")
    root = etree.fromstring(data, _parser())
    if root.getroottree().docinfo.doctype:
        raise ValueError("a document type is not allowed")
    return root


@lru_cache(maxsize=256)
def stamped(source: str, code: str, revision: int, title: str) -> bytes:
    """An XForm with our id, revision and title in it: what a client is served, and what its hash is of."""
    root = etree.fromstring(source.encode(), _parser())
    space = {"h": _H, "x": _X}
    instance = root.find("./h:head/x:model/x:instance", space)
    assert instance is not None
    instance[0].set("id", code)
    instance[0].set("version", str(revision))
    named = root.find("./h:head/h:title", space)
    if named is not None:
        named.text = title
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def md5(data: bytes) -> str:
    """The hash that OpenRosa names forms by. It guards nothing; the protocol asks for this one."""
    return f"md5:{hashlib.md5(data, usedforsecurity=False).hexdigest()}"


@dataclass(frozen=True)
class Instance:
    """A filled-in form. `values`: (name of the element, text) of every leaf, in order."""

    instance_id: str
    code: str
    revision: int
    values: Sequence[tuple[str, str]] = field(default=())


def instance_of(data: bytes) -> Instance:
    """What an ODK client filled in. Raises BadSubmission for what is no XML, declares entities, or names no form."""
    if len(data) > MOST_XML:
        raise BadSubmission(reason="too large")
    try:
        root = outside(data)
    except etree.XMLSyntaxError as error:
        raise BadSubmission(reason="no XML") from error
    except ValueError as error:
        raise BadSubmission(reason=str(error)) from error
    found = next(
        (e.text or "" for e in root.iter(f"{{{_OR}}}instanceID", "instanceID", f"{{{_X}}}instanceID")), ""
    ).strip()
    found = found or (root.get("instanceID") or "").strip()
    if _ID.fullmatch(found) is None:
        raise BadSubmission(reason="instanceID")
    version = (root.get("version") or "").strip()
    if not (version.isascii() and version.isdigit() and len(version) < 9):
        raise BadSubmission(reason="version")
    values = [(etree.QName(e).localname, (e.text or "").strip()) for e in root.iter(etree.Element)
              if len(e) == 0 and _depth(e) < DEEPEST and not _is_meta(e)]  # fmt: skip
    return Instance(found, (root.get("id") or "")[:40], int(version), values)


def _depth(element: etree._Element) -> int:
    return sum(1 for _ in element.iterancestors())


def _is_meta(element: etree._Element) -> bool:
    parent = element.getparent()
    return parent is None or etree.QName(parent).localname == "meta"


@dataclass(frozen=True)
class Filled:
    """An instance in the house's words: answers, and which file belongs to which item."""

    answers: list[Given]
    files: list[tuple[str, str]]  # (item, name of the file)
    scope: str | None = None
    stage: str | None = None
    named: dict[str, str] = field(default_factory=dict)


def filled(form: Form, instance: Instance) -> Filled:
    """The answers of an instance to a form. What an answer had to carry comes as questions of its own."""
    said = {name: text for name, text in instance.values if text}
    answers: list[Given] = []
    files: list[tuple[str, str]] = []
    for placed in form.items():
        item = placed.item
        for need, target in ((Need.PHOTO, item.name), (Need.SIGNATURE, item.name + SIGNED)):
            name = said.get(f"{item.name}{NEED_SUFFIX}{need}")
            if name:
                files.append((target, name))
        text, note = said.get(item.name, ""), said.get(f"{item.name}{NEED_SUFFIX}{Need.NOTE}", "")
        if not text:
            continue
        if item.type in PICTURES:
            files.append((item.name, text))
        elif item.type not in SILENT or item.type == ItemType.CALCULATE:
            answers.append(as_given(item, text, note))
    return Filled(answers, files, named=said)


def filled_pledges(items: Sequence[CheckItem], form: Form, instance: Instance) -> Filled:
    """The same of the six pledges, whose XForm names `1.1` as `p1_1` and asks where and when first."""
    made = filled(form, instance)
    ids = {name_of(item.id): item.id for item in items}
    answers = [Given(ids[g.item_id], g.answer, g.note) for g in made.answers if g.item_id in ids]
    files = [(ids.get(item.removesuffix(SIGNED), ""), name) for item, name in made.files]
    said = {g.item_id: g.answer or g.value for g in made.answers}
    return Filled(answers, files, said.get(WORKS), said.get(FAR), {HEATING: said.get(HEATING, "")})

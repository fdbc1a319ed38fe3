"""An XLSForm as a form of ours and as an XForm for ODK clients, with everything that our phone app could not show of it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyxform.aliases import select_from_file
from pyxform.errors import PyXFormError
from pyxform.question_type_dictionary import QUESTION_TYPE_DICT
from pyxform.xls2xform import convert

from gis.inspections.form_files import ITEMSETS
from gis.inspections.forms import Choice, Form, Group, Item, ItemType, Need, Text, doubts
from webapp.xlsform import workbook
from webapp.xlsform.faults import Fault, FormRefused, of_pyxform

T = ItemType
# pyxform's word for a type (in lower case) -> ours. What is not here is beyond our phone app.
TYPES: dict[str, ItemType] = {
    "select one": T.SELECT_ONE, "select all that apply": T.SELECT_MANY, "integer": T.INTEGER, "int": T.INTEGER, "q int": T.INTEGER,
    "decimal": T.DECIMAL, "q decimal": T.DECIMAL, "text": T.TEXT, "string": T.TEXT, "q string": T.TEXT, "phone number": T.TEXT,
    "date": T.DATE, "q date": T.DATE, "time": T.TIME, "datetime": T.DATETIME, "date time": T.DATETIME, "q date time": T.DATETIME,
    "photo": T.PHOTO, "image": T.PHOTO, "q image": T.PHOTO, "q picture": T.PHOTO, "geopoint": T.GEOPOINT, "gps": T.GEOPOINT,
    "location": T.GEOPOINT, "q location": T.GEOPOINT, "q geopoint": T.GEOPOINT, "acknowledge": T.TICK, "trigger": T.TICK,
    "q acknowledge": T.TICK, "note": T.NOTE, "q note": T.NOTE, "calculate": T.CALCULATE, "q calculate": T.CALCULATE,
    "hidden": T.CALCULATE,
}  # fmt: skip
# Noted by a client by itself; nobody is asked.
_META = re.compile(r"^(get )?(start|end|today|device ?id|sim ?(id|serial)|subscriber ?id|phone ?number|username|email|audit|imei"
                   r"|start-geopoint)( time)?$|^uri:")  # fmt: skip
_SAVED = re.compile(r"\$\{\s*last-saved#\s*([^}\s]+)\s*\}")
_ALWAYS, _NEVER = {"yes", "true()", "true"}, {"no", "false()", "false", ""}
_COMPOSED = re.compile(
    r"(begin|end)[ _]|include\b|set form |select|add select|q select|rank\b|cascading|osm\b|end (group|repeat)"
)
EVIDENCE = "chengmai_evidence"
OF_EVIDENCE = "chengmai_evidence_of"
_UNUSABLE = re.compile(r"[^a-z0-9_.-]+")


@dataclass(frozen=True)
class Brought:
    """A form that can be taken in. `unshown` empty: our phone app can show it."""

    code: str
    title: str
    form: Form
    xform: str
    unshown: tuple[Fault, ...]
    remarks: tuple[str, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)


def read(data: bytes, file_name: str) -> Brought:
    """Read a workbook. Raises NotAWorkbook, FormTooLarge and FormRefused, which names every place it can."""
    book = workbook.read(data)
    return from_book(book, file_name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or "form")


def from_book(book: dict[str, Any], name: str) -> Brought:
    """The same of sheets that are read already."""
    faults = _first_look(book)
    book = {key: rows for key, rows in book.items() if not (key.endswith("_header") and rows is None)}
    settings = _settings(book)
    code = form_code(settings.pop("form_id", "") or settings.pop("id_string", "") or name)
    title = settings.get("form_title") or settings.get("title") or name
    sent = {**book, "settings": [settings | {"form_id": code}], "settings_header": None, "fallback_form_name": code}
    remarks: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = convert(sent, warnings=remarks, form_name="data")
    except PyXFormError as error:
        told = of_pyxform(str(error))
        if told.code != "unknown_type":
            faults += [] if told.code == "converter" and faults else [told]
        faults += _strangers(book) or ([told] if not faults else [])
        raise FormRefused(faults) from error
    except Exception as error:  # a converter that stumbles over a form must not take the page with it
        raise FormRefused([*faults, Fault("converter", what=f"{type(error).__name__}: {error}"[:200])]) from error
    if faults:
        raise FormRefused(faults)
    form = _Builder(book, made._pyxform or {}).form(str(title))
    if not any(True for _ in form.items()):
        raise FormRefused([Fault("no_questions", "survey")])
    files = {ITEMSETS: made.itemsets.encode()} if made.itemsets else {}
    return Brought(code, str(title), form, made.xform, _unshown(book, form, made), tuple(remarks), files)


def form_code(text: str) -> str:
    """A form's id as our checklists are called: small letters, digits, `_ . -`, at most 40."""
    plain = _UNUSABLE.sub("_", text.strip().lower()).strip("_.-")[:40]
    if not plain:  # a name all in Chinese: its letters as numbers stay the same for the same name
        plain = "form_" + "".join(f"{ord(c):x}" for c in text.strip()[:8])[:32]
    return plain if plain[0].isalpha() else f"f_{plain}"[:40]


def _settings(book: Mapping[str, Any]) -> dict[str, str]:
    """The settings under plain names. Where answers go, and that they can be read there, is this house's to say, not a file's."""
    row = next(iter(book.get("settings") or ()), {})
    found = {str(key).strip().lower().replace(" ", "_"): value for key, value in row.items()}
    for key in ("submission_url", "public_key", "auto_send", "auto_delete", "version"):
        found.pop(key, None)
    for key in ("set_form_id", "set_form_title"):
        if key in found:
            found.setdefault(key.removeprefix("set_"), found.pop(key))
    return found


def _first_look(book: Mapping[str, Any]) -> list[Fault]:
    """What pyxform refuses without saying where."""
    faults = []
    if book.get("survey") is None:
        raise FormRefused([Fault("no_sheet", what="survey")])
    for n, row in enumerate(book["survey"], 2):
        kind = next((str(v).strip() for k, v in row.items() if str(k).strip().lower() in ("type", "command")), "")
        if kind.lower() == "include" or kind.lower().startswith("include "):
            named = next((str(v) for k, v in row.items() if str(k).strip().lower() in ("name", "value", "tag")), "")
            faults.append(Fault("include", "survey", n, "type", named or kind))
    return faults


def _strangers(book: Mapping[str, Any]) -> list[Fault]:
    """Rows whose type nobody knows: named beside whatever else is wrong, so that a file is not mended one fault at a time."""
    faults = []
    for n, row in enumerate(book["survey"], 2):
        kind = " ".join(
            next((str(v) for k, v in row.items() if str(k).strip().lower() in ("type", "command")), "").split()
        )
        known = {kind, kind.lower()} & QUESTION_TYPE_DICT.keys() or _COMPOSED.match(kind.lower())
        if kind and not known:
            faults.append(Fault("unknown_type", "survey", n, "type", kind))
    return faults


class _Builder:
    """pyxform's own reading of the sheets (all headings and aliases understood) as a form of ours."""

    def __init__(self, book: Mapping[str, Any], read: Mapping[str, Any]) -> None:
        self.book, self.read = book, read
        self.lists: dict[str, tuple[Choice, ...]] = {}

    def form(self, title: str) -> Form:
        children = tuple(self.child(c) for c in self.read.get("children", ()) if not _is_own(c))
        language = str(self.read.get("default_language") or "")
        return Form(title, children, self.lists, "" if language == "default" else language)

    def child(self, raw: Mapping[str, Any]) -> Item | Group:
        kind = str(raw.get("type", ""))
        bind = raw.get("bind") or {}
        if kind == "group":
            inner = tuple(self.child(c) for c in raw.get("children", ()) if not c.get(OF_EVIDENCE))
            return Group(str(raw["name"]), text_of(raw.get("label")), _said(bind.get("relevant")), inner)
        item_type, beyond = self.type_of(raw, kind)
        appearance = _said((raw.get("control") or {}).get("appearance"))
        if item_type == T.SIGNATURE:
            appearance = " ".join(part for part in appearance.split() if part != "signature")
        default, dynamic, repeat_last = _default(raw)
        required = _said(bind.get("required"))
        return Item(
            str(raw["name"]), item_type, text_of(raw.get("label")), text_of(raw.get("hint")),
            "yes" if required.lower() in _ALWAYS else "" if required.lower() in _NEVER else required,
            text_of(bind.get("jr:requiredMsg")), _said(bind.get("relevant")), _said(bind.get("constraint")),
            text_of(bind.get("jr:constraintMsg")), _said(bind.get("calculate")), default, dynamic,
            _said(bind.get("readonly")).lower() in _ALWAYS, repeat_last, self.choices_of(raw),
            _said(raw.get("choice_filter")), appearance, _evidence(raw), beyond,
        )  # fmt: skip

    def type_of(self, raw: Mapping[str, Any], kind: str) -> tuple[ItemType, str]:
        plain = kind.lower()
        if _META.match(plain) and plain != "phone number":
            return T.META, ""
        found = TYPES.get(plain)
        if found is None:
            return T.BEYOND, kind
        appearance = _said((raw.get("control") or {}).get("appearance"))
        if found == T.PHOTO and "signature" in appearance:
            return T.SIGNATURE, ""
        if found in (T.SELECT_ONE, T.SELECT_MANY) and (not raw.get("choices") or "${" in str(raw.get("itemset", ""))):
            return T.BEYOND, kind
        names = {c.get("name") for c in raw.get("choices") or ()}
        if found == T.SELECT_ONE and {"yes", "no"} <= names <= {"yes", "no", "na"} and not raw.get("choice_filter"):
            return T.YES_NO, ""
        return found, ""

    def choices_of(self, raw: Mapping[str, Any]) -> str:
        """Keep the list of an item; returns its name."""
        found = raw.get("choices")
        name = str(raw.get("list_name") or raw.get("itemset") or "")
        if not found or not name:
            return ""
        if name not in self.lists:
            self.lists[name] = tuple(
                Choice(str(c["name"]), text_of(c.get("label")),
                       {str(k): str(v) for k, v in c.items() if k not in ("name", "label", "media") and isinstance(v, str | int | float)})
                for c in found
            )  # fmt: skip
        return name


def _is_own(raw: Mapping[str, Any]) -> bool:
    """What pyxform adds by itself, and questions that only repeat the evidence of another."""
    return raw.get("name") == "meta" or bool(raw.get(OF_EVIDENCE))


def text_of(raw: Any) -> Text:
    """A label as language -> text; the language without a name is ""."""
    if isinstance(raw, Mapping):
        return {
            "" if name == "default" else str(name): str(said) for name, said in raw.items() if said not in (None, "")
        }
    return {"": str(raw)} if raw not in (None, "") else {}


def _said(raw: Any) -> str:
    return "" if raw is None else " ".join(str(raw).split()) if isinstance(raw, str) else str(raw)


def _default(raw: Mapping[str, Any]) -> tuple[str, bool, bool]:
    """The default, whether it is an expression, and whether it is the item's own last value."""
    said = str(raw.get("default") or "").strip()
    last = _SAVED.fullmatch(said)
    if last and last[1] == raw.get("name"):
        return "", False, True
    return said, bool(raw.get("_dynamic_default")) or "${" in said, False


def _evidence(raw: Mapping[str, Any]) -> dict[str, list[str]]:
    """Our own column: `no:photo no:note yes:signature`."""
    found: dict[str, list[str]] = {}
    for part in str(raw.get(EVIDENCE) or "").split():
        answer, _colon, need = part.partition(":")
        if need in list(Need) and need not in found.setdefault(answer, []):
            found[answer].append(need)
    return found


def _unshown(book: dict[str, Any], form: Form, made: Any) -> tuple[Fault, ...]:
    """Everything that our phone app cannot show, with its place in the workbook."""
    faults = []
    texts = {p.item.name: p.item for p in form.items()}
    for doubt in doubts(form):
        row = workbook.row_of(book, doubt.name)
        said = str(getattr(texts.get(doubt.name), doubt.column, "") or "")
        column = workbook.column_of(book, row, said, doubt.column) if said and doubt.column != "type" else doubt.column
        faults.append(Fault(doubt.code, "survey", row, column, doubt.what))
    for n, row in enumerate(book.get("survey") or (), 2):
        kind = next((str(v) for k, v in row.items() if str(k).strip().lower() in ("type", "command")), "")
        if any(kind.lower().startswith(start) for start in select_from_file):
            faults.append(Fault("external", "survey", n, "type", kind.split()[-1]))
    if made.itemsets:
        faults.append(Fault("external", "external_choices", what="itemsets.csv"))
    if any("entit" in str(c.get("type", "")) or c.get("name") == "entity" for c in _all(made._pyxform or {})):
        faults.append(Fault("entities", "entities"))
    return tuple(faults)


def _all(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    children = list(raw.get("children") or ())
    return children + [deep for child in children for deep in _all(child)]

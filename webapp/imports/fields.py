"""The columns of a layer as values: found by the mapping or by their usual names, converted, and bounded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

import numpy as np

from gis.complaints.rules import TextMissing, TextTooLong
from gis.errors import ChengmaiError
from webapp.imports import cells
from webapp.imports.checks import joined
from webapp.imports.errors import DoubledColumn, MissingColumn, NotANumber, NulCharacter, UnknownWord
from webapp.imports.features import Features
from webapp.imports.kinds import LAT, LON, Field, Kind
from webapp.imports.mapping import Mapping
from webapp.imports.report import Report
from webapp.imports.text import key, shown

_TRUE = frozenset({"1", "true", "yes", "y", "是", "有", "t"})
_FALSE = frozenset({"0", "false", "no", "n", "否", "无", "f"})
_BETWEEN = str.maketrans(dict.fromkeys("、,，;；/|", " "))


class Columns:
    """Values by field, and which rows have something wrong with them."""

    def __init__(self, features: Features, report: Report) -> None:
        self.features, self.report = features, report
        self.places: dict[str, int] = {}
        self.values: dict[str, list[Any]] = {}
        self._bad: set[int] = set()

    def refuse(self, i: int, field: str | None, error: ChengmaiError) -> None:
        """Something is wrong with a field of row `i`."""
        column = self.places.get(field or "")
        number = self.features.numbers[i]
        place = field if column is None else self.features.address(number, column)
        self._bad.add(i)
        self.report.refuse(number, place, error)

    def refuse_place(self, i: int, error: ChengmaiError) -> None:
        """Something is wrong with where row `i` is. Said once: a bad number was told before."""
        if i not in self._bad:
            self.refuse(i, "lon" if "lon" in self.places else "geometry", error)

    def good(self, i: int) -> bool:
        return i not in self._bad

    def texts(self, field: str) -> list[str]:
        return self.values.get(field) or [""] * len(self.features.numbers)

    def numbers(self, field: str) -> np.ndarray:
        return np.array([np.nan if v is None else v for v in self.values[field]], float)


def read_fields(features: Features, kind: Kind, mapping: Mapping, zone: tzinfo, report: Report) -> Columns:
    """Every field that the file gives. Raises MissingColumn for a needed one that cannot be found."""
    columns = Columns(features, report)
    header: dict[str, list[int]] = {}
    for i, name in enumerate(features.header):
        header.setdefault(key(name), []).append(i)
    fields = (*kind.fields, LON, LAT) if features.shapes is None else kind.fields
    for field in fields:
        found = _find(field, header, mapping, features)
        default = mapping.default.get(field.name)
        if not found and default is None:
            if field.needed or field in (LON, LAT):
                usual = next((a for a in field.aliases if not a.isascii()), field.name)
                raise MissingColumn(column=usual, found=", ".join(shown(c) for c in features.header[:30]))
            continue
        if found:
            columns.places[field.name] = found[0]
        given = _cells(found, features, default, mapping.prefix.get(field.name, ""))
        columns.values[field.name] = _convert(field, given, mapping, zone, columns)
    return columns


def _find(field: Field, header: dict[str, list[int]], mapping: Mapping, features: Features) -> list[int]:
    """The columns of a field: those the mapping names, or (where the mapping is silent) the first usual name."""
    if mapping.sources(field.name):
        found = []
        for name in mapping.sources(field.name):
            places = header.get(key(name), [])
            if not places and field.name in mapping.optional.fields:
                return []
            if not places:
                raise MissingColumn(column=name, found=", ".join(shown(c) for c in features.header[:30]))
            if len(places) > 1:
                raise DoubledColumn(column=name)
            found.append(places[0])
        return found
    if field.name in mapping.default:
        return []
    return next(([header[key(a)][0]] for a in (field.name, *field.aliases) if key(a) in header), [])


def _cells(found: Sequence[int], features: Features, default: Any, prefix: str) -> list[str]:
    if not found:
        return [str(default)] * len(features.numbers)
    columns = [features.columns[i] for i in found]
    given = columns[0] if len(columns) == 1 else [joined(parts) for parts in zip(*columns, strict=True)]
    if prefix:
        given = [f"{prefix}{c.strip()}" if c.strip() else c for c in given]
    return given if default is None else [c if c.strip() else str(default) for c in given]


def _convert(field: Field, given: Sequence[str], mapping: Mapping, zone: tzinfo, columns: Columns) -> list[Any]:
    def refuse(i: int, name: str, error: ChengmaiError) -> None:
        columns.refuse(i, name, error)

    for i, cell in enumerate(given):
        if "\0" in cell:
            refuse(i, field.name, NulCharacter())
    if field.type == "moment":
        moments = cells.moments(given, field.name, mapping.datetime.formats, zone, refuse)
        values: list[Any] = [None if m is None else _aware(m) for m in moments.tolist()]
    elif field.type in ("int", "float"):
        values = _numbers(field, given, float(mapping.scale.get(field.name, 1)), refuse)
    elif field.type == "word":
        words = cells.Words(field.name, field.words or {}, mapping.translate.get(field.name, {}), None,
                            mapping.otherwise.get(field.name))  # fmt: skip
        values = [w or None for w in words.read(given, refuse)]
    elif field.type == "bool":
        values = _bools(field, given, refuse)
    elif field.type == "list":
        values = [_list(field, i, cell, mapping, refuse) for i, cell in enumerate(given)]
    else:
        values = [_text(field, i, cell, refuse) for i, cell in enumerate(given)]
    if field.needed:
        for i, value in enumerate(values):
            if value is None and columns.good(i):
                refuse(i, field.name, TextMissing(field=field.name))
    return values


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _numbers(field: Field, given: Sequence[str], scale: float, refuse: cells.Refuse) -> list[Any]:
    found = cells.numbers(given, field.name, refuse) * scale
    values: list[Any] = []
    for i, value in enumerate(found.tolist()):
        if value != value:
            values.append(None)
            continue
        whole = field.type == "int"
        if (not field.low <= value <= field.high and field not in (LON, LAT)) or (whole and not value.is_integer()):
            refuse(i, field.name, NotANumber(value=shown(given[i])))
        values.append(int(value) if whole else value)
    return values


def _bools(field: Field, given: Sequence[str], refuse: cells.Refuse) -> list[Any]:
    values: list[Any] = []
    for i, cell in enumerate(given):
        word = key(cell)
        if word and word not in _TRUE and word not in _FALSE:
            refuse(i, field.name, UnknownWord(value=shown(cell), field=field.name))
        values.append(word in _TRUE)
    return values


def _list(field: Field, i: int, cell: str, mapping: Mapping, refuse: cells.Refuse) -> list[str]:
    table = {key(w): code for w, code in mapping.translate.get(field.name, {}).items()}
    said = [table.get(key(w), w) for w in cell.translate(_BETWEEN).split()]
    if any(len(w) > field.longest for w in said):
        refuse(i, field.name, TextTooLong(field=field.name, limit=field.longest))
    return sorted(set(said))


def _text(field: Field, i: int, cell: str, refuse: cells.Refuse) -> str | None:
    text = "".join(c for c in cell if c.isprintable() or c == "\u3000").strip()
    if len(text) > field.longest:
        refuse(i, field.name, TextTooLong(field=field.name, limit=field.longest))
    return text or None

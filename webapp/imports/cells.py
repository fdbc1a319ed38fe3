"""Whole columns of cells as values: moments, numbers, words, texts. What cannot be read is said cell by cell."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gis.complaints.rules import LIMITS, TextMissing, TextTooLong
from gis.errors import ChengmaiError
from webapp.imports.errors import BadDatetime, NotANumber, NulCharacter, UnknownWord
from webapp.imports.text import key, shown

if TYPE_CHECKING:
    import pandas as pd

Refuse = Callable[[int, str, ChengmaiError], None]  # (index in the chunk, field, error)
Moments = NDArray[np.datetime64]
Floats = NDArray[np.float64]

NO_MOMENT = np.datetime64("NaT", "us")
FIRST, LAST = np.datetime64("1950-01-01", "us"), np.datetime64("2100-01-01", "us")
ISO = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S.%f")
WITH_OFFSET = ("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")


def moments(cells: Sequence[str], field: str, formats: Sequence[str], zone: tzinfo, refuse: Refuse) -> Moments:
    """Moments in UTC (NaT for an empty cell). An hour that the clock skips is moved on; of a repeated one the first counts."""
    import pandas as pd  # here and not above: a server that starts need not wait for it

    text = pd.Series(cells, dtype=object).str.strip()
    there = (text != "").to_numpy()
    found = np.full(len(text), NO_MOMENT)
    for pattern in (*formats, *(f for f in (*ISO, *WITH_OFFSET) if f not in formats)):
        left = np.flatnonzero(there & np.isnat(found))
        if not len(left):
            break
        found[left] = _parsed(text.iloc[left], pattern, zone)
    for i in np.flatnonzero(there & (np.isnat(found) | (found < FIRST) | (found >= LAST))):
        refuse(int(i), field, BadDatetime(value=shown(cells[i])))
        found[i] = NO_MOMENT
    return found


def _parsed(text: pd.Series, pattern: str, zone: tzinfo) -> Moments:
    from pandas import to_datetime

    with_offset = "%z" in pattern
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read = to_datetime(text, format=pattern, errors="coerce", utc=with_offset)
        except (ValueError, TypeError):
            return np.full(len(text), NO_MOMENT)
    if not with_offset:
        first = np.ones(len(read), bool)
        read = read.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return read.dt.tz_convert(UTC).dt.tz_localize(None).to_numpy().astype("datetime64[us]")


def numbers(cells: Sequence[str], field: str, refuse: Refuse) -> Floats:
    """Numbers (NaN for an empty cell)."""

    try:
        found = np.array([float(c) if c else np.nan for c in cells])
        if np.isfinite(found).sum() == sum(1 for c in cells if c) and not any("_" in c for c in cells):
            return found
    except ValueError:
        pass
    found = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        if not cell.strip():
            continue
        value = _number(cell)
        if value is None:
            refuse(i, field, NotANumber(value=shown(cell)))
        else:
            found[i] = value
    return found


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if np.isfinite(value) and "_" not in cell else None


class Words:
    """Words of a field: what the mapping translates, then our own names, then `otherwise`; an empty cell is `default`."""

    def __init__(
        self, field: str, known: Mapping[str, str], translate: Mapping[str, str], default: str | None,
        otherwise: str | None, unknown: Callable[[str], ChengmaiError] | None = None,
    ) -> None:  # fmt: skip
        self.field, self.default, self.otherwise = field, default, otherwise
        self.unknown = unknown or (lambda word: UnknownWord(value=word, field=field))
        self._table = {key(w): code for w, code in known.items()}
        self._table |= {key(w): code for w, code in translate.items()}
        self._seen: dict[str, str | None] = {}

    def read(self, cells: Sequence[str], refuse: Refuse) -> list[str]:
        """The code of each cell; "" where a cell is empty and there is no default."""
        seen = self._seen
        for cell in set(cells) - seen.keys():
            if len(seen) > 100_000:
                seen.clear()
            seen[cell] = self._code(cell)
        codes = [seen[cell] if cell in seen else self._code(cell) for cell in cells]
        if None in codes:
            for i, code in enumerate(codes):
                if code is None:
                    refuse(i, self.field, self.unknown(shown(cells[i])))
        return [code or "" for code in codes]

    def _code(self, cell: str) -> str | None:
        word = key(cell)
        if not word:
            return self.default or ""
        return self._table.get(word, self.otherwise)


def texts(cells: Sequence[str], field: str, refuse: Refuse, *, needed: bool = False) -> list[str]:
    """Trimmed texts without control characters and within the limit of the field. `=cmd` is text like any other."""
    limit = LIMITS[field]
    kept = [c.strip() for c in cells]
    if not "".join(kept).isprintable():
        kept = [c if c.isprintable() else _printable(c) for c in kept]
    if max(map(len, kept), default=0) > limit:
        for i, text in enumerate(kept):
            if len(text) > limit:
                refuse(i, field, TextTooLong(field=field, limit=limit))
                kept[i] = ""
    if needed and not all(kept):
        for i, text in enumerate(kept):
            if not text and len(cells[i]) <= limit:
                refuse(i, field, TextMissing(field=field))
    return kept


def _printable(text: str) -> str:
    return "".join(c for c in text if c in "\n\t" or c.isprintable() or c == "\u3000").strip()


def refuse_nul(rows: Sequence[Sequence[str]], refuse_cell: Callable[[int, int, ChengmaiError], None]) -> None:
    """Name every cell that holds a NUL: PostgreSQL cannot keep it, and no text should."""
    for i, row in enumerate(rows):
        for column, cell in enumerate(row):
            if "\0" in cell:
                refuse_cell(i, column, NulCharacter())


def any_of(value: Any) -> str | None:
    """A default of the mapping as a cell would hold it."""
    return None if value is None else str(value)

"""What became of a file: counts, and every error with its cell. The shape is stable: other people's scripts read it."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any

from gis.errors import ChengmaiError
from webapp.i18n import words

ERRORS_TOLD = 1000
LINES_KEPT = 500_000
SAID_OF_A_ROW = 10


class Report:
    """Collects while a file is read. Refused rows are all counted; of the errors the first thousand are told."""

    def __init__(self, language: str = "zh", *, good_rows: bool = False) -> None:
        self.language, self.good_rows = language, good_rows
        self.lines: dict[int, list[str]] = {}
        self.batch_id: int | None = None
        self.read = self.added = self.unchanged = self.not_located = 0
        self.warnings: Counter[str] = Counter()
        self.file_errors = 0
        self._refused: set[int] = set()
        self._errors: list[dict[str, Any]] = []

    @property
    def refused(self) -> int:
        return len(self._refused)

    @property
    def failed(self) -> bool:
        """One refused row refuses the batch, unless somebody asked for the good rows."""
        return bool(self.file_errors or (self._refused and not self.good_rows))

    def refuse(self, row: int | None, column: str | None, error: ChengmaiError) -> None:
        """Say what is wrong with a cell; `row` None means the file itself."""
        if row is None:
            self.file_errors += 1
        else:
            self._refused.add(row)
            self._tell(row, column, error)
        if len(self._errors) < ERRORS_TOLD:
            self._errors.append({"row": row, "column": column, "code": error.code, "message": self.sentence(error)})

    def _tell(self, row: int, column: str | None, error: ChengmaiError) -> None:
        """Keep the sentence for the error column; no row needs more than a few, no file more than many."""
        if len(self.lines) < LINES_KEPT or row in self.lines:
            said = self.lines.setdefault(row, [])
            if len(said) < SAID_OF_A_ROW:
                said.append(f"{column}: {self.sentence(error)}" if column else self.sentence(error))

    def column(self) -> dict[int, str]:
        """The error column: row -> its sentences."""
        return {row: "; ".join(said) for row, said in self.lines.items()}

    def sentence(self, error: ChengmaiError) -> str:
        """The error in the language of the settings; a parameter that is itself a word is translated too."""
        known = self._known
        params = {k: known.get(f"field:{v}" if k == "field" else str(v), v) for k, v in error.params.items()}
        return known.get(error.template(), error.template()) % params

    def word(self, kind: str, value: str) -> str:
        """A word of the report in its language, as `webapp.i18n.word` does for screens."""
        return self._known.get(f"{kind}:{value}", value.replace("_", " "))

    @cached_property
    def _known(self) -> dict[str, str]:
        return words(self.language)

    def as_dict(self) -> dict[str, Any]:
        """The report; the errors in the order of the rows."""
        told = sorted(self._errors, key=lambda e: (e["row"] is not None, e["row"] or 0))
        return {
            "read": self.read, "added": self.added, "unchanged": self.unchanged, "refused": self.refused,
            "not_located": self.not_located, "errors": told,
        }  # fmt: skip

    def counts(self) -> dict[str, int]:
        """What the batch and the journal keep."""
        return {"read": self.read, "added": self.added, "unchanged": self.unchanged,
                "not_located": self.not_located, **+self.warnings}  # fmt: skip

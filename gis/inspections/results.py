"""The results of a period: score and record of every unit and contractor, each rate with its own numerator and denominator. Pure.

Nothing here names a person: the page, the Excel file and the Word file may be shown to anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from gis.inspections.consequence_rules import Rate, Score, score


@dataclass(frozen=True)
class Line:
    """One body: how many inspections, its score, its breaches of what was asked, and what became of them."""

    id: int
    name: str
    inspections: int
    score: Score
    breach: Rate
    serious: int
    rectified: Rate
    failed: int
    late: int
    stops: int
    rank: int | None = None


def quarter(year: int, number: int) -> tuple[date, date]:
    """The first day of a quarter, and the first one after it."""
    last = (year + 1, 1) if number == 4 else (year, number * 3 + 1)
    return date(year, number * 3 - 2, 1), date(*last, 1)


def lines(
    whose: str, names: Mapping[int, str], answered: Iterable[Mapping[str, Any]], record: Iterable[Mapping[str, Any]],
    weights: dict[tuple[str, str], int],
) -> list[Line]:  # fmt: skip
    """One line for each body with anything in the period, the best first; what has no data stands last and has no rank.

    The rank goes by the score where there is one, else by the breach rate; equal bodies share a rank.
    """
    said: dict[int, list[tuple[str, str, str, str]]] = {}
    for row in answered:
        if row[whose] is not None:
            said.setdefault(row[whose], []).append((row["inspection"], row["code"], row["item"], row["answer"]))
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in record:
        if row[whose] is not None:
            found.setdefault(row[whose], []).append(row)
    made = [_line(i, names.get(i, str(i)), said.get(i, []), found.get(i, []), weights) for i in sorted({*said, *found})]
    return _ranked(made)


def _line(
    number: int, name: str, said: Sequence[tuple[str, str, str, str]], found: Sequence[Mapping[str, Any]],
    weights: dict[tuple[str, str], int],
) -> Line:  # fmt: skip
    noes = sum(answer == "no" for *_rest, answer in said)
    return Line(
        number, name, len({inspection for inspection, *_rest in said}), score(weights, said), Rate(noes, len(said)),
        sum(f["severity"] == "serious" for f in found), Rate(sum(f["status"] == "closed" for f in found), len(found)),
        sum(f["failed_times"] for f in found), sum(f["late"] for f in found), sum(f["stopped"] for f in found),
    )  # fmt: skip


def _key(line: Line) -> tuple[int, float]:
    if line.score.percent is not None:
        return 0, -line.score.percent
    return (1, line.breach.percent) if line.breach.percent is not None else (2, 0.0)


def _ranked(made: list[Line]) -> list[Line]:
    ordered = sorted(made, key=lambda line: (*_key(line), line.id))
    out: list[Line] = []
    for n, line in enumerate(ordered, 1):
        same = out and _key(out[-1]) == _key(line)
        rank = None if _key(line)[0] == 2 else out[-1].rank if same else n
        out.append(Line(**{**vars(line), "rank": rank}))
    return out

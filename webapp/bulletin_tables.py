"""A bulletin as tables of cells, for Word, PDF and Excel: every rate with its numerator and its denominator beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from webapp.bulletin_words import Json, local, name_of, number, percent, signed
from webapp.i18n import word

SHORT = ("closing", "on_time", "result_satisfaction")
FULL = (
    "on_time",
    "closing",
    "response",
    "solving",
    "process_satisfaction",
    "result_satisfaction",
    "return",
    "rework",
    "repeat",
)


@dataclass(frozen=True)
class Percent:
    """A percentage, or no data."""

    value: float | None

    def __str__(self) -> str:
        return percent(self.value)


@dataclass(frozen=True)
class Change:
    """A change in percentage points or per cent, or no data."""

    value: float | None

    def __str__(self) -> str:
        return signed(self.value)


Cell = str | int | float | Percent | Change | None


@dataclass(frozen=True)
class Table:
    """A heading of columns, rows of cells, and a sentence below them."""

    key: str
    title: str
    heading: list[str]
    rows: list[list[Cell]]
    note: str = ""


def text(cell: Cell) -> str:
    """A cell as it is printed."""
    if cell is None:
        return "—"
    return number(cell) if isinstance(cell, int | float) else str(cell)


def tables(body: Json, *, full: bool) -> list[Table]:
    """All tables of a bulletin in their order. `full` has every rate of every row, for Excel; else what fits a page."""
    level = word("area_level", body["area_level"])
    found = [_rates(body), _figures(body)]
    for kind, title in (("area", _("By area: %(level)s", level=level)), ("unit", _("By answering body"))):
        found.append(_ranked(body, kind, title, full))
    found.append(_parts(body, "channel", _("By channel"), full))
    found.append(_parts(body, "category", _("By category"), full))
    if full:
        found.append(_parts(body, "group", _("By kind of matter"), full))
    found += _lists(body)
    found.append(_definitions(body))
    return [table for table in found if table.rows]


def _rates(body: Json) -> Table:
    words = {row["key"]: row for row in body["definitions"]}
    rows: list[list[Cell]] = []
    for row in body["rates"]:
        names = (word("measure", words[row["key"]][part]) for part in ("numerator", "denominator"))
        rows.append([
            word("rate", row["key"]), Percent(row["percent"]), " / ".join(names), row["numerator"], row["denominator"],
            Percent(row["previous"]["percent"]), Change(row["points_previous"]), Percent(row["last_year"]["percent"]),
            Change(row["points_last_year"]), Percent(row["baseline"]) if row["baseline"] is not None else None,
        ])  # fmt: skip
    heading = [_("Rate"), _("Per cent"), _("What over what"), _("Numerator"), _("Denominator"), _("Period before"),
               _("Points"), _("Last year"), _("Points"), _("Baseline")]  # fmt: skip
    return Table("rates", _("Rates"), heading, rows)


def _figures(body: Json) -> Table:
    rows: list[list[Cell]] = [
        [word("measure", row["key"]), row["count"], _known(row["previous"]), Change(row["growth_previous"]),
         _known(row["last_year"]), Change(row["growth_last_year"])]
        for row in body["figures"]
    ]  # fmt: skip
    heading = [_("Figure"), _("Count"), _("Period before"), "%", _("Last year"), "%"]
    return Table("figures", _("All figures"), heading, rows)


def _known(value: int | None) -> Cell:
    return _("no data") if value is None else value


def _triples(row: Json, keys: Sequence[str], full: bool) -> list[Cell]:
    cells: list[Cell] = []
    for key in keys:
        found = row["rates"][key]
        cells += [found["numerator"], found["denominator"]] if full else []
        cells.append(Percent(found["percent"]))
    return cells


def _titles(keys: Sequence[str], full: bool, words: dict[str, Json]) -> list[str]:
    titles = []
    for key in keys:
        pair = [f"{word('rate', key)}{_(': ')}{word('measure', words[key][p])}" for p in ("numerator", "denominator")]
        titles += [*(pair if full else []), word("rate", key)]
    return titles


def _ranked(body: Json, kind: str, title: str, full: bool) -> Table:
    keys, counts = (FULL if full else SHORT), ("accepted", "filed", "due", "closed", "on_time")
    words = {row["key"]: row for row in body["definitions"]}
    rows: list[list[Cell]] = []
    for row in body["areas" if kind == "area" else "units"]:
        meets = None if row["meets"] is None else _("meets") if row["meets"] else _("below")
        rank = _("not ranked") if row["rank"] is None else row["rank"]
        cells: list[Cell] = [rank, name_of(row, kind), *(row["counts"][c] for c in counts)]
        rows.append([*cells, *_triples(row, keys, full), meets])
    heading = [
        _("Rank"),
        _("Which one"),
        *(word("measure", c) for c in counts),
        *_titles(keys, full, words),
        _("Baseline"),
    ]
    note = _("Ranked by %(rate)s; equal shares have the same rank.", rate=word("rate", body["rank_by"]))
    return Table(f"{kind}s", title, heading, rows, note)


def _parts(body: Json, kind: str, title: str, full: bool) -> Table:
    keys = FULL if full else SHORT[:2]
    words = {row["key"]: row for row in body["definitions"]}
    source = {"channel": "channels", "category": "categories", "group": "category_groups"}[kind]
    rows: list[list[Cell]] = []
    for row in body[source]:
        cells: list[Cell] = [
            name_of(row, kind),
            row["counts"]["accepted"],
            Percent(row["share"]["percent"]),
            row["counts"]["filed"],
        ]
        cells += [Percent(row["filed_share"]["percent"])] if kind == "channel" else []
        rows.append([*cells, *_triples(row, keys, full)])
    if rows and kind != "group":
        whole = {row["key"]: row["count"] for row in body["figures"]}
        rates = {row["key"]: row for row in body["rates"]}
        total: list[Cell] = [
            _("In all"),
            whole["accepted"],
            None,
            whole["filed"],
            *([None] if kind == "channel" else []),
        ]
        rows.append([*total, *_triples({"rates": rates}, keys, full)])
    filed_share = [_("Share of filed")] if kind == "channel" else []
    heading = [_("Which one"), word("measure", "accepted"), _("Share"), word("measure", "filed"), *filed_share,
               *_titles(keys, full, words)]  # fmt: skip
    return Table(source, title, heading, rows)


def _lists(body: Json) -> list[Table]:
    def base(row: Json) -> list[Cell]:
        return [row["hotline_no"], name_of({**row, "name": row["category_zh"], "name_en": row["category_en"]}, "category"),
                row["place"], row["unit"] or _("No body named")]  # fmt: skip

    heading = [_("Number"), _("Category"), _("Place"), _("Answering unit")]
    repeated: list[list[Cell]] = [[*base(row), row["times"]] for row in body["repeated"]]
    supervised: list[list[Cell]] = [[*base(row), local(row["key_since"])] for row in body["supervised"]["rows"]]
    late: list[list[Cell]] = [[*base(row), local(row["resolve_by"])] for row in body["overdue"]["rows"]]
    return [
        Table("repeated", _("Matters told more than once"), [*heading, _("Times")], repeated),
        Table("supervised", _("Key supervision: %(n)s", n=body["supervised"]["count"]), [*heading, _("Since")], supervised,
              _more(body["supervised"])),
        Table("overdue", _("Open after the time limit: %(n)s", n=body["overdue"]["count"]),
              [*heading, _("To be closed by")], late, _more(body["overdue"])),
    ]  # fmt: skip


def _more(listed: Json) -> str:
    hidden = listed["count"] - len(listed["rows"])
    return _("%(n)s more are not printed.", n=hidden) if hidden else ""


def _definitions(body: Json) -> Table:
    rows: list[list[Cell]] = []
    for row in body["definitions"]:
        parts = [f"{word('measure', row[p])}{_(': ')}{_(row[f'{p}_words'])}" for p in ("numerator", "denominator")]
        rows.append([word("rate", row["key"]), *parts, row["source"]])
    heading = [_("Rate"), _("Numerator"), _("Denominator"), _("Source")]
    note = _("A rate without a denominator is told as “no data”.")
    return Table("definitions", _("How it is counted"), heading, rows, note)

"""A bulletin: everything that is counted of a period, put together. Plain values only, so that it is kept as it was printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from gis.complaints.privacy import masked_text
from gis.complaints.queries import Filters
from gis.errors import Missing
from gis.oversight import counting_queries as asking
from gis.oversight import rollup_queries
from gis.oversight.counting_queries import AS_SHIPPED, Asked, Counted, Counting, Narrow
from gis.oversight.periods import Period
from gis.oversight.rates import (
    MEASURES,
    RATES,
    TREND_DAYS,
    Rate,
    RateKey,
    arrow,
    growth,
    parts,
    per,
    points,
    ranking,
    rate,
)
from gis.people.rules import Scope
from gis.places.rules import AreaLevel

FIGURES = ("accepted", "filed", "repeated", "cancelled", "passed_on", "returned", "due", "closed", "on_time", "late",
           "reworked", "called", "reached", "unreachable")  # fmt: skip
_BELOW = {
    AreaLevel.CITY: AreaLevel.DISTRICT,
    AreaLevel.DISTRICT: AreaLevel.STREET,
    AreaLevel.STREET: AreaLevel.COMMUNITY,
}
Json = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What a bulletin is about: a period, perhaps one district or one body, and the rate that ranks them."""

    period: Period
    district: int | None = None
    unit: int | None = None
    rank_by: RateKey = RateKey.ON_TIME
    rules: Counting = AS_SHIPPED


@dataclass(frozen=True)
class Bulletin:
    """Figures, rates with numerator and denominator, tables by group, lists. `as_dict` is what JSON and the archive hold."""

    period: Json
    subject: Json
    figures: list[Json]
    rates: list[Json]
    per_day: Json
    per_100_households: Json
    rank_by: str
    areas: list[Json]
    area_level: str
    units: list[Json]
    channels: list[Json]
    categories: list[Json]
    category_groups: list[Json]
    trend: list[Json]
    repeated: list[Json]
    supervised: Json
    overdue: Json
    definitions: list[Json]

    def as_dict(self) -> Json:
        """Plain JSON values."""
        return asdict(self)


def asked_of(session: Session, scope: Scope, question: Question) -> Asked:
    """Whose complaints a question is about; the table of areas is by the level below the one that is looked at."""
    for thing, chosen, own in (("area", question.district, scope.area_id), ("unit", question.unit, scope.unit_id)):
        if own is not None and chosen not in (None, own):
            raise Missing(thing=thing, id=chosen)
    bound = question.district if question.district is not None else scope.area_id
    level = asking.level_of(session, bound) if bound is not None else AreaLevel.CITY
    if level is None or (question.unit and not asking.unit_names(session, [question.unit])):
        raise Missing(thing="area" if level is None else "unit", id=bound if level is None else question.unit)
    within = Narrow(area=question.district, unit=question.unit)
    return Asked(scope, question.rules, within, _BELOW.get(level, AreaLevel.COMPOUND))


def bulletin(session: Session, scope: Scope, question: Question, zone: tzinfo, now: datetime) -> Bulletin:
    """Everything about a period as it can be told by `now`, with the period before (环比) and the same dates last year (同比)."""
    period, asked = question.period, asked_of(session, scope, question)
    span = period.span(zone, now)
    before, year = period.previous(), period.last_year()
    counted = asking.count(session, asked, span)
    then, back = (asking.count(session, asked, period.elapsed(p, zone, now), grouped=False) for p in (before, year))
    limits = asking.baselines(session, period.last)
    bound = question.district if question.district is not None else scope.area_id
    homes = asking.households(session, bound) or 0
    days = _days(period, zone, now)
    accepted = counted.whole["accepted"]
    groups = _Groups(session, counted, question.rank_by, limits.get(question.rank_by))
    categories = groups.categories()
    return Bulletin(
        period=_period(period, span.until, period.is_running(zone, now), zone, before, year),
        subject=_subject(session, scope, question),
        figures=[_figure(key, counted, then, back) for key in FIGURES],
        rates=[_rate(key, counted, then, back, limits) for key in RATES],
        per_day=_per(accepted, days, 1, "1"),
        per_100_households=_per(accepted, homes, 100, "0.1"),
        rank_by=str(question.rank_by),
        areas=groups.areas(),
        area_level=str(asked.level),
        units=groups.units(),
        channels=groups.channels(),
        categories=categories,
        category_groups=_grouped(categories),
        trend=_trend(session, scope, question, zone, now),
        repeated=[_card(r) for r in asking.repeated_matters(session, asked, span)],
        supervised=_list(asking.supervised(session, asked, span)),
        overdue=_list(asking.overdue(session, asked, span)),
        definitions=[_definition(key) for key in RATES],
    )


# --- parts ---------------------------------------------------------------------------------------------------------------
def _period(period: Period, until: datetime, running: bool, zone: tzinfo, before: Period, year: Period) -> Json:
    return {
        "kind": str(period.kind), "first": period.first.isoformat(), "last": period.last.isoformat(), "running": running,
        "as_of": until.astimezone(zone).isoformat(timespec="seconds"),
        "previous": [before.first.isoformat(), before.last.isoformat()],
        "last_year": [year.first.isoformat(), year.last.isoformat()],
    }  # fmt: skip


def _subject(session: Session, scope: Scope, question: Question) -> Json:
    """Whom it is about: the city, or an area, or a body, by id and name."""
    area = question.district if question.district is not None else scope.area_id
    unit = question.unit if question.unit is not None else scope.unit_id
    return {
        "area_id": area, "area": asking.area_names(session, [area]).get(area) if area else None,
        "unit_id": unit, "unit": asking.unit_names(session, [unit]).get(unit) if unit else None,
    }  # fmt: skip


def _days(period: Period, zone: tzinfo, now: datetime) -> int:
    """The days of a period that have begun."""
    today = now.astimezone(zone).date()
    return max(0, (min(period.last, today) - period.first).days + 1)


def _per(number: int, of: int, each: int, places: str) -> Json:
    found = per(number, of, each, places)
    value = None if found is None else int(found) if places == "1" else float(found)
    return {"count": number, "of": of, "each": each, "value": value}


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _figure(key: str, now: Counted, before: Counted, year: Counted) -> Json:
    found: Json = {"key": key, "count": now.whole[key]}
    for name, earlier in (("previous", before), ("last_year", year)):
        count = None if earlier.is_empty else earlier.whole[key]
        change = None if count is None else growth(now.whole[key], count)
        found |= {name: count, f"growth_{name}": _number(change), f"arrow_{name}": arrow(change)}
    return found


def _trend(session: Session, scope: Scope, question: Question, zone: tzinfo, now: datetime) -> list[Json]:
    """What came and went on each of the ninety days up to the end of the period, or up to today."""
    last = min(question.period.last, now.astimezone(zone).date())
    chosen = Filters(
        district=() if question.district is None else (question.district,),
        unit=() if question.unit is None else (question.unit,),
    )
    days = rollup_queries.trend(session, scope, chosen, last, TREND_DAYS, zone)
    return [{"day": d.day.isoformat(), "received": d.received, "closed": d.closed} for d in days]


def _rate(
    key: RateKey, now: Counted, before: Counted, year: Counted, limits: Mapping[str, tuple[Decimal, str]]
) -> Json:
    mine = rate(key, now.whole)
    found: Json = {"key": str(key), **mine.as_dict()}
    for name, earlier in (("previous", before), ("last_year", year)):
        theirs = rate(key, earlier.whole)
        change = points(mine, theirs)
        found |= {name: theirs.as_dict(), f"points_{name}": _number(change), f"arrow_{name}": arrow(change)}
    limit, source = limits.get(key, (None, ""))
    better = RATES[key].more_is_better
    place = ranking([mine], more_is_better=better is not False, baseline=limit)[0]
    return found | {
        "baseline": _number(limit),
        "baseline_source": source,
        "meets": place.meets if limit is not None else None,
    }


def _definition(key: RateKey) -> Json:
    d = RATES[key]
    return {"key": str(key), "numerator": d.numerator, "denominator": d.denominator, "source": d.source,
            "numerator_words": MEASURES[d.numerator].words, "denominator_words": MEASURES[d.denominator].words}  # fmt: skip


class _Groups:
    """The tables by district, body, channel and category."""

    def __init__(self, session: Session, counted: Counted, rank_by: RateKey, limit: tuple[Decimal, str] | None) -> None:
        self.session, self.counted, self.rank_by = session, counted, rank_by
        self.limit = limit[0] if limit else None

    def areas(self) -> list[Json]:
        found = self.counted.groups["area"]
        names = asking.area_names(self.session, [key for key in found if key is not None])
        return self._ranked([self._row(key, names.get(key), counts) for key, counts in found.items()])

    def units(self) -> list[Json]:
        found = self.counted.groups["unit"]
        names = asking.unit_names(self.session, [key for key in found if key is not None])
        return self._ranked([self._row(key, names.get(key), counts) for key, counts in found.items()])

    def channels(self) -> list[Json]:
        """Every channel with its share of what was received and of what was filed; what they leave over, if anything."""
        found, whole = self.counted.groups["channel"], self.counted.whole
        by_size = sorted(found, key=lambda key: (-found[key]["accepted"], key))
        filed = {key: found[key]["filed"] for key in found}
        rows = []
        for part in parts(whole["accepted"], {key: found[key]["accepted"] for key in by_size}):
            own = filed[part.key] if part.key is not None else whole["filed"] - sum(filed.values())
            counts = found[part.key] if part.key is not None else {"accepted": part.count, "filed": own}
            row = self._row(part.key, None, counts)
            rows.append(row | {"share": part.share.as_dict(), "filed_share": Rate(own, whole["filed"]).as_dict()})
        return rows

    def categories(self) -> list[Json]:
        """In the dictionary's order, with both names."""
        found, names = self.counted.groups["category"], asking.category_names(self.session)
        order = {code: n for n, code in enumerate(names)}
        rows = []
        for code in sorted(found, key=lambda code: (order.get(code, len(order)), code)):
            chinese, english = names.get(code, (code, code))
            share = Rate(found[code]["accepted"], self.counted.whole["accepted"]).as_dict()
            rows.append(self._row(code, chinese, found[code]) | {"name_en": english, "share": share})
        return rows

    def _row(self, key: Any, name: str | None, counts: Mapping[str, int]) -> Json:
        return {
            "key": key, "name": name, "counts": {m: counts.get(m, 0) for m in MEASURES},
            "rates": {str(k): rate(k, counts).as_dict() for k in RATES},
        }  # fmt: skip

    def _ranked(self, rows: list[Json]) -> list[Json]:
        """Best first, those without data last; whoever has no name (no district, no body) is listed and not ranked."""
        named = [r for r in rows if r["key"] is not None]
        rates = [Rate(r["rates"][self.rank_by]["numerator"], r["rates"][self.rank_by]["denominator"]) for r in named]
        better = RATES[self.rank_by].more_is_better is not False
        for row, place in zip(named, ranking(rates, more_is_better=better, baseline=self.limit), strict=True):
            row |= {"rank": place.rank, "meets": place.meets}
        for row in rows:
            row.setdefault("rank", None)
            row.setdefault("meets", None)
        return sorted(rows, key=_order)


def _order(row: Json) -> tuple[Any, ...]:
    unranked = row["rank"] is None
    return (
        row["key"] is None,
        unranked,
        row["rank"] or 0,
        -row["counts"]["accepted"],
        str(row["name"]),
        str(row["key"]),
    )


def _grouped(categories: Sequence[Json]) -> list[Json]:
    """The categories by the beginning of their code: heat, water, …; the same measures, added up."""
    sums: dict[str, dict[str, int]] = {}
    for row in categories:
        target = sums.setdefault(row["key"].split(".")[0], dict.fromkeys(MEASURES, 0))
        for measure, number in row["counts"].items():
            target[measure] += number
    whole = sum(counts["accepted"] for counts in sums.values())
    return [
        {"key": prefix, "name": None, "counts": counts, "rates": {str(k): rate(k, counts).as_dict() for k in RATES},
         "share": Rate(counts["accepted"], whole).as_dict()}
        for prefix, counts in sums.items()
    ]  # fmt: skip


def _list(found: tuple[int, Iterable[Mapping[str, Any]]]) -> Json:
    many, rows = found
    return {"count": many, "rows": [_card(row) for row in rows]}


def _card(row: Mapping[str, Any]) -> Json:
    """A complaint as a bulletin prints it: nobody's name, number or door."""
    plain = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
    return plain | {"place": masked_text(row["place"])}


def current(session: Session, scope: Scope, zone: tzinfo, now: datetime) -> date:
    """The day a page opens with: today, or that of the latest complaint where nothing was received since."""
    latest = asking.last_received(session, scope)
    return min(latest or now, now).astimezone(zone).date()

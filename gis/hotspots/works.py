"""From finding to work: what was made of a hotspot is kept with it, and later the same question is asked again: did it cool?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from geoalchemy2 import WKTElement
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.queries import Filters
from gis.db import SRID, naming_violations
from gis.geo import to_metres
from gis.hotspots import analysis
from gis.hotspots.analysis import Findings, Question
from gis.hotspots.model import HotspotWork
from gis.hotspots.rules import CONFIDENCE, FEWEST_STILL_HOT, CellShape, Chance, Ground, Label, Outcome, WorkKind
from gis.hotspots.tiling import cell_at
from gis.journal import Who
from gis.people.rules import Scope
from gis.places.queries import areas_at, within

SHOWN = 60
NOTE_MOST = 300
PLACE_MOST = 160


@dataclass(frozen=True)
class Found:
    """A finding as it was when somebody acted on it: the cell, what it held, and the period and question that showed it."""

    key: str
    lon: float
    lat: float
    place: str
    count: int
    z: float | None
    label: str
    first: date
    last: date
    question: Question


def answer(
    session: Session, who: Who, kind: WorkKind, thing_id: int, found: Found, acts_on: date, note: str = ""
) -> HotspotWork:
    """Keep what was made of a finding. `acts_on` is the first day on which it can have had an effect. Raises AlreadyAnswered."""
    area = areas_at(session, found.lon, found.lat)
    row = HotspotWork(
        kind=kind, thing_id=thing_id, made_at=who.now, made_by=who.user_id, first=found.first, last=found.last,
        acts_on=max(acts_on, found.last + timedelta(days=1)), place=found.place[:PLACE_MOST], cell_key=found.key,
        geom=WKTElement(f"POINT({found.lon} {found.lat})", srid=SRID), district_id=area.district_id,
        question=as_dict(found.question), count=found.count, z=found.z, label=found.label, note=note.strip()[:NOTE_MOST],
    )  # fmt: skip
    with naming_violations(session):
        session.add(row)
        session.flush()
    journal.write(session, who, "answer", "hotspot", row.id, version=row.version, area_id=row.district_id, kind=str(kind),
                  made=thing_id)  # fmt: skip
    session.flush()
    return row


def as_dict(question: Question) -> dict[str, Any]:
    """A question without its period, to be asked again."""
    chosen = question.filters
    return {
        "cell_m": question.cell_m, "reach_m": question.reach_m, "ground": str(question.ground), "shape": str(question.shape),
        "chance": str(question.chance), "category": list(chosen.category), "district": list(chosen.district),
    }  # fmt: skip


def _asked(kept: Mapping[str, Any], since: datetime, until: datetime) -> Question:
    filters = Filters(category=tuple(kept["category"]), district=tuple(kept["district"]), since=since, until=until)
    return Question(
        filters,
        kept["cell_m"],
        kept["reach_m"],
        Ground(kept["ground"]),
        CellShape(kept["shape"]),
        Chance(kept["chance"]),
    )


@dataclass(frozen=True)
class Became:
    """What became of a place: the days that are compared, and what it held in them (`None` while they are not over)."""

    outcome: Outcome
    first: date
    last: date
    count: int | None
    z: float | None
    label: Label


def listing(
    session: Session, scope: Scope, first: date | None = None, last: date | None = None
) -> Sequence[Mapping[str, Any]]:
    """What was made of hotspots, newest first; with days, those whose effect can show between them."""
    asked = select(
        *HotspotWork.__table__.c, func.ST_X(HotspotWork.geom).label("lon"), func.ST_Y(HotspotWork.geom).label("lat")
    )
    mine = within(scope)
    if mine is not None:
        asked = asked.where(HotspotWork.district_id.in_(mine))
    if first is not None and last is not None:
        asked = asked.where(HotspotWork.first <= last, HotspotWork.acts_on <= last)
    asked = asked.order_by(HotspotWork.made_at.desc(), HotspotWork.id.desc()).limit(SHOWN)
    return [dict(row) for row in session.execute(asked).mappings()]


def became(
    session: Session, rows: Sequence[Mapping[str, Any]], scope: Scope, now: datetime, zone: tzinfo
) -> list[Became]:  # fmt: skip
    """Did each cool? The same question over as many days from `acts_on` on, against all cells of those days, not against before:
    so a warm week that cools the whole city cools no hotspot."""
    today = now.astimezone(zone).date()
    asked: dict[tuple[Any, ...], Findings | None] = {}
    told = []
    for row in rows:
        first = row["acts_on"]
        last = first + (row["last"] - row["first"])
        if last >= today:
            told.append(Became(Outcome.WAITING, first, last, None, None, Label.NO_DATA))
            continue
        since, until = (datetime.combine(day, time(), zone) for day in (first, last + timedelta(days=1)))
        question = _asked(row["question"], since, until)
        key = (*sorted((name, str(value)) for name, value in row["question"].items()), first, last)
        if key not in asked:
            asked[key] = analysis.find(session, question, scope, now)
        told.append(replace(_at(asked[key], row["lon"], row["lat"]), first=first, last=last))
    return told


def _at(found: Findings | None, lon: float, lat: float) -> Became:
    """What a place holds now."""
    nothing = Became(Outcome.UNKNOWN, date.min, date.min, None, None, Label.NO_DATA)
    if found is None:
        return nothing
    x, y = to_metres([lon], [lat], found.near_lon)
    cell = cell_at(found.tiling, float(x[0]), float(y[0]))
    if cell is None:
        return nothing
    count, z = int(found.counts[cell]), float(found.z[cell])
    if z != z:  # no variance, or no longer among the cells that are compared because nobody complains there any more
        outcome = Outcome.COOLED if count == 0 and found.comparable else Outcome.UNKNOWN
        return replace(nothing, outcome=outcome, count=count)
    label = CONFIDENCE[int(found.confidence[cell])]
    hot = found.confidence[cell] > 0 and count >= FEWEST_STILL_HOT
    outcome = Outcome.STILL_HOT if hot else Outcome.COOLED
    return replace(nothing, outcome=outcome, count=count, z=z, label=label)

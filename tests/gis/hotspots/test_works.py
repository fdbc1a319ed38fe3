"""From finding to work: what was made of a hotspot, and whether it cooled."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gis.complaints.queries import Filters
from gis.hotspots import analysis, cells, works
from gis.hotspots.analysis import Question
from gis.hotspots.model import HotspotWork
from gis.hotspots.rules import AlreadyAnswered, CellShape, Ground, Outcome, WorkKind
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, square

LON, LAT = PINGDU
ZONE = ZoneInfo("Asia/Shanghai")
FIRST, LAST, ACTS = date(2009, 11, 1), date(2009, 11, 7), date(2009, 11, 9)


def _complain(session, district, day, n, lon=LON):
    for i in range(n):
        at = datetime(2009, 11, day, 12, tzinfo=ZONE)
        make_complaint(session, at=(lon, LAT + 0.0001 * i), district_id=district.id, received_at=at)


def _week(session, district, day, n):
    """A week from `day` on: n complaints at the place, a few everywhere else."""
    _complain(session, district, day, n)
    for i in range(14):
        _complain(session, district, day + i % 7, 1, LON - 0.045 + 0.0064 * i)


def _found(session, shape=CellShape.SQUARE):
    since, until = (datetime.combine(d, datetime.min.time(), ZONE) for d in (FIRST, LAST + timedelta(days=1)))
    question = Question.of(Filters(since=since, until=until), 500.0, 500.0, Ground.ALL, shape)
    found = analysis.find(session, question, CITY, NOW)
    cell = cells.cells(found)[0]
    return works.Found(
        cell.key, cell.lon, cell.lat, "云山小区", cell.count, cell.z, str(cell.label), FIRST, LAST, question
    )


@pytest.mark.parametrize(("then", "outcome"), [(20, Outcome.STILL_HOT), (1, Outcome.COOLED), (0, Outcome.COOLED)])
@pytest.mark.parametrize("shape", [CellShape.SQUARE, CellShape.HEXAGON])
def test_a_place_is_held_against_the_others_of_the_days_after(session, who, shape, then, outcome):
    district = make_area(session)
    _week(session, district, 1, 20)
    _week(session, district, 9, then)
    given = _found(session, shape)
    assert given.count >= 20 and given.label == "hot_99"
    row = works.answer(session, who, WorkKind.VISIT, 7, given, ACTS)
    rows = works.listing(session, CITY)
    assert [r["id"] for r in rows] == [row.id] and row.district_id == district.id
    later = datetime(2009, 11, 20, 9, tzinfo=ZONE)
    became = works.became(session, rows, CITY, later, ZONE)[0]
    assert (became.first, became.last) == (ACTS, date(2009, 11, 15))
    assert became.outcome is outcome
    assert then <= became.count <= then + 2


def test_days_that_are_not_over_are_waited_for(session, who):
    district = make_area(session)
    _week(session, district, 1, 20)
    works.answer(session, who, WorkKind.SPECIAL_WEEK, 3, _found(session), ACTS)
    told = works.became(session, works.listing(session, CITY), CITY, datetime(2009, 11, 15, 23, tzinfo=ZONE), ZONE)
    assert (told[0].outcome, told[0].count) == (Outcome.WAITING, None)


def test_a_finding_is_answered_once_in_the_same_way(session, who):
    district = make_area(session)
    _week(session, district, 1, 20)
    given = _found(session)
    works.answer(session, who, WorkKind.VISIT, 7, given, ACTS)
    works.answer(session, who, WorkKind.SPECIAL_WEEK, 8, given, ACTS)
    with pytest.raises(AlreadyAnswered), session.begin_nested():
        works.answer(session, who, WorkKind.VISIT, 9, given, ACTS)
    assert session.query(HotspotWork).count() == 2


def test_somebody_with_an_area_sees_what_was_done_there_alone(session, who):
    district, other = make_area(session), make_area(session, geom=square(LON + 0.3, LAT))
    _week(session, district, 1, 20)
    works.answer(session, who, WorkKind.VISIT, 7, _found(session), ACTS)
    assert len(works.listing(session, Scope(area_id=district.id))) == 1
    assert works.listing(session, Scope(area_id=other.id)) == []
    assert works.listing(session, CITY, date(2009, 10, 1), date(2009, 11, 8)) == []  # nothing can have shown yet
    assert len(works.listing(session, CITY, date(2009, 11, 9), date(2009, 11, 15))) == 1


def test_a_file_for_anybody_holds_no_cell_of_fewer_than_five(session):
    district = make_area(session)
    _week(session, district, 1, 20)
    found = analysis.find(session, Question.of(Filters(), 500.0, ground=Ground.ALL), CITY, NOW)
    told = analysis.at_least(found, 5)
    listed = cells.cells(told)
    assert [c.count >= 5 for c in listed] == [True] * len(listed) and 1 <= len(listed) < len(cells.cells(found))
    flat = cells.surface(told)
    whole = flat.per_km2.sum() * (flat.grid.cell_m / 1000) ** 2
    assert whole == pytest.approx(sum(c.count for c in listed), rel=0.02)

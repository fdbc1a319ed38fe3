"""Hexagons, communities, rates, permutations and weeks over what the database holds."""

from datetime import timedelta

import numpy as np
import pytest

from gis.complaints.queries import Filters
from gis.hotspots import analysis, cells, sheet_queries
from gis.hotspots.analysis import Question
from gis.hotspots.rules import CellShape, Chance, Course, Ground, Label, Measure, NoTracts, TooFewSteps
from gis.hotspots.weeks import weeks
from gis.people.rules import CITY
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, square

LON, LAT = PINGDU
TODAY = (NOW.date() - sheet_queries.EPOCH).days


def _question(shape=CellShape.SQUARE, cell=500.0, **more):
    filters = Filters(**{k: more.pop(k) for k in ("since", "until", "district", "category", "status") if k in more})
    return Question.of(filters, cell, ground=Ground.ALL, shape=shape, **more)


def _city(session):
    """A district of 5 by 4 communities with households, most complaints in one of them."""
    district = make_area(session)
    random = np.random.default_rng(6)
    made = []
    for i in range(20):
        lon, lat = LON - 0.04 + 0.02 * (i % 5), LAT - 0.0375 + 0.025 * (i // 5)
        made.append(
            make_area(
                session, level="community", name=f"{i}社区", geom=square(lon, lat, 0.0095), households=40 + 200 * i
            )
        )
        for _ in range(25 if i == 7 else 2 + i % 3):
            make_complaint(session, at=(lon + float(random.uniform(-0.008, 0.008)), lat), district_id=district.id,
                           community_id=made[-1].id, received_at=NOW - timedelta(days=int(random.integers(0, 60))))  # fmt: skip
    return district, made


def test_hexagons_count_every_complaint_once_and_find_the_same_place(session):
    _city(session)
    found = analysis.find(session, _question(CellShape.HEXAGON), CITY, NOW)
    listed = cells.cells(found)
    assert sum(c.count for c in listed) == found.drawn == found.located
    assert listed[0].label is Label.HOT_99 and len(listed[0].corners) == 7
    plain = cells.cells(analysis.find(session, _question(), CITY, NOW))
    assert abs(listed[0].lon - plain[0].lon) < 0.012 and abs(listed[0].lat - plain[0].lat) < 0.012


def test_communities_are_compared_as_they_were_filed_and_named_by_themselves(session):
    _, made = _city(session)
    make_complaint(session, at=(LON, LAT), community_id=None)
    found = analysis.find(session, _question(CellShape.COMMUNITY), CITY, NOW)
    listed = cells.cells(found)
    names = cells.name_cells(session, listed, found)
    assert dict(zip(names, [c.count for c in listed], strict=True))["7社区"] == 25
    assert found.outside == 1  # filed under no community: told
    assert names[int(np.argmax([c.z for c in listed]))] in {made[i].name for i in (1, 2, 3, 6, 7, 8, 11, 12, 13)}
    assert [c.geometry.area for c in listed] == pytest.approx([0.019**2] * 20, rel=1e-3)


def test_without_communities_the_question_is_refused_with_a_sentence(session):
    make_area(session)
    with pytest.raises(NoTracts):
        analysis.find(session, _question(CellShape.COMMUNITY), CITY, NOW)


def test_a_rate_is_per_thousand_households_and_unknown_without_any(session):
    _, made = _city(session)
    made[3].households = 0
    session.flush()
    found = analysis.find(session, _question(CellShape.COMMUNITY), CITY, NOW)
    listed = cells.cells(found, Measure.RATE)
    by_name = dict(zip(cells.name_cells(session, listed, found), listed, strict=True))
    assert by_name["3社区"].rate is None and found.without_households == 1
    raw = 25 / (40 + 200 * 7) * 1000
    assert by_name["7社区"].rate < raw
    rates = [c.rate for c in listed if c.rate is not None]
    assert rates == sorted(rates, reverse=True) and listed[-1].rate is None
    # 2 among 40 households: raw the worst of all, shrunk far from it
    assert by_name["0社区"].rate < 2 / 40 * 1000 * 0.75


def test_households_of_a_compound_are_shared_among_its_cells(session):
    make_area(session)
    make_area(session, level="compound", geom=square(LON, LAT, 0.006), households=900)
    make_complaint(session)
    found = analysis.find(session, _question(cell=250.0), CITY, NOW)
    assert found.households.sum() == pytest.approx(900)
    assert 10 < (found.households > 0).sum() < 60


def test_a_new_compound_is_seen_at_once(session):
    make_area(session)
    make_complaint(session)
    assert analysis.find(session, _question(), CITY, NOW).households.sum() == 0
    make_area(session, level="compound", geom=square(LON, LAT, 0.006), households=70)
    assert analysis.find(session, _question(), CITY, NOW).households.sum() == pytest.approx(70)


def test_permuted_labels_agree_with_the_normal_ones_where_the_case_is_clear(session):
    _city(session)
    normal = analysis.find(session, _question(), CITY, NOW)
    thrown = analysis.find(session, _question(chance=Chance.PERMUTED), CITY, NOW)
    assert (normal.z[normal.mask] == thrown.z[thrown.mask]).all()
    top = np.unravel_index(np.nanargmax(normal.z), normal.z.shape)
    assert thrown.p[top] <= 0.004 and normal.confidence[top] == 3


def test_sheets_and_rows_give_the_same_cells(session):
    """The same selection once as the sheets know it, once by a filter that only the complaints know."""
    _city(session)
    for shape in (CellShape.SQUARE, CellShape.HEXAGON):
        packed = analysis.find(session, _question(shape), CITY, NOW)
        rows = analysis.find(session, _question(shape, status=("received",)), CITY, NOW)
        assert (packed.counts == rows.counts).all() and packed.counts.sum() > 80
        np.testing.assert_array_equal(packed.z, rows.z)
        assert sorted(packed.spots.day.tolist()) == sorted(rows.spots.day.tolist())


@pytest.mark.parametrize(
    ("per_week", "expected"),
    [
        ((12, 14, 12, 13, 15, 12, 14, 13), Course.PERSISTENT),
        ((0, 0, 0, 0, 0, 0, 0, 16), Course.EMERGING),
        ((0, 1, 2, 4, 7, 10, 14, 19), Course.EMERGING),
        ((22, 18, 15, 12, 9, 4, 0, 0), Course.FADING),
        ((0, 14, 0, 0, 15, 0, 13, 14), Course.SPORADIC),
        ((1, 0, 1, 0, 0, 1, 0, 1), Course.NONE),
    ],
)
def test_weeks_name_what_is_new_what_lasts_and_what_is_over(session, per_week, expected):
    make_area(session)
    random = np.random.default_rng(12)
    for week, n in enumerate(per_week):
        for i in range(n):
            make_complaint(
                session, at=(LON, LAT + 0.0001 * i), received_at=NOW - timedelta(days=7 * (7 - week) + i % 7)
            )
        for _ in range(12):
            at = random.uniform((LON - 0.045, LAT - 0.045), (LON + 0.045, LAT + 0.045))
            make_complaint(session, at=(float(at[0]), float(at[1])), received_at=NOW - timedelta(days=7 * week + 1))
    found = analysis.find(session, _question(cell=1000.0, reach_m=1000.0), CITY, NOW)
    told = weeks(found, TODAY - 55, TODAY)
    assert told.counts.shape[0] == 8 and told.counts.sum() == found.drawn
    listed = cells.cells(found, Measure.COURSE, weeks=told)
    here = min(listed, key=lambda c: (c.lon - LON) ** 2 + (c.lat - LAT) ** 2)
    assert here.course is expected


@pytest.mark.parametrize("days", [27, 61 * 7])
def test_a_period_of_too_few_or_too_many_weeks_is_refused(session, days):
    make_area(session)
    make_complaint(session)
    found = analysis.find(session, _question(), CITY, NOW)
    with pytest.raises(TooFewSteps):
        weeks(found, TODAY - days + 1, TODAY)

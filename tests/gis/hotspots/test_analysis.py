"""From rows to cells: scope, filters, the study area, and what is told instead of drawn."""

from datetime import timedelta

import numpy as np
import pytest
import shapely
from sqlalchemy import func, select

from gis.complaints.model import Complaint
from gis.complaints.queries import Filters
from gis.geo import to_metres
from gis.hotspots import analysis, density, queries, tiling
from gis.hotspots import cells as rows
from gis.hotspots.analysis import Question
from gis.hotspots.grounds import Cut
from gis.hotspots.rules import BadCell, BadReach, CellShape, Ground, Label, Measure, TooManyCells
from gis.hotspots.sheets import Spots
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, square
from tests.gis.hotspots.test_density import _esda_z

LON, LAT = PINGDU


def _question(cell=250.0, ground=Ground.ALL, **filters):
    return Question.of(Filters(**filters), cell, ground=ground)


def _nowhere():
    none = np.zeros(0, np.int32)
    return Spots(none, none, none, none, 0, 0)


def _around(session, lon=LON, lat=LAT, n=30, **fields):
    for i in range(n):
        make_complaint(session, at=(lon + 0.0004 * (i % 5), lat + 0.0004 * (i // 5)), **fields)


def test_a_cluster_is_hot_and_every_complaint_is_counted_once(session):
    district = make_area(session)
    _around(session, district_id=district.id)
    for i in range(25):
        make_complaint(session, at=(LON - 0.045 + 0.0037 * i, LAT + 0.04 - 0.003 * (i % 7)), district_id=district.id)
    found = analysis.find(session, _question(), CITY, NOW)
    cells = rows.cells(found)
    assert sum(c.count for c in cells) == found.drawn == 55
    assert cells[0].label is Label.HOT_99
    assert abs(cells[0].lon - LON) < 0.01
    assert [c.number for c in cells] == list(range(1, len(cells) + 1))
    assert found.cells_in_area > 1_500  # 9 km by 11 km: the empty cells count


def test_z_of_what_the_database_holds_equals_esda(session):
    make_area(session)
    random = np.random.default_rng(4)
    for x, y in random.normal((LON, LAT), 0.012, (300, 2)):
        make_complaint(session, at=(float(x), float(y)))
    found = analysis.find(session, _question(500.0), CITY, NOW)
    expected = _esda_z(found.counts, found.mask, 3)
    np.testing.assert_allclose(found.z[found.mask], expected, rtol=0, atol=1e-9)
    every = rows.cells(found, every=True)
    assert len(every) == found.cells_in_area
    assert sorted(c.z for c in every) == pytest.approx(sorted(expected), abs=1e-9)


def test_rows_without_a_place_are_told_and_never_drawn(session):
    make_area(session)
    make_complaint(session)
    make_complaint(session, at=None)
    make_complaint(session, at=None)
    found = analysis.find(session, _question(), CITY, NOW)
    assert (found.drawn, found.not_located, found.outside) == (1, 2, 0)


def test_rows_outside_every_district_are_told(session):
    make_area(session)
    make_complaint(session)
    make_complaint(session, at=(LON + 0.5, LAT))
    found = analysis.find(session, _question(), CITY, NOW)
    assert (found.drawn, found.outside) == (1, 1)


def test_filters_narrow_by_period_category_and_district(session):
    here, there = make_area(session), make_area(session, geom=square(LON + 0.2, LAT))
    make_complaint(session, district_id=here.id, category="heat.cold")
    make_complaint(session, district_id=here.id, category="water.none")
    make_complaint(session, district_id=there.id, at=(LON + 0.2, LAT), category="heat.cold")
    make_complaint(session, district_id=here.id, received_at=NOW - timedelta(days=30))
    since = NOW - timedelta(days=7)
    assert analysis.find(session, _question(since=since), CITY, NOW).drawn == 3
    assert analysis.find(session, _question(since=since, category=("heat",)), CITY, NOW).drawn == 2
    only = analysis.find(session, _question(since=since, district=(there.id,)), CITY, NOW)
    assert only.drawn == 1
    assert only.area.bounds == pytest.approx((LON + 0.15, LAT - 0.05, LON + 0.25, LAT + 0.05))


def test_somebody_with_an_area_sees_only_it_also_when_asking_for_another(session):
    own, other = make_area(session), make_area(session, geom=square(LON + 0.2, LAT))
    make_complaint(session, district_id=own.id)
    make_complaint(session, district_id=other.id, at=(LON + 0.2, LAT))
    bound = Scope(area_id=own.id)
    assert analysis.find(session, _question(), bound, NOW).drawn == 1
    assert analysis.find(session, _question(district=(other.id,)), bound, NOW) is None


def test_an_empty_district_is_compared_with_nothing(session):
    district = make_area(session)
    found = analysis.find(session, _question(district=(district.id,)), CITY, NOW)
    assert not found.comparable
    assert rows.cells(found) == []
    assert {c.label for c in rows.cells(found, every=True)} == {Label.NO_DATA}
    west, south, east, north = found.bounds()
    assert west < LON < east
    assert south < LAT < north


def test_without_rows_and_without_areas_there_is_no_answer(session):
    assert analysis.find(session, _question(), CITY, NOW) is None


def test_without_areas_the_rectangle_around_the_rows_is_compared(session):
    make_complaint(session, at=(-71.06, 42.36))
    make_complaint(session, at=(-71.05, 42.37))
    found = analysis.find(session, _question(), CITY, NOW)
    assert found.area is None
    assert found.drawn == 2
    assert found.cells_in_area == found.grid.size


def test_one_row_and_rows_in_one_cell_give_no_verdict_of_a_single_cell(session):
    make_complaint(session, at=(-71.06, 42.36))
    make_complaint(session, at=(-71.06, 42.36))
    found = analysis.find(session, _question(), CITY, NOW)
    assert found.cells_in_area == 1
    only = rows.cells(found)[0]
    assert (only.count, only.z, only.p, only.label) == (2, None, None, Label.NO_DATA)


def test_where_compounds_are_known_only_lived_in_cells_are_compared(session):
    make_area(session)
    make_area(session, level="compound", geom=square(LON, LAT, 0.004))
    make_complaint(session)
    make_complaint(session, at=(LON + 0.03, LAT + 0.03))  # nobody is known to live there, but somebody complained
    settled = analysis.find(session, _question(ground=Ground.SETTLED), CITY, NOW)
    wide = analysis.find(session, _question(ground=Ground.ALL), CITY, NOW)
    assert settled.ground is Ground.SETTLED
    assert settled.drawn == wide.drawn == 2
    assert settled.cells_in_area < 30 < 1_500 < wide.cells_in_area


def test_where_no_home_is_known_all_ground_is_compared(session):
    make_area(session)
    make_complaint(session)
    assert analysis.find(session, _question(ground=Ground.SETTLED), CITY, NOW).ground is Ground.ALL


def test_the_study_area_is_every_cell_that_the_district_touches():
    area = shapely.Polygon([(LON, LAT), (LON + 0.03, LAT + 0.005), (LON + 0.02, LAT + 0.03), (LON + 0.001, LAT + 0.02)])
    area_m = shapely.transform(area, lambda xy: np.column_stack(to_metres(xy[:, 0], xy[:, 1], 120.0)))
    grid = tiling.over(CellShape.SQUARE, area_m.bounds, 100.0)
    found = analysis.compute(
        _question(100.0),
        _nowhere(),
        Cut(120.0, area, grid, tiling.touched(grid, area_m), None, np.zeros(grid.shape)),
    )
    side = found.grid.cell_m
    x0, y0 = found.grid.x0_m, found.grid.y0_m
    ring = shapely.transform(area, lambda xy: np.column_stack(to_metres(xy[:, 0], xy[:, 1], found.near_lon)))
    exact = np.array([
        [ring.intersects(shapely.box(x0 + c * side, y0 + r * side, x0 + (c + 1) * side, y0 + (r + 1) * side))
         for c in range(found.grid.columns)]
        for r in range(found.grid.rows)
    ])  # fmt: skip
    assert (found.mask <= exact).all()
    assert (exact & ~found.mask).sum() <= 0.01 * exact.sum()  # a corner that is cut by less than a quarter of a side


def test_the_density_of_cells_is_the_surface_at_their_centres(session):
    make_area(session)
    _around(session)
    found = analysis.find(session, _question(), CITY, NOW)
    flat = rows.surface(found)
    assert flat.grid.cell_m == pytest.approx(found.question.reach_m / 10)
    cells = rows.cells(found, Measure.DENSITY)
    assert [c.per_km2 for c in cells] == sorted((c.per_km2 for c in cells), reverse=True)
    x, y = to_metres(np.array([cells[0].lon]), np.array([cells[0].lat]), found.near_lon)
    away = np.hypot(found.spots.x_m + 0.5 - x, found.spots.y_m + 0.5 - y)
    exact = density.quartic(away, found.question.reach_m).sum() * 1e6
    assert cells[0].per_km2 == pytest.approx(exact, rel=0.02)


def test_cells_are_squares_of_their_side_on_the_ground(session):
    make_complaint(session, at=(116.99, 36.65))
    found = analysis.find(session, _question(500.0), CITY, NOW)
    corners = np.array(rows.cells(found)[0].corners)
    x, y = to_metres(corners[:, 0], corners[:, 1], found.near_lon)
    assert np.hypot(np.diff(x), np.diff(y)) == pytest.approx([500.0] * 4, abs=0.01)


def test_cells_are_named_by_the_nearest_compound_within_the_area(session):
    make_area(session, name="平度市")
    make_area(session, name="云山小区", level="compound", geom=square(LON + 0.001, LAT, 0.001))
    make_area(session, name="邻区花园", level="compound", geom=square(LON + 0.0501, LAT, 0.00005))
    make_complaint(session)
    make_complaint(session, at=(LON + 0.049, LAT))
    found = analysis.find(session, _question(), CITY, NOW)
    cells = rows.cells(found)
    names = dict(zip([round(c.lon, 2) for c in cells], rows.name_cells(session, cells, found), strict=True))
    assert names[round(LON, 2)] == "云山小区"
    assert names[round(LON + 0.049, 2)] == "平度市"  # the compound over the border is not told


def test_impossible_cells_and_radii_are_refused():
    for cell in (5, 1e6, float("nan")):
        with pytest.raises(BadCell):
            Question.of(Filters(), cell)
    for reach in (100, 5_000):
        with pytest.raises(BadReach):
            Question.of(Filters(), 250, reach)


def test_a_grid_over_half_the_world_is_refused_with_a_sentence():
    with pytest.raises(TooManyCells):
        tiling.over(CellShape.SQUARE, (0.0, 0.0, 500_000.0, 4_000_000.0), 20.0)


@pytest.mark.parametrize(
    "filters",
    [
        Filters(),
        Filters(status=("received", "confirmed"), category=("heat", "water.none")),
        Filters(time_state=("green", "red"), since=NOW - timedelta(days=2), until=NOW),
        Filters(q='100%\'; \\ "小区" %(x)s', district=(1, 2, 3)),
        Filters(q="测试"),
    ],
)
def test_binary_copy_gives_the_same_points_as_plain_rows(session, filters):
    for i in range(5):
        make_complaint(session, at=(LON + i / 1000, LAT), status="received" if i % 2 else "confirmed")
    make_complaint(session, at=(LON, LAT - 0.01), place='100%\'; \\ "小区" %(x)s')
    rows = session.execute(
        select(func.ST_X(Complaint.geom), func.ST_Y(Complaint.geom)).where(*filters.conditions(NOW))
    ).all()
    at = queries.points(session, filters, CITY, NOW)
    assert sorted(zip(at.lon.tolist(), at.lat.tolist(), strict=True)) == sorted(tuple(r) for r in rows)

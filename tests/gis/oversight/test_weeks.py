"""The board of a heating week: equal to a recount by hand, honest about small numbers, and its data cannot contradict itself."""

import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from gis.errors import StaleVersion
from gis.network.model import HeatSource, Station, SupplyPoint
from gis.oversight import outreach, outreach_queries, week_queries, weeks
from gis.oversight.counting_queries import AS_SHIPPED
from gis.oversight.model import FollowUpCall
from gis.oversight.rates import per
from gis.oversight.week_board import Chosen, board
from gis.oversight.week_rules import (
    AlreadySolved,
    BadWeek,
    BadWeekTarget,
    StationOrder,
    TargetKey,
    WeekState,
    WeekThere,
    poisson_interval,
    small_rates,
    week_state,
)
from gis.people.rules import Scope
from tests import factories as make
from tests.conftest import NOW

ZONE = ZoneInfo("Asia/Shanghai")
FIRST, LAST = date(2009, 11, 16), date(2009, 11, 22)
PLANNED = weeks.Planned("平度市", "供热专题接话周", FIRST, LAST, "实施方案", "Heating week")
EVENING = datetime(2009, 11, 20, 18, 0, tzinfo=ZONE)


# --- small numbers -------------------------------------------------------------------------------------------------------
def test_the_weeks_figures_come_out_as_the_source_prints_them():
    assert per(1569, 33_500, 100) == Decimal("4.7")
    assert per(1569, 7, places="1") == 224
    assert per(33_500, 91, places="1") == 368
    assert small_rates([(1569, 33_500)])[0].raw == Decimal("4.7")


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390)]
)
def test_the_interval_is_the_exact_poisson_one_of_printed_tables(count, low, high):
    assert poisson_interval(count) == pytest.approx((low, high), abs=0.001)


@given(st.integers(1, 2000))
def test_at_either_end_of_the_interval_the_count_has_a_chance_of_one_in_forty(count):
    low, high = poisson_interval(count)
    assert poisson.sf(count - 1, low) == pytest.approx(0.025)
    assert poisson.cdf(count, high) == pytest.approx(0.025)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3000)), min_size=1, max_size=30))
def test_a_rate_is_drawn_to_the_mean_never_past_it_and_without_households_there_is_no_data(counts):
    told = small_rates(counts)
    known = [(c, h) for c, h in counts if h > 0]
    mean = sum(c for c, _ in known) / sum(h for _, h in known) * 100 if known else 0
    for rate, (calls, homes) in zip(told, counts, strict=True):
        if homes == 0:
            assert (rate.raw, rate.low, rate.high, rate.shrunk) == (None, None, None, None)
            continue
        own = calls / homes * 100
        assert rate.low <= own + 1e-9 and own <= rate.high + 1e-9
        assert min(own, mean) - 1e-9 <= rate.shrunk <= max(own, mean) + 1e-9


def test_of_two_stations_with_the_same_rate_the_larger_one_is_believed_more():
    small, large, *_ = small_rates([(4, 20), (80, 400), *[(8, 400)] * 20])
    assert small.raw == large.raw == Decimal("20.0")
    assert small.shrunk < large.shrunk < 20
    assert small.high - small.low > large.high - large.low


# --- the week's own data ---------------------------------------------------------------------------------------------------
def test_a_week_and_its_targets_are_data_with_their_sources(session, who):
    row = weeks.enter(session, who, PLANNED)
    weeks.set_targets(session, who, row.id, {TargetKey.CALLS: weeks.Target(Decimal(1569), "人民网 2009-12-03"),
                                             TargetKey.SATISFIED: weeks.Target(Decimal(95), "人民网 2009-12-03")}, row.version)  # fmt: skip
    assert {key: t.value for key, t in week_queries.targets(session, row.id).items()} == {
        "calls": 1569,
        "satisfied": 95,
    }
    assert row.version == 2
    weeks.set_targets(session, who, row.id, {})
    assert week_queries.targets(session, row.id) == {}
    with pytest.raises(StaleVersion):
        weeks.change(session, who, row.id, PLANNED, 1)
    for wrong in (replace(PLANNED, name=" "), replace(PLANNED, last=FIRST - timedelta(days=1)), replace(PLANNED, source=""),
                  replace(PLANNED, last=FIRST + timedelta(days=62)), replace(PLANNED, utility="steam")):  # fmt: skip
        with pytest.raises(BadWeek):
            weeks.enter(session, who, wrong)
    for key, value, source in ((TargetKey.SATISFIED, "100.01", "s"), (TargetKey.CALLS, "-1", "s"), (TargetKey.CALLS, "NaN", "s"),
                               (TargetKey.CALLS, "5", " ")):  # fmt: skip
        with pytest.raises(BadWeekTarget):
            weeks.set_targets(session, who, row.id, {key: weeks.Target(Decimal(value), source)})
    with pytest.raises(WeekThere), session.begin_nested():
        weeks.enter(session, who, PLANNED)


def test_the_week_shown_is_the_running_one_else_the_next_else_the_last(session, who):
    first = weeks.enter(session, who, PLANNED)
    second = weeks.enter(session, who, replace(PLANNED, first=date(2010, 11, 15), last=date(2010, 11, 21)))
    days = ((FIRST, first), (LAST, first), (LAST + timedelta(days=1), second), (date(2012, 1, 1), second))
    assert all(week_queries.week_of(session, day).id == row.id for day, row in days)
    assert [week_state(d, FIRST, LAST) for d in (FIRST - timedelta(days=1), FIRST, LAST, LAST + timedelta(days=1))] == [
        WeekState.COMING, WeekState.RUNNING, WeekState.RUNNING, WeekState.OVER]  # fmt: skip


# --- problems found on the spot --------------------------------------------------------------------------------------------
def test_a_problem_found_on_the_spot_is_solved_once_with_how_and_counts_beside_what_was_only_counted(session, who):
    station = _station(session, make.make_area(session).id, make.make_unit(session).id, 100)
    counted = outreach.visit(session, who, outreach.Visited("on_site", NOW, "锅炉房", found=5, solved=2))
    at_station = outreach.visit(session, who, outreach.Visited("on_site", NOW, "", station_id=station.id))
    assert (at_station.place, at_station.unit_id, at_station.area_id) == (
        station.name,
        station.unit_id,
        station.area_id,
    )
    one, two = (
        outreach.raise_matter(session, who, text, "heat.cold", visit_id=at_station.id)
        for text in ("阀门漏水", "压差小")
    )
    outreach.solve_matter(session, who, one, "已更换阀门")
    with pytest.raises(AlreadySolved):
        outreach.solve_matter(session, who, one, "又换一次")
    made = outreach.make_complaint(
        session, who, two, outreach.Asked(place="站内"), calendar=_calendar(session), zone=ZONE
    )
    span = (NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    assert dict(outreach_queries.on_site(session, Scope(), *span)) == {"visits": 2, "found": 7, "solved": 3}
    made.closed_at = NOW
    session.flush()
    assert dict(outreach_queries.on_site(session, Scope(), *span)) == {"visits": 2, "found": 7, "solved": 4}
    assert counted.found == 5


def _calendar(session):
    from gis.places.queries import working_days

    return working_days(session)


# --- the board ---------------------------------------------------------------------------------------------------------------
def _station(session, area_id, unit_id, households, **fields):
    n = fields.pop("n", random.randrange(10**9))
    row = Station(**({"code": f"H{n}", "name": f"换热站{n}", "operator": "heat_company", "unit_id": unit_id, "area_id": area_id,
                      "households": households, "geom": make.point()} | fields))  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _city(session, rng):
    """Stations of two companies, one without households, one compound that two stations serve, one that none serves."""
    units = [make.make_unit(session, name=name, kind=kind) for name, kind in
             (("兴平热电", "heat_company"), ("幸福物业", "property_company"))]  # fmt: skip
    source = HeatSource(code="S1", name="热电厂", unit_id=units[0].id, geom=make.point())
    session.add(source)
    session.flush()
    district = make.make_area(session, name="平度市")
    compounds = [make.make_area(session, level="compound", parent_id=district.id) for _ in range(6)]
    stations = [
        _station(session, compounds[n].id, units[n % 2].id, homes, n=n, source_id=source.id,
                 operator=("heat_company", "property_company")[n % 2], geom=make.point(119.9 + n / 100, 36.78))
        for n, homes in enumerate((900, 40, 350, 0))
    ]  # fmt: skip
    for n, lon in ((0, 119.80), (2, 119.99)):  # the fifth compound is served by two stations, building by building
        session.add(SupplyPoint(code=f"P{n}", name=f"{n}号楼", utility="heat", station_id=stations[n].id, area_id=compounds[4].id,
                                households=10, geom=make.point(lon, 36.78)))  # fmt: skip
    session.flush()
    return units, district, compounds, stations


def _calls(session, rng, units, district, compounds):
    made = []
    for n in range(260):
        compound = rng.choice([*compounds, None])
        received = datetime(2009, 11, 15, 0, 30, tzinfo=ZONE) + timedelta(minutes=rng.randrange(8 * 24 * 60))
        closed = received + timedelta(hours=rng.choice((2, 5, 30))) if rng.random() < 0.7 else None
        status = rng.choice(("received", "merged", "cancelled", "assigned")) if closed is None and made else "confirmed"
        main = {"merged_into_id": next(c.id for c in made if c.status != "merged")} if status == "merged" else {}
        made.append(make.make_complaint(
            session, at=(119.80 if n % 2 else 119.99, 36.78), category=rng.choice(("heat.cold", "heat.none", "water.none")),
            complexity=rng.choice(("ordinary", "complex")), status=status, received_at=received, closed_at=closed,
            resolve_by=received + timedelta(hours=20), compound_id=compound.id if compound else None, district_id=district.id,
            unit_id=rng.choice(units).id,
            **main,
        ))  # fmt: skip
    return made


def test_every_figure_of_the_board_equals_a_recount_by_hand(session, who):
    rng = random.Random(20091116)
    units, district, compounds, stations = _city(session, rng)
    calls = _calls(session, rng, units, district, compounds)
    told = [
        (c, rng.choice(("satisfied", "basically", "dissatisfied"))) for c in calls if c.closed_at and rng.random() < 0.5
    ]
    for complaint, result in told:
        session.add(FollowUpCall(complaint_id=complaint.id, at=complaint.closed_at + timedelta(minutes=5), attempt=1, outcome="reached",
                                 solved=True, process="satisfied", result=result))  # fmt: skip
    visits = [(NOW, stations[0], 4, 3), (NOW, stations[1], 2, 0), (NOW + timedelta(days=30), stations[0], 9, 9)]
    for at, station, found, solved in visits:
        outreach.visit(
            session, who, outreach.Visited("on_site", at, "", found=found, solved=solved, station_id=station.id)
        )
    week = weeks.enter(session, who, PLANNED)
    weeks.set_targets(
        session,
        who,
        week.id,
        {TargetKey.SUPERVISIONS: weeks.Target(Decimal(2), "s"), TargetKey.CALLS: weeks.Target(Decimal(1569), "s")},
    )
    session.flush()

    made = board(session, Scope(), week, Chosen(), EVENING, ZONE, AS_SHIPPED)

    begin = datetime(2009, 11, 16, tzinfo=ZONE)
    mine = [c for c in calls if c.category.startswith("heat.") and begin <= c.received_at <= EVENING]
    day = lambda at: at.astimezone(ZONE).date()  # noqa: E731
    assert made.calls == len(mine) == made.standings[0].count
    assert {d["day"]: d["calls"] for d in made.days} == {
        FIRST + timedelta(days=n): sum(day(c.received_at) == FIRST + timedelta(days=n) for c in mine) for n in range(7)}  # fmt: skip
    assert (made.days_counted, made.per_day) == (5, per(len(mine), 5))
    assert made.per_hundred == per(len(mine), 900 + 40 + 350, 100)

    def station_of(call):
        if call.compound_id == compounds[4].id:
            return stations[0 if call.geom.data.startswith("POINT(119.8") else 2].id
        return {compounds[n].id: stations[n].id for n in range(4)}.get(call.compound_id)

    by_station = {s.id: sum(station_of(c) == s.id for c in mine) for s in stations}
    assert {row["id"]: row["calls"] for row in made.stations} == by_station
    assert made.untied == sum(station_of(c) is None for c in mine)
    assert made.untied + sum(by_station.values()) == made.calls
    without = next(row for row in made.stations if row["id"] == stations[3].id)
    assert without["rate"].raw is None and made.stations[-1] is without

    figures = {s.figure.key: s for s in made.standings}
    filed = [
        c
        for c in mine
        if c.status not in ("merged", "cancelled") and c.complexity == "ordinary" and day(c.received_at) < day(EVENING)
    ]
    same = [c for c in filed if c.closed_at and day(c.closed_at) == day(c.received_at)]
    assert (figures["same_day"].rate.numerator, figures["same_day"].rate.denominator) == (len(same), len(filed))
    heat = [c for c in calls if c.category.startswith("heat.")]
    due = [c for c in heat if begin <= c.resolve_by <= EVENING and c.status not in ("merged", "cancelled")]
    assert (figures["closing"].rate.numerator, figures["closing"].rate.denominator) == (
        sum(c.closed_at is not None and c.closed_at <= EVENING for c in due), len(due))  # fmt: skip
    heard = [r for c, r in told if c in heat and begin <= c.closed_at + timedelta(minutes=5) <= EVENING]
    assert (figures["satisfied"].rate.numerator, figures["satisfied"].rate.denominator) == (
        sum(r != "dissatisfied" for r in heard), len(heard))  # fmt: skip
    assert (figures["supervisions"].count, figures["problems_solved"].count) == (2, 3)
    assert (figures["carried_out"].rate.numerator, figures["carried_out"].rate.denominator) == (3, 6)
    assert figures["supervisions"].reached is True and figures["calls"].reached is False
    assert figures["satisfied"].reached is None  # it has no target

    companies = {g.key: g for g in made.companies}
    for n, unit in enumerate(units):
        own = [s for s in stations if s.unit_id == unit.id]
        assert (companies[unit.id].calls, companies[unit.id].households) == (
            sum(by_station[s.id] for s in own), sum(s.households for s in own))  # fmt: skip
        assert companies[unit.id].supervisions == 1, n
    assert {g.key: g.stations for g in made.operators} == {"heat_company": 2, "property_company": 2}


def test_filters_narrow_stations_companies_and_supervisions_but_never_the_weeks_own_figures(session, who):
    rng = random.Random(1)
    units, district, compounds, stations = _city(session, rng)
    _calls(session, rng, units, district, compounds)
    week = weeks.enter(session, who, PLANNED)
    outreach.visit(session, who, outreach.Visited("on_site", NOW, "", found=1, station_id=stations[0].id))
    whole = board(session, Scope(), week, Chosen(), EVENING, ZONE, AS_SHIPPED)
    some = board(
        session, Scope(), week, Chosen(operator="property_company", order=StationOrder.CALLS), EVENING, ZONE, AS_SHIPPED
    )
    assert {row["id"] for row in some.stations} == {stations[1].id, stations[3].id} and some.all_stations == 4
    assert [g.key for g in some.companies] == [units[1].id] and some.supervisions == []
    assert (some.calls, some.households, some.untied) == (whole.calls, whole.households, whole.untied)
    by_name = board(session, Scope(), week, Chosen(q="换热站2"), EVENING, ZONE, AS_SHIPPED)
    assert [row["id"] for row in by_name.stations] == [stations[2].id]
    heated = board(session, Scope(), week, Chosen(unit_id=units[0].id), EVENING, ZONE, AS_SHIPPED)
    assert len(heated.stations) == 4  # it heats them all, whoever runs them
    own = board(session, Scope(unit_id=units[1].id), week, Chosen(), EVENING, ZONE, AS_SHIPPED)
    assert {row["id"] for row in own.stations} == {stations[1].id, stations[3].id}


def test_before_the_week_nothing_is_counted_and_no_rate_is_zero(session, who):
    week = weeks.enter(session, who, PLANNED)
    made = board(session, Scope(), week, Chosen(), datetime(2009, 11, 10, tzinfo=ZONE), ZONE, AS_SHIPPED)
    assert (made.state, made.calls, made.days_counted, made.per_day, made.per_hundred) == (
        WeekState.COMING,
        0,
        0,
        None,
        None,
    )
    assert all(s.value is None for s in made.standings if s.rate is not None)
    assert made.season is not None and str(made.season_state) == "before"

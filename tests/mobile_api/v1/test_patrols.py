"""A patrol on the phone: carried along with bands, told of without signal, its readings in their series once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range

from gis.inspections import patrol_queries, patrols
from gis.inspections.day_plans import Terms
from gis.inspections.patrol_model import Patrol, PatrolStop
from gis.inspections.patrol_rules import BadPatrol, Band, PatrolOver, StopState, StopTold, stop_state, way_out
from gis.journal import JournalEntry, Who
from gis.network import reading_actions
from gis.network.model import Station
from gis.network.reading_model import AlarmRule, MeasuringPoint, Reading
from gis.people.rules import CITY, Scope
from tests import factories as make
from tests.conftest import NOW

TODAY = date(2009, 11, 17)
TERMS = Terms(500.0, 25.0)
AT = "2009-11-17T01:30:00Z"


@pytest.fixture
def places(session):
    """Three stations in a line, each with a supply temperature (its band 45-75) and a pressure in kPa, and a room's point."""
    area = make.make_area(session)
    stations = [
        Station(code=f"H{n}", name=f"换热站{n}", operator="heat_company", area_id=area.id, geom=make.point(119.9 + lon, 36.78))
        for n, lon in enumerate((0.02, 0.0, 0.01))
    ]  # fmt: skip
    session.add_all(stations)
    session.flush()
    points = []
    for n, station in enumerate(stations):
        points.append(_point(session, f"T{n}", "temperature", "secondary_supply", "°C", station))
        points.append(_point(session, f"P{n}", "pressure", "secondary_supply", "kPa", station))
    room = _point(
        session,
        "R1",
        "temperature",
        "room",
        "°C",
        None,
        place="3-2-501",
        geom=make.point(119.93, 36.78),
        area_id=area.id,
    )
    outdoor = _point(session, "OUT", "temperature", "outdoor", "°C", None)
    for point in points[::2]:
        session.add(_rule(point, "band", low=45.0, high=75.0))
    session.add(_rule(points[1], "band", low=0.3, high=0.8))
    session.add(_rule(room, "curve", low=2.0, high=3.0, knots=[[-10, 20.0], [10, 18.0]], other_id=outdoor.id))
    session.flush()
    rows = [{"point": "OUT", "at": "2009-11-17T00:00:00Z", "value": 0.0}]
    reading_actions.keep(session, Who(NOW), CITY, rows, "api", ahead=timedelta())
    return {"stations": stations, "points": points, "room": room, "area": area}


def _point(session, code, quantity, side, unit, station, **fields):
    row = MeasuringPoint(code=code, name=f"测点{code}", quantity=quantity, side=side, unit=unit,
                         station_id=station.id if station else None, **fields)  # fmt: skip
    session.add(row)
    session.flush()
    return row


def _rule(point, kind, **fields):
    return AlarmRule(
        point_id=point.id, kind=kind, valid=Range(date(2009, 11, 1), None), source="运行规程", made_at=NOW, **fields
    )


@pytest.fixture
def walked(session, phone_of, places, who):
    """An inspector's phone with a patrol of all three stations and the room."""
    phone = phone_of("inspector")
    planned = patrols.Planned("晚间巡检", TODAY, phone.user.id, [s.id for s in places["stations"]], [places["room"].id])
    made = patrols.plan(session, who, CITY, planned, TODAY, TERMS)
    session.commit()
    return phone, made


def _stops(session, made):
    return list(session.scalars(select(PatrolStop).where(PatrolStop.patrol_id == made.id).order_by(PatrolStop.stop_no)))


def visit(stop, *reads, kind="patrol.visit", **fields):
    readings = [{"point_id": p.id, "value": v, "at": AT} for p, v in reads]
    payload = {"readings": readings, "note": ""} if kind == "patrol.visit" else {"note": "锁门"}
    return {
        "id": str(uuid4()),
        "kind": kind,
        "thing_id": stop.id,
        "base_version": 1,
        "at": AT,
        "payload": payload | fields,
    }


def test_limits_are_inside_and_a_stop_is_missed_once_its_day_or_patrol_is_over():
    bands = [Band("band", 45.0, 75.0, "s"), Band("curve", None, 60.0, "s", -3.0)]
    assert [way_out(v, bands) for v in (44.9, 45.0, 60.0, 60.1)] == ["low", "", "", "high"]
    assert way_out(1e9, []) == ""
    told = [
        stop_state(None, "planned", TODAY, TODAY), stop_state(None, "planned", TODAY, TODAY + timedelta(days=1)),
        stop_state(None, "ended", TODAY, TODAY), stop_state("visited", "ended", TODAY, TODAY + timedelta(days=9)),
    ]  # fmt: skip
    assert told == [StopState.WAITING, StopState.MISSED, StopState.MISSED, StopState.VISITED]


def test_stops_are_in_the_order_of_the_shortest_way_and_each_carries_its_points_bands_and_last_value(
    session, walked, places
):
    phone, made = walked
    one, two, three = places["stations"]
    assert [s.station_id or s.point_id for s in _stops(session, made)] in (
        [two.id, three.id, one.id, places["room"].id], [places["room"].id, one.id, three.id, two.id])  # fmt: skip
    told = phone.get("/patrols").json["patrols"]
    assert [p["name"] for p in told] == ["晚间巡检"] and len(told[0]["stops"]) == 4
    stop = next(s for s in told[0]["stops"] if s["name"] == one.name)
    bands = {p["code"]: p["bands"] for p in stop["points"]}
    assert (bands["T0"][0]["low"], bands["T0"][0]["high"]) == (45.0, 75.0)
    assert (bands["P0"][0]["low"], bands["P0"][0]["high"]) == (300.0, 800.0)  # in the point's own kPa
    room = next(s for s in told[0]["stops"] if s["name"] == places["room"].name)["points"][0]
    assert (room["bands"][0]["low"], room["bands"][0]["high"], room["bands"][0]["beside"]) == (17.0, 22.0, 0.0)


def test_another_persons_phone_knows_nothing_of_it(session, walked, phone_of):
    _phone, made = walked
    other = phone_of("inspector")
    assert other.get("/patrols").json["patrols"] == []
    result = other.sync(visit(_stops(session, made)[0]))[0]
    assert (result["verdict"], result["code"]) == ("refused", "missing")


def test_a_visit_puts_its_readings_into_their_series_once_and_says_what_is_out_of_its_band(session, walked, places):
    phone, made = walked
    stop = next(s for s in _stops(session, made) if s.station_id == places["stations"][0].id)
    warm, pressure = places["points"][:2]
    change = visit(stop, (warm, 38.5), (pressure, 450))
    first = phone.sync(change)[0]
    assert (first["verdict"], first["thing"]["status"]) == ("applied", "visited")
    assert phone.sync(change)[0] == first  # a receipt that was lost on the way
    kept = {r.point_id: r for r in session.scalars(select(Reading).where(Reading.point_id.in_([warm.id, pressure.id])))}
    assert (kept[warm.id].value, kept[pressure.id].value) == (38.5, pytest.approx(0.45))
    assert kept[warm.id].at == datetime(2009, 11, 17, 1, 30, tzinfo=UTC)
    session.refresh(stop)
    assert (stop.outcome, stop.out_of_band, [r["way"] for r in stop.readings]) == ("visited", 1, ["low", ""])
    again = phone.sync(visit(stop, (warm, 60.0)))[0]  # another phone of the same person, later
    assert (again["verdict"], again["code"], again["thing"]["status"]) == ("conflict", "stop_told", "visited")
    assert len(list(session.scalars(select(Reading).where(Reading.point_id == warm.id)))) == 1
    verbs = session.scalars(select(JournalEntry.verb).where(JournalEntry.thing == "patrol").order_by(JournalEntry.seq))
    assert list(verbs) == ["plan", "visited"]


def test_what_cannot_be_a_reading_of_this_stop_is_refused_whole_and_can_be_corrected(session, walked, places):
    phone, made = walked
    stop = next(s for s in _stops(session, made) if s.station_id == places["stations"][0].id)
    warm, pressure = places["points"][:2]
    foreign = places["points"][2]
    for reads in ([(foreign, 50.0)], [(warm, 50.0), (warm, 51.0)], [(warm, -400.0)]):
        result = phone.sync(visit(stop, *reads))[0]
        assert (result["verdict"], result["code"], result["hint"]) == ("refused", "bad_patrol_reading", "changed")
    skipped = phone.sync(visit(stop, kind="patrol.skip", note=" "))[0]
    assert (skipped["verdict"], skipped["code"]) == ("refused", "skip_reason_missing")
    assert session.scalars(select(Reading).where(Reading.point_id.in_([warm.id, pressure.id]))).all() == []
    assert phone.sync(visit(stop, (warm, 50.0)))[0]["verdict"] == "applied"


def test_a_phone_whose_clock_is_fast_tells_of_now_and_an_ended_patrol_still_takes_what_was_read(
    session, walked, places, who
):
    phone, made = walked
    stops = _stops(session, made)
    patrols.end(session, who, CITY, made.id, None)
    session.commit()
    with pytest.raises(PatrolOver):
        patrols.end(session, who, CITY, made.id, None, call_off=True)
    room = next(s for s in stops if s.point_id)
    late = visit(room)
    late["payload"]["readings"] = [{"point_id": places["room"].id, "value": 16.5, "at": "2009-11-18T09:00:00Z"}]
    assert phone.sync(late)[0]["verdict"] == "applied"
    kept = session.scalars(select(Reading).where(Reading.point_id == places["room"].id)).one()
    assert kept.at == NOW
    session.refresh(room)
    assert room.out_of_band == 1  # 17 to 22 at 0 °C outdoors


def test_what_was_never_visited_comes_first_and_a_patrol_is_planned_only_whole(session, walked, places, who):
    phone, made = walked
    stop = next(s for s in _stops(session, made) if s.station_id == places["stations"][1].id)
    phone.sync(visit(stop))
    rows = patrol_queries.coverage(session, CITY, TODAY)
    assert [r["name"] for r in rows] == ["换热站0", "换热站2", "换热站1"]
    assert rows[0]["next_on"] == TODAY and rows[2]["last_at"] is not None and rows[0]["points"] == 2
    own = patrols.Planned("x", TODAY, phone.user.id, [places["stations"][0].id])
    for wrong in ({"name": " "}, {"on_day": TODAY - timedelta(days=1)}, {"stations": []}, {"user_id": 0}):
        with pytest.raises(BadPatrol):
            patrols.plan(session, who, CITY, patrols.Planned(**(vars(own) | wrong)), TODAY, TERMS)
    other = make.make_area(session)
    with pytest.raises(BadPatrol):  # nobody of that area walks
        patrols.plan(session, who, Scope(area_id=other.id), own, TODAY, TERMS)
    assert len(list(session.scalars(select(Patrol)))) == 1


def test_two_phones_that_tell_of_one_stop_at_once_leave_one_visit_and_no_reading_twice(committed, who):
    """Both transactions are open together: the second waits for the first, and then finds the stop told."""
    with committed() as session:
        user = make.make_user(session, role="inspector")
        station = Station(code="H1", name="换热站", operator="heat_company", geom=make.point())
        session.add(station)
        session.flush()
        point = _point(session, "T1", "temperature", "secondary_supply", "°C", station)
        made = patrols.plan(session, who, CITY, patrols.Planned("巡检", TODAY, user.id, [station.id]), TODAY, TERMS)
        session.commit()
        (stop,) = _stops(session, made)

    def tell(value):
        with committed() as session:
            try:
                read = [patrols.Read(point.id, value, NOW)]
                patrols.visited(session, Who(NOW, user.id), patrols.Told(stop.id, NOW, uuid4(), read))
                session.commit()
            except StopTold:
                session.rollback()
                return "told"
            return "visited"

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(tell, (50.0, 60.0))) == ["told", "visited"]
    with committed() as session:
        (kept,) = session.scalars(select(Reading).where(Reading.point_id == point.id))
        (told,) = _stops(session, made)
        assert [r["value"] for r in told.readings] == [kept.value]

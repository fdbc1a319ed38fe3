"""Receiving, stepping and unmasking, each with its journal row."""

import threading
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from gis.complaints import actions
from gis.complaints.model import Caller, Complaint
from gis.complaints.rules import (
    STEPS,
    BadPhone,
    NumberTaken,
    PurposeNeeded,
    Status,
    TextMissing,
    TextTooLong,
    UnknownCategory,
    UnknownChannel,
    UnknownComplexity,
    WrongStep,
)
from gis.errors import Missing, StaleVersion
from gis.journal import JournalEntry, Who
from gis.places.queries import working_days
from gis.places.rules import SwappedCoordinates, WrongDatum
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_unit, square

ZONE = ZoneInfo("Asia/Shanghai")


def receive(session, who=None, **given):
    said = {
        "channel": "12319", "category": "heat.cold", "description": "室温只有 14 度", "place": "文丰小区3号楼", "lon": PINGDU[0],
        "lat": PINGDU[1], "zone": ZONE, "calendar": working_days(session),
    }  # fmt: skip
    return actions.receive(session, who or Who(NOW), **(said | given))


def entries(session, verb):
    return list(session.scalars(select(JournalEntry).where(JournalEntry.verb == verb)))


def test_a_complaint_gets_a_number_a_deadline_and_one_journal_row(session):
    made = receive(session)
    assert made.hotline_no == "CM20091117-000001"
    assert made.resolve_by == datetime(2009, 11, 17, 23, 59, 59, tzinfo=ZONE)
    assert (made.status, made.complexity, made.located, made.version) == ("received", "ordinary", "located", 1)
    [entry] = entries(session, "receive")
    assert (entry.thing, entry.thing_id, entry.version) == ("complaint", str(made.id), 1)
    assert receive(session).hotline_no == "CM20091117-000002"


def test_the_day_of_the_number_is_the_day_of_the_city(session):
    made = receive(session, Who(datetime(2009, 11, 16, 16, 30, tzinfo=UTC)))
    assert made.hotline_no.startswith("CM20091117-")


def test_the_areas_that_contain_the_point_and_the_unit_of_the_compound_are_found(session):
    unit = make_unit(session)
    city = {level: make_area(session, level=level, geom=square(half=0.05 / n), unit_id=unit.id if n == 4 else None)
            for n, level in enumerate(("district", "street", "community", "compound"), 1)}  # fmt: skip
    made = receive(session)
    assert (made.district_id, made.street_id, made.community_id, made.compound_id) == tuple(a.id for a in city.values())
    assert made.unit_id == unit.id
    outside = receive(session, lon=PINGDU[0] + 0.045)
    assert (outside.district_id, outside.compound_id, outside.unit_id) == (city["district"].id, None, None)


def test_of_two_overlapping_compounds_the_smaller_one_counts(session):
    make_area(session, level="compound", geom=square(half=0.05))
    small = make_area(session, level="compound", geom=square(half=0.01))
    assert receive(session).compound_id == small.id


def test_without_coordinates_it_is_kept_and_marked_as_not_located(session):
    made = receive(session, lon=None, lat=None)
    assert (made.located, made.geom) == ("not_located", None)


def test_declared_coordinates_are_kept_as_wgs84(session):
    from geoalchemy2.shape import to_shape

    from gis.geo import wgs84_to_gcj02

    x, y = wgs84_to_gcj02(*PINGDU)
    made = receive(session, lon=float(x), lat=float(y), datum="gcj02")
    session.refresh(made)
    assert to_shape(made.geom).x == pytest.approx(PINGDU[0], abs=1e-7)


def test_another_datum_is_told_unless_the_call_taker_is_sure(session):
    make_area(session, geom=square(half=0.004))
    lon, lat = PINGDU[0] + 0.012, PINGDU[1] + 0.006  # a little east of the district, as Baidu shows its middle
    with pytest.raises(WrongDatum):
        receive(session, lon=lon, lat=lat)
    assert receive(session, lon=lon, lat=lat, sure=True).district_id is None
    with pytest.raises(SwappedCoordinates):
        receive(session, lon=PINGDU[1], lat=PINGDU[0])


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"channel": "fax"}, UnknownChannel),
        ({"category": "heat.nothing"}, UnknownCategory),
        ({"category": "heat\0"}, UnknownCategory),
        ({"complexity": "easy"}, UnknownComplexity),
        ({"description": " \n "}, TextMissing),
        ({"description": "长" * 4001}, TextTooLong),
        ({"place": "长" * 301}, TextTooLong),
        ({"caller_phone": "12"}, BadPhone),
        ({"hotline_no": ""}, TextMissing),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name_and_nothing_is_kept(session, given, error):
    with pytest.raises(error):
        receive(session, **given)
    assert session.scalar(select(Complaint.id)) is None
    assert entries(session, "receive") == []


def test_control_characters_do_not_reach_the_database(session):
    made = receive(session, description="冷\0得\x1b很\n\n谢谢", place="A\0B")
    assert (made.description, made.place) == ("冷得很\n\n谢谢", "AB")


def test_the_caller_is_kept_apart_and_the_journal_knows_nothing_of_them(session):
    made = receive(session, caller_name="欧阳修", caller_phone="+86 138-1234-5678", door_no="2单元501")
    kept = session.get(Caller, made.id)
    assert (kept.name, kept.phone, kept.door_no) == ("欧阳修", "13812345678", "2单元501")
    assert "1381" not in repr([e.data for e in session.scalars(select(JournalEntry))])
    assert session.get(Caller, receive(session).id) is None


def test_a_number_that_is_used_is_refused_and_ours_step_over_it(session):
    receive(session, hotline_no="CM20091117-000041")
    assert receive(session).hotline_no == "CM20091117-000001"
    receive(session, hotline_no="CM20091117-000002")
    assert receive(session).hotline_no == "CM20091117-000042"
    with session.begin_nested() as inner, pytest.raises(NumberTaken):
        receive(session, hotline_no="CM20091117-000041")
        inner.rollback()


def test_intakes_at_the_same_moment_never_share_a_number(committed):
    numbers, failures = [], []
    start = threading.Barrier(12)

    def work():
        start.wait()
        try:
            for n in range(5):
                with committed() as session:
                    made = receive(session)
                    if n == 3:
                        session.rollback()  # a number that was not kept is given again
                    else:
                        session.commit()
                        numbers.append(made.hotline_no)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(numbers) == [f"CM20091117-{n:06}" for n in range(1, 49)]


# --- steps ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("verb", STEPS)
@pytest.mark.parametrize("status", Status)
def test_every_step_is_possible_exactly_where_the_table_says(session, status, verb):
    made = make_complaint(session, status=status, closed_at=None if status in ("received", "assigned") else NOW)
    if status in STEPS[verb].before:
        actions.take_step(session, Who(NOW), made, verb, base_version=1)
        assert (made.status, made.version) == (STEPS[verb].after, 2)
        [entry] = entries(session, verb)
        assert (entry.version, entry.data["before"], entry.data["after"]) == (2, status, made.status)
    else:
        with pytest.raises(WrongStep) as refused:
            actions.take_step(session, Who(NOW), made, verb)
        assert verb not in refused.value.params["possible"]
        assert (made.status, made.version) == (status, 1)
        assert entries(session, verb) == []


def test_the_clock_stops_when_it_is_resolved_and_runs_again_when_reopened(session):
    made = make_complaint(session, status="arrived")
    later = datetime(2009, 11, 17, 5, tzinfo=UTC)
    assert actions.take_step(session, Who(NOW), made, "resolve").closed_at == NOW
    assert actions.take_step(session, Who(later), made, "confirm").closed_at == NOW
    assert actions.take_step(session, Who(later), made, "reopen").closed_at is None


def test_a_step_on_an_older_version_is_refused_with_both_versions(session):
    made = make_complaint(session, status="resolved")
    made.place = "别处"
    session.flush()
    with pytest.raises(StaleVersion) as refused:
        actions.take_step(session, Who(NOW), made, "confirm", base_version=1)
    assert refused.value.params == {"base_version": 1, "current_version": 2}


def test_of_two_who_confirm_at_once_one_does_and_the_other_is_told(committed):
    with committed() as session:
        complaint_id = make_complaint(session, status="resolved").id
        session.commit()
    told, start = [], threading.Barrier(8)

    def work():
        with committed() as session:
            complaint = session.get(Complaint, complaint_id)
            start.wait()
            try:
                actions.take_step(session, Who(NOW), complaint, "confirm", base_version=1)
                session.commit()
                told.append("done")
            except StaleVersion as error:
                told.append(error.params["current_version"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told, key=str) == [2] * 7 + ["done"]
    with committed() as session:
        assert len(entries(session, "confirm")) == 1


def test_a_note_in_the_journal_carries_no_telephone_number(session):
    made = make_complaint(session, status="resolved")
    actions.take_step(session, Who(NOW), made, "confirm", data={"note": "已回电13812345678,满意"})
    assert entries(session, "confirm")[0].data["note"] == "已回电138****5678,满意"


# --- unmasking ------------------------------------------------------------------------------------------------------
def test_a_caller_is_shown_for_a_purpose_and_the_journal_keeps_it(session):
    made = receive(session, caller_name="张三", caller_phone="13812345678")
    told = actions.unmask(session, Who(NOW), made, "call_back")
    assert (told.name, told.phone, told.door_no) == ("张三", "13812345678", None)
    actions.unmask(session, Who(NOW), made, "核对 13812345678 的门牌")
    first, second = entries(session, "unmask")
    assert first.data == {"purpose": "call_back"}
    assert second.data == {"purpose": "核对 138****5678 的门牌"}


@pytest.mark.parametrize("purpose", [None, "", "   ", "看看", "\0\0\0\0\0"])
def test_without_a_purpose_nothing_is_shown_or_written(session, purpose):
    made = receive(session, caller_phone="13812345678")
    with pytest.raises(PurposeNeeded):
        actions.unmask(session, Who(NOW), made, purpose)
    assert entries(session, "unmask") == []


def test_a_complaint_without_a_caller_says_so(session):
    with pytest.raises(Missing):
        actions.unmask(session, Who(NOW), receive(session), "call_back")


def test_numbers_of_different_days_do_not_touch(session):
    assert actions.next_number(session, date(2009, 11, 18)) == "CM20091118-000001"
    assert actions.next_number(session, date(2009, 11, 17)) == "CM20091117-000001"

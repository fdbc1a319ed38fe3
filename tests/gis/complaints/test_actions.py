"""Receiving, stepping and unmasking, each with its journal row."""

import threading
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from gis.complaints import actions
from gis.complaints.model import Caller, Complaint
from gis.complaints.rules import (
    OPEN,
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
from tests.law import sample

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
def evidence_for(session, verb):
    """What the table asks for, with ids of things that exist."""
    made = {"unit": lambda: make_unit(session).id, "complaint": lambda: make_complaint(session).id}
    return {
        field.name: made[field.kind]() if field.kind in made else sample(field)
        for field in STEPS[verb].fields if field.required
    }  # fmt: skip


def standing(session, status):
    """A complaint that stands at this status, as the constraints want it."""
    return make_complaint(session, status=status, closed_at=None if status in OPEN else NOW)


@pytest.mark.parametrize("verb", STEPS)
@pytest.mark.parametrize("status", Status)
def test_every_step_is_possible_exactly_where_the_table_says(session, status, verb):
    made, given = standing(session, status), evidence_for(session, verb)
    if status in STEPS[verb].before:
        actions.take_step(session, Who(NOW), made, verb, base_version=1, data=given)
        assert made.status == STEPS[verb].end(status, ())
        assert (made.closed_at is None) == (made.status in OPEN)
        [entry] = entries(session, verb)
        assert (entry.version, entry.data["before"], entry.data["after"]) == (made.version, status, made.status)
    else:
        with pytest.raises(WrongStep) as refused:
            actions.take_step(session, Who(NOW), made, verb, data=given)
        assert verb not in refused.value.params["possible"]
        assert (made.status, made.version) == (status, 1)
        assert entries(session, verb) == []


LATER = datetime(2009, 11, 17, 5, tzinfo=UTC)


def test_handled_alone_is_still_open_and_closed_is_what_was_answered_too(session):
    made = make_complaint(session, status="arrived")
    assert actions.take_step(session, Who(NOW), made, "resolve").closed_at is None
    assert actions.take_step(session, Who(LATER), made, "answer", data={"answer": "已修好"}).closed_at == LATER
    assert actions.take_step(session, Who(LATER), made, "confirm").closed_at == LATER
    assert (made.resolved_at, made.answered_at, made.confirmed_at, made.answer) == (NOW, LATER, LATER, "已修好")
    actions.take_step(session, Who(LATER), made, "reopen", data={"note": "还是不热"})
    assert (made.closed_at, made.resolved_at, made.answered_at, made.confirmed_at) == (None,) * 4
    assert made.reopen_count == 1


def test_a_crew_that_stands_before_the_caller_answers_on_the_spot(session):
    made = make_complaint(session, status="arrived")
    actions.take_step(session, Who(NOW), made, "resolve", data={"answered": True, "answer": "当面说明"})
    assert (made.status, made.closed_at, made.answered_at, made.resolved_at) == ("answered", NOW, NOW, NOW)


def test_the_call_that_confirms_answers(session):
    made = make_complaint(session, status="resolved", resolved_at=NOW)
    actions.take_step(session, Who(LATER), made, "confirm")
    assert (made.resolved_at, made.answered_at, made.closed_at) == (NOW, LATER, LATER)


@pytest.mark.parametrize("verb", ["recall", "hand_back"])
@pytest.mark.parametrize(("signed_at", "back"), [(None, "received"), (NOW, "signed")])
def test_what_comes_back_from_a_crew_lies_where_it_lay(session, verb, signed_at, back):
    made = make_complaint(session, status="assigned", signed_at=signed_at, sent_at=signed_at)
    assert actions.take_step(session, Who(LATER), made, verb).status == back


def test_the_first_sending_stays_and_another_unit_signs_anew(session):
    one, two = make_unit(session), make_unit(session)
    made = make_complaint(session, unit_id=one.id)
    actions.take_step(session, Who(NOW), made, "send", data={"unit_id": one.id})
    actions.take_step(session, Who(LATER), made, "sign")
    assert (made.sent_at, made.signed_at) == (NOW, LATER)
    actions.take_step(session, Who(LATER), made, "return", data={"ground": "not_our_duty", "evidence": "附图"})
    actions.take_step(session, Who(LATER), made, "uphold_return", data={"unit_id": two.id})
    assert (made.status, made.unit_id, made.sent_at, made.signed_at) == ("sent", two.id, NOW, None)


def test_a_sending_that_was_taken_back_never_was(session):
    made = make_complaint(session)
    actions.take_step(session, Who(NOW), made, "send")
    actions.take_step(session, Who(LATER), made, "recall")
    assert (made.status, made.sent_at, made.signed_at) == ("received", None, None)


def test_a_step_on_an_older_version_is_refused_with_both_versions(session):
    made = make_complaint(session, status="answered", closed_at=NOW)
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

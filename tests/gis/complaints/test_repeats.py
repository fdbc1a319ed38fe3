"""Repeated complaints: similar ones, "+1", merge and split, and the key supervision that comes by itself."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from gis.complaints import actions, duplicates, repeat_queries, repeats
from gis.complaints.model import Caller, Category, Complaint
from gis.complaints.repeat_rules import AlreadyMerged, MergeClosed, MergeIntoItself, NotMerged, OtherUtility
from gis.complaints.rules import OPEN, WrongStep
from gis.db import translate
from gis.errors import StaleVersion
from gis.journal import Who, timeline
from gis.people.rules import CITY, Scope
from gis.places.queries import working_days
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, square

ZONE = ZoneInfo("Asia/Shanghai")
METRE = 1 / 111_195


def told(session, **more):
    given = {"channel": "12319", "category": "heat.cold", "description": "暖气不热", "place": "文丰小区", "lon": PINGDU[0],
             "lat": PINGDU[1], "zone": ZONE, "calendar": working_days(session), "sure": True}  # fmt: skip
    return given | more


def similar(session, **more):
    given = {"category": "heat.cold", "lon": PINGDU[0], "lat": PINGDU[1], "now": NOW} | more
    return repeat_queries.similar(session, more.pop("scope", CITY), **{k: v for k, v in given.items() if k != "scope"})


def north(metres):
    return PINGDU[0], PINGDU[1] + metres * METRE


# --- similar -----------------------------------------------------------------------------------------------------------
def test_similar_ones_are_open_of_the_same_utility_and_within_the_category_s_radius(session):
    near = make_complaint(session, at=north(30), category="heat.none")
    far = make_complaint(session, at=north(150))
    make_complaint(session, at=north(250))
    make_complaint(session, at=north(10), category="water.none")
    make_complaint(session, at=north(10), status="confirmed", closed_at=NOW)
    make_complaint(session, at=north(10), received_at=NOW - timedelta(days=31))
    found = similar(session)
    assert [row["id"] for row in found] == [near.id, far.id]
    assert [reason["code"] for reason in found[0]["reasons"]] == ["near"]
    assert found[1]["reasons"] == [{"code": "near", "metres": 150}, {"code": "same_category"}]
    session.execute(update(Category).where(Category.code == "heat.cold").values(repeat_radius_m=100))
    assert [row["id"] for row in similar(session)] == [near.id]
    assert len(similar(session, radius_m=300)) == 3


def test_words_and_place_are_reasons_and_a_far_namesake_is_found_without_coordinates(session):
    one = make_complaint(session, at=None, place="文丰小区3号楼", description="暖气片漏水")
    found = similar(session, lon=None, lat=None, place="文丰小区", words="楼下说暖气片漏水")
    assert [row["id"] for row in found] == [one.id]
    assert {reason["code"] for reason in found[0]["reasons"]} == {"same_place", "same_category", "words"}
    assert "暖气片漏水" in found[0]["reasons"][-1]["pieces"]
    assert similar(session, lon=None, lat=None) == []
    assert similar(session, category="nope") == []


def test_the_same_telephone_number_is_found_wherever_it_called_from_and_is_never_told(session):
    far = make_complaint(session, at=north(5_000))
    session.add(Caller(complaint_id=far.id, phone="13812345678"))
    session.flush()
    assert similar(session) == []
    [found] = similar(session, phone="13812345678")
    assert (found["id"], found["reasons"][0]) == (far.id, {"code": "same_caller"})
    assert "13812345678" not in str(found)
    assert similar(session, phone="13812345679") == []


def test_who_was_merged_leads_to_the_main_one(session):
    main, child = make_complaint(session, at=north(5_000)), make_complaint(session, at=north(5_000))
    session.add(Caller(complaint_id=child.id, phone="13812345678"))
    repeats.merge(session, Who(NOW), child, main)
    assert [row["id"] for row in similar(session, phone="13812345678")] == [main.id]


def test_similar_ones_stay_inside_the_scope(session):
    mine, other = make_area(session), make_area(session)
    make_complaint(session, at=north(5), district_id=other.id)
    seen = make_complaint(session, at=north(9), district_id=mine.id)
    assert [row["id"] for row in similar(session, scope=Scope(area_id=mine.id))] == [seen.id]


def test_the_index_of_similar_ones_covers_every_open_status(session):
    for name in ("ix_complaint_similar", "ix_complaint_category_newest"):
        said = session.scalar(text("SELECT indexdef FROM pg_indexes WHERE indexname = :n"), {"n": name})
        assert {word for word in said.split("'") if word in OPEN} == set(OPEN)


# --- join, merge, split ----------------------------------------------------------------------------------------------------
def test_plus_one_keeps_a_number_and_a_caller_of_its_own_and_the_third_is_key_supervision(session):
    main = actions.receive(session, Who(NOW), **told(session, caller_phone="13800000001"))
    first = repeats.join(session, Who(NOW), main, **told(session, category=None, place="", lon=None, lat=None,
                                                       caller_phone="13800000002"))  # fmt: skip
    assert (first.status, first.merged_into_id, first.category, first.place) == (
        "merged",
        main.id,
        "heat.cold",
        "文丰小区",
    )
    assert first.hotline_no != main.hotline_no
    assert first.closed_at == NOW
    assert (main.repeat_count, main.key_since) == (1, None)
    repeats.join(session, Who(NOW), first, **told(session, caller_phone="13800000003"))
    session.refresh(main)
    assert (main.repeat_count, main.key_since) == (2, NOW)
    entry = timeline(session, "complaint", main.id)[-1]
    assert (entry["verb"], entry["data"]) == ("supervise", {"reason": "three_repeats", "told": 3})
    assert session.scalar(select(func.count()).select_from(Caller)) == 3


def test_the_same_caller_for_the_third_time_about_one_compound_is_key_supervision(session):
    make_area(session, level="compound", geom=square(half=0.001))
    made = [actions.receive(session, Who(NOW), **told(session, caller_phone="13800000001")) for _ in range(3)]
    for one in made:
        session.refresh(one)
    assert [one.key_since for one in made] == [NOW, NOW, NOW]
    other = actions.receive(session, Who(NOW), **told(session, caller_phone="13800000001", category="heat.leak"))
    assert other.key_since is None


def test_merging_into_a_merged_one_goes_to_its_main_and_brings_what_hung_on_it(session):
    a, b, c, d = (make_complaint(session) for _ in range(4))
    repeats.merge(session, Who(NOW), b, a)
    repeats.merge(session, Who(NOW), d, c)
    repeats.merge(session, Who(NOW), c, b)
    for one in (a, b, c, d):
        session.refresh(one)
    assert [one.merged_into_id for one in (a, b, c, d)] == [None, a.id, a.id, a.id]
    assert (a.repeat_count, c.repeat_count, a.key_since) == (3, 0, NOW)


def test_what_cannot_be_merged_is_told_by_name(session):
    a, b = make_complaint(session), make_complaint(session)
    water = make_complaint(session, category="water.none")
    done = make_complaint(session, status="confirmed", closed_at=NOW)
    working = make_complaint(session, status="arrived")
    who = Who(NOW)
    with pytest.raises(MergeIntoItself):
        repeats.merge(session, who, a, a)
    with pytest.raises(OtherUtility):
        repeats.merge(session, who, water, a)
    with pytest.raises(MergeClosed):
        repeats.merge(session, who, a, done)
    with pytest.raises(WrongStep):
        repeats.merge(session, who, working, a)
    with pytest.raises(StaleVersion):
        repeats.merge(session, who, b, a, 7)
    repeats.merge(session, who, b, a)
    with pytest.raises(AlreadyMerged):
        repeats.merge(session, who, b, a)
    with pytest.raises(MergeIntoItself):
        repeats.merge(session, who, a, b)
    with pytest.raises(NotMerged):
        repeats.split(session, who, a)


def test_the_database_itself_refuses_a_chain(session):
    a, b, c = (make_complaint(session) for _ in range(3))
    repeats.merge(session, Who(NOW), b, a)
    for one, into in ((a, c), (c, b)):
        with pytest.raises(IntegrityError) as refused, session.begin_nested():
            session.execute(
                update(Complaint).where(Complaint.id == one.id).values(status="merged", merged_into_id=into.id),
                execution_options={"synchronize_session": False},
            )
        assert translate(refused.value).code == "merge_chain"


def test_taking_one_out_again_ends_the_key_supervision_that_came_by_itself(session):
    main, b, c = (make_complaint(session) for _ in range(3))
    repeats.merge(session, Who(NOW), b, main)
    repeats.merge(session, Who(NOW), c, main)
    repeats.split(session, Who(NOW), c)
    session.refresh(main)
    assert (main.repeat_count, main.key_since) == (1, None)
    assert timeline(session, "complaint", main.id)[-1]["verb"] == "unsupervise"
    actions.take_step(session, Who(NOW), main, "supervise", data={"reason": "leader"})
    repeats.split(session, Who(NOW), b)
    session.refresh(main)
    assert main.key_since == NOW  # somebody wanted that one


def snapshot(session):
    session.expire_all()
    rows = session.execute(
        select(Complaint.id, Complaint.hotline_no, Complaint.status, Complaint.merged_into_id, Complaint.closed_at,
               Complaint.repeat_count, Complaint.key_since, Complaint.received_at, Complaint.resolve_by, Caller.phone)
        .outerjoin(Caller, Caller.complaint_id == Complaint.id).order_by(Complaint.id)
    )  # fmt: skip
    return [tuple(row) for row in rows]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=6))
def test_merge_then_split_is_as_if_nothing_had_been(session, pairs):
    with session.begin_nested() as undone:
        made = [make_complaint(session) for _ in range(5)]
        for n, one in enumerate(made):
            session.add(Caller(complaint_id=one.id, phone=f"1380000000{n}"))
        session.flush()
        before = snapshot(session)
        for a, b in pairs:
            try:
                repeats.merge(session, Who(NOW), made[a], made[b])
            except (MergeIntoItself, AlreadyMerged):
                continue
            session.expire_all()
            for one in made:
                main = one.merged_into_id and session.get(Complaint, one.merged_into_id)
                assert main is None or main.merged_into_id is None
            assert sum(one.repeat_count for one in made) == sum(one.merged_into_id is not None for one in made)
        for one in made:
            session.refresh(one)
            if one.merged_into_id is not None:
                repeats.split(session, Who(NOW), one)
        assert snapshot(session) == before
        undone.rollback()


def test_when_the_main_one_is_answered_every_caller_is(session):
    main, b, c = (make_complaint(session, status="signed", signed_at=NOW) for _ in range(3))
    repeats.merge(session, Who(NOW), b, main)
    repeats.merge(session, Who(NOW), c, main)
    actions.take_step(session, Who(NOW), main, "answer", data={"answer": "已恢复供热"})
    session.expire_all()
    assert [(one.status, one.answer, one.answered_at) for one in (b, c)] == [("merged", "已恢复供热", NOW)] * 2
    assert [timeline(session, "complaint", one.id)[-1]["verb"] for one in (b, c)] == ["answer", "answer"]
    back = repeats.split(session, Who(NOW), c)
    assert (back.status, back.answer, back.answered_at, back.closed_at) == ("received", "", None, None)


# --- groups -----------------------------------------------------------------------------------------------------------
def test_duplicate_groups_are_of_one_category_near_and_soon_and_merge_into_the_first(session):
    first = make_complaint(session, received_at=NOW - timedelta(hours=5))
    later = [make_complaint(session, at=north(20 * n), received_at=NOW - timedelta(hours=n)) for n in (1, 2)]
    make_complaint(session, at=north(500))
    make_complaint(session, category="heat.leak")
    make_complaint(session, received_at=NOW - timedelta(days=9))
    merged = make_complaint(session)
    repeats.merge(session, Who(NOW), merged, first)
    found = duplicates.find(session, only_open=True)
    assert found.groups[0].ids == (first.id, later[1].id, later[0].id)
    assert (found.read, found.double, round(found.groups[0].metres)) == (6, 3, 40)
    main, others = repeats.merge_group(session, Who(NOW), list(found.groups[0].ids))
    assert (main.id, {o.id for o in others}) == (first.id, {one.id for one in later})
    assert duplicates.find(session, only_open=True).groups == []


def test_duplicates_stay_inside_the_scope_and_the_days(session):
    mine, other = make_area(session), make_area(session)
    for area in (mine, mine, other, other):
        make_complaint(session, district_id=area.id)
    assert duplicates.find(session, Scope(area_id=mine.id)).double == 2
    assert duplicates.find(session, since=NOW).read == 0

"""Where crews were: what is believed, what is kept, how long, and that the same points always end as the same track."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gis.dispatch.actions import move_crew
from gis.dispatch.track_actions import forget, record, see_track, share
from gis.dispatch.track_model import CrewPosition
from gis.dispatch.track_rules import Duty, Fix, is_jump, is_needless, is_silent, true_time
from gis.errors import BadInput
from gis.journal import Who
from tests.conftest import NOW
from tests.factories import make_complaint, make_crew, make_order

LON, LAT = 119.96, 36.78
METRE = 1 / 89_150  # degrees of longitude at this latitude


def fix(seconds: float, metres: float = 0.0, **fields) -> Fix:
    """A point so many seconds from now, so many metres to the east."""
    given = {"id": uuid4(), "at": NOW + timedelta(seconds=seconds), "lon": LON + metres * METRE, "lat": LAT}
    return Fix(**(given | fields))


def codes(session, crew, *fixes, now=NOW):
    return [(t.kept, t.code) for t in record(session, Who(now), crew, fixes, days=7)]


def kept(session, crew):
    asked = select(CrewPosition.id).where(CrewPosition.crew_id == crew.id, ~CrewPosition.doubted)
    return list(session.scalars(asked.order_by(CrewPosition.at, CrewPosition.id)))


@pytest.fixture
def crew(session):
    return make_crew(session, at=(LON, LAT), position_at=NOW - timedelta(hours=3))


def test_a_wrong_clock_of_the_phone_does_not_matter():
    wrong = NOW.replace(year=1999)
    assert true_time(wrong - timedelta(minutes=5), wrong, NOW) == NOW - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"seconds": 300}, "future"),
        ({"seconds": -86400 * 8}, "too_old"),
        ({"seconds": -60, "lon": 0.0, "lat": 0.0}, "no_place"),
        ({"seconds": -60, "accuracy_m": 5000.0}, "vague"),
        ({"seconds": -5 * 3600}, "off_duty"),
    ],
)
def test_what_cannot_be_or_is_nobodys_business_is_refused(session, crew, given, code):
    assert codes(session, crew, fix(**given)) == [(False, code)]
    assert not kept(session, crew)


def test_off_shift_a_point_is_kept_only_while_there_is_an_order(session):
    crew = make_crew(session, on_shift=False)
    assert codes(session, crew, fix(-60)) == [(False, "off_duty")]
    make_order(session, make_complaint(session, status="assigned"), crew, assigned_at=NOW - timedelta(hours=1))
    assert codes(session, crew, fix(-60)) == [(True, None)]


def test_a_jump_is_doubted_and_does_not_move_the_crew_until_the_next_point_agrees(session, crew):
    assert codes(session, crew, fix(-600), fix(-540, 30_000)) == [(True, None), (True, "doubted")]
    session.refresh(crew)
    assert crew.position_at == NOW - timedelta(seconds=600)
    assert codes(session, crew, fix(-480, 30_100)) == [(True, None)]
    session.refresh(crew)
    assert crew.position_at == NOW - timedelta(seconds=480)
    assert len(kept(session, crew)) == 2


def test_standing_still_is_thinned_but_is_a_sign_all_the_same(session, crew):
    assert codes(session, crew, fix(-100), fix(-80, 5), fix(-60, 10), fix(-35, 12)) == [
        (True, None), (True, "thinned"), (True, "thinned"), (True, None)
    ]  # fmt: skip
    assert codes(session, crew, fix(-10, 12)) == [(True, "thinned")]
    session.refresh(crew)
    assert crew.position_at == NOW - timedelta(seconds=10)


def test_what_was_noted_with_a_deed_is_never_thinned(session, crew):
    order = make_order(session, crew=crew)
    deeds = [fix(-50, 1, why="accept", order_id=order.id), fix(-49, 1, why="arrive", order_id=order.id)]
    assert codes(session, crew, fix(-51), *deeds) == [(True, None)] * 3


def test_a_late_point_fills_the_track_and_leaves_the_crew_where_it_is(session, crew):
    codes(session, crew, fix(-60, 900))
    assert codes(session, crew, fix(-300, 300)) == [(True, None)]
    session.refresh(crew)
    assert crew.position_at == NOW - timedelta(seconds=60)
    assert len(kept(session, crew)) == 2


def test_one_batch_is_one_row_of_the_journal_and_says_not_where(session, crew):
    asked = text("SELECT data FROM journal WHERE thing = 'crew' AND thing_id = :id AND verb = 'move'")
    codes(session, crew, *(fix(-900 + 70 * n, 200 * n) for n in range(10)))
    session.flush()
    assert session.scalars(asked, {"id": str(crew.id)}).all() == [{}]


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 25))
def test_points_far_enough_apart_are_all_kept_in_whatever_order_and_however_often_they_come(seed, n):
    # the same judgement as in the database, on lists: an honest walk is never doubted and never thinned
    shuffle = random.Random(seed)
    walk = [fix(-4000 + 61 * i, shuffle.uniform(0, 900), id=UUID(int=i + 1)) for i in range(n)]
    order = walk.copy()
    shuffle.shuffle(order)
    good: list[Fix] = []
    for point in order:
        assert not is_jump(point, good, []) and not is_needless(point, good)
        good = sorted([*good, point], key=lambda f: f.at)
    assert good == walk


def test_many_batches_at_once_with_the_same_points_keep_each_once(committed):
    from concurrent.futures import ThreadPoolExecutor

    with committed() as session:
        crew_id = make_crew(session, at=(LON, LAT), position_at=NOW - timedelta(hours=3)).id
        session.commit()
    fixes = [fix(-3000 + 70 * n, 300 * n) for n in range(20)]

    def send(seed: int) -> None:
        mine = fixes.copy()
        random.Random(seed).shuffle(mine)
        with committed() as session:
            from gis.dispatch.model import Crew

            for part in (mine[:10], mine[10:], mine):
                record(session, Who(NOW), session.get_one(Crew, crew_id), part, days=7)
                session.commit()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(send, range(6)))
    with committed() as session:
        assert session.scalar(select(func.count()).select_from(CrewPosition)) == 20
        at = session.scalar(text("SELECT position_at FROM crew WHERE id = :id"), {"id": crew_id})
        assert at == max(f.at for f in fixes)


def test_after_some_days_only_the_points_of_an_order_stay_and_not_whose_phone_it_was(session, crew):
    order = make_order(session, crew=crew, assigned_at=NOW - timedelta(hours=2))
    points = [fix(-300), fix(-200, 500, why="arrive", order_id=order.id), fix(-100, 900, why="open", order_id=order.id)]
    codes(session, crew, *points)
    forget(session, Who(NOW + timedelta(days=6)), days=7)
    assert len(kept(session, crew)) == 3
    later = Who(NOW + timedelta(days=8))
    assert forget(session, later, days=7) == 2
    assert kept(session, crew) == [points[1].id]
    assert forget(session, later, days=7) == 0
    assert session.scalars(select(CrewPosition.device_id)).all() == [None]


def test_a_track_is_shown_for_a_purpose_which_is_written_down(session, crew):
    codes(session, crew, fix(-300), fix(-100, 900))
    with pytest.raises(BadInput):
        see_track(session, Who(NOW, 1), crew, "curiosity", NOW - timedelta(hours=5))
    seen = see_track(session, Who(NOW, 1), crew, "safety", NOW - timedelta(hours=5))
    assert [f.at for f in seen] == [NOW - timedelta(seconds=300), NOW - timedelta(seconds=100)]
    session.flush()
    row = session.execute(text("SELECT user_id, data FROM journal WHERE verb = 'see_track'")).one()
    assert (row.user_id, row.data) == (1, {"purpose": "safety"})


def test_switching_off_is_said_once_and_switching_on_again_too(session: Session, crew):
    for on in (False, False, True, True):
        share(session, Who(NOW), crew, on=on)
    session.flush()
    asked = text(
        "SELECT verb FROM journal WHERE thing_id = :id AND verb IN ('share_position', 'hide_position') ORDER BY seq"
    )
    assert session.scalars(asked, {"id": str(crew.id)}).all() == ["hide_position", "share_position"]


def test_the_old_way_of_telling_one_position_still_works(session, crew):
    assert move_crew(session, Who(NOW), crew, LON, LAT, 8.0, NOW)


@pytest.mark.parametrize(
    ("on_shift", "at_work", "minutes", "seen", "silent"),
    [(True, True, 30, None, True), (True, True, 30, 5, False), (True, True, 10, None, False), (True, False, 30, None, False),
     (False, True, 30, None, False), (True, True, 30, 25, True)],
)  # fmt: skip
def test_silent_is_who_is_at_work_and_gives_no_sign(on_shift, at_work, minutes, seen, silent):
    seen_at = None if seen is None else NOW - timedelta(minutes=seen)
    assert silent is is_silent(on_shift=on_shift, at_work=at_work, position_at=NOW - timedelta(minutes=minutes),
                               seen_at=seen_at, now=NOW, silent_min=20)  # fmt: skip


def test_duty_is_a_shift_or_an_order():
    assert Duty([(NOW, None)]).covers(NOW) and not Duty([(NOW, None)]).covers(NOW - timedelta(seconds=1))

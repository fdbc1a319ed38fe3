"""Alarms open and clear by themselves, once, whatever trembles; silence is heard; swapped pipes are told."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from gis.errors import Missing, StaleVersion
from gis.journal import Who
from gis.network import alarm_actions as actions
from gis.network import alarm_queries as asking
from gis.network.reading_model import Alarm, AlarmRule
from gis.network.reading_rules import AlarmKind, AlarmRulesOverlap, BadAlarmRule
from gis.network.watching import Rule, judge, wanted_at
from gis.people.rules import CITY, Scope
from tests.conftest import NOW
from tests.factories import make_unit, make_user
from tests.measured import make_point, make_rule, make_station, read

DAY = date(2009, 11, 17)
BAND = Rule(AlarmKind.BAND, low=40.0, high=60.0, hysteresis=1.0, open_min=10, clear_min=10)


def tail(*values, every=5):
    """Readings ending now, five minutes apart."""
    return [(NOW - timedelta(minutes=every * (len(values) - 1 - n)), v) for n, v in enumerate(values)]


def judged(rule, values, *, is_open=False, other=(), now=NOW):
    return judge(rule, tail(*values), list(other), now, NOW - timedelta(days=1), is_open)


def watch(session, now=NOW):
    return actions.watch(session, Who(now), DAY)


@pytest.mark.parametrize(
    ("values", "is_open", "way"),
    [
        ([50, 39, 39], False, None),  # five minutes are not ten
        ([50, 39, 38, 37], False, "low"),
        ([39, 38, 61, 62], False, None),  # each way for five minutes
        ([61, 62, 63], False, "high"),
        ([40, 40, 40], False, None),  # a limit itself is inside
        ([60, 60, 60], False, None),
        ([], False, None),
    ],
)
def test_a_band_opens_after_its_minutes(values, is_open, way):
    verdict = judged(BAND, values, is_open=is_open)
    assert (verdict.way if verdict else None) == way
    if verdict:
        assert verdict.at == NOW - timedelta(minutes=5 * 2)


def test_a_band_clears_only_well_inside_and_after_its_minutes():
    assert judged(BAND, [39, 40.5, 40.5, 40.5], is_open=True) is None
    assert judged(BAND, [39, 41, 41], is_open=True) is None
    assert judged(BAND, [39, 41, 45, 59], is_open=True).way is None
    assert judged(BAND, [39, 41, 45, 59], is_open=True).at == NOW


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=5), st.lists(st.tuples(st.integers(-30, 20), st.integers(20, 90)), min_size=2, max_size=6, unique_by=lambda k: k[0]))  # fmt: skip
def test_a_curve_is_what_numpy_says(outdoors, knots):
    knots = sorted(knots)
    for outdoor in outdoors:
        assert wanted_at(knots, outdoor) == pytest.approx(np.interp(outdoor, *zip(*knots, strict=True)))


def test_a_curve_asks_the_outdoor_temperature_of_each_moment():
    rule = Rule(AlarmKind.CURVE, low=2.0, high=3.0, knots=((-10, 60), (0, 50), (10, 40)), open_min=5, clear_min=0)
    cold = [(NOW - timedelta(hours=2), 0.0), (NOW - timedelta(minutes=6), -10.0)]
    verdict = judged(rule, [50, 50], other=cold)
    assert (verdict.way, verdict.wanted, verdict.value) == ("low", 60, 50)
    assert judged(rule, [50, 50], other=[(NOW - timedelta(hours=2), 0.0)]) is None
    assert judged(rule, [50, 50], other=[]) is None
    assert judged(rule, [63.1, 63.1], other=cold).way == "high"


def test_supply_colder_than_return_over_a_stretch_is_told_with_its_point(session):
    station = make_station(session)
    supply = make_point(session, station, side="secondary_supply")
    back = make_point(session, station, side="secondary_return")
    make_rule(session, supply, "swapped", other_id=back.id, open_min=10, clear_min=5)
    read(session, *((p, m, v) for m in (15, 10, 5) for p, v in ((supply, 40.0), (back, 47.0))))
    assert watch(session) == (1, 0)
    alarm = session.scalars(select(Alarm)).one()
    assert (alarm.point_id, alarm.kind, alarm.way, alarm.value, alarm.wanted) == (
        supply.id,
        "swapped",
        "swapped",
        40.0,
        47.0,
    )
    later = NOW + timedelta(minutes=10)
    read(session, *((p, m, v) for m in (5, 0) for p, v in ((supply, 48.0), (back, 41.0))), now=later)
    assert watch(session, later) == (0, 1)


def test_an_alarm_opens_once_is_noted_and_clears_by_itself(session):
    point, person = make_point(session), make_user(session)
    make_rule(session, point, low=40.0, high=60.0, hysteresis=1.0, open_min=10, clear_min=10)
    read(session, (point, 20, 50), (point, 15, 35), (point, 10, 36), (point, 5, 37), (point, 0, 36))
    assert watch(session) == (1, 0)
    assert watch(session) == (0, 0)
    (row,) = asking.alarms(session, CITY, asking.Asked("new"))
    assert (row["opened_at"], row["value"], row["way"]) == (NOW - timedelta(minutes=15), 35.0, "low")
    actions.acknowledge(session, Who(NOW, person.id), CITY, row["id"], "已派人", row["version"])
    with pytest.raises(StaleVersion):
        actions.acknowledge(session, Who(NOW, person.id), CITY, row["id"], "再", row["version"])
    assert asking.alarms(session, CITY, asking.Asked("new")) == []
    later = NOW + timedelta(minutes=20)
    read(session, (point, 10, 45), (point, 5, 46), (point, 0, 47), now=later)
    assert watch(session, later) == (0, 1)
    (row,) = asking.alarms(session, CITY, asking.Asked("cleared"))
    assert (row["cleared_at"], row["cleared_value"], row["note"], row["acknowledged_by"]) == (
        later,
        47.0,
        "已派人",
        person.full_name,
    )
    verbs = session.scalars(text("SELECT verb FROM journal WHERE thing = 'alarm' ORDER BY seq")).all()
    assert verbs == ["open", "acknowledge", "clear"]


def test_silence_is_an_alarm_that_ends_with_the_next_reading(session):
    heard, never = make_point(session), make_point(session)
    for point in (heard, never):
        make_rule(session, point, "silence", silent_min=30)
    read(session, (heard, 31, 50))
    assert watch(session) == (1, 0)  # the other has been expected since now only
    alarm = session.scalars(select(Alarm)).one()
    assert (alarm.point_id, alarm.opened_at, alarm.way) == (heard.id, NOW - timedelta(minutes=1), "silent")
    later = NOW + timedelta(minutes=40)
    read(session, (heard, 20, 51), now=later)
    assert watch(session, later) == (1, 1)
    assert session.scalars(select(Alarm.point_id).where(Alarm.cleared_at.is_(None))).all() == [never.id]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_late_and_repeated_batches_open_the_same_alarms(session, data):
    with session.begin_nested() as undone:
        point = make_point(session)
        make_rule(session, point, low=40.0, high=60.0, hysteresis=1.0, open_min=10, clear_min=10)
        series = data.draw(st.lists(st.sampled_from([38.0, 40.5, 50.0, 62.0]), min_size=3, max_size=10))
        rows = [(point, 5 * n, v) for n, v in enumerate(series)]
        ends = []
        for order in (rows, data.draw(st.permutations(rows + rows[:2]))):
            with session.begin_nested() as run:
                for row in order:
                    read(session, row)
                watch(session)
                ends.append(
                    [
                        tuple(r)
                        for r in session.execute(
                            text("SELECT point_id, kind, way, opened_at, value, cleared_at FROM alarm")
                        )
                    ]
                )
                run.rollback()
        assert ends[0] == ends[1]
        undone.rollback()


def test_the_database_keeps_a_second_open_alarm_out(session):
    point = make_point(session)
    rule = make_rule(session, point, low=40.0)
    row = {"point_id": point.id, "rule_id": rule.id, "kind": "band", "way": "low", "opened_at": NOW, "noticed_at": NOW}
    session.add(Alarm(**row))
    session.flush()
    with pytest.raises(IntegrityError, match="uq_alarm_open"), session.begin_nested():
        session.add(Alarm(**row))
        session.flush()


def test_a_rule_that_changes_keeps_its_history_and_one_that_ends_clears_its_alarm(session, who):
    point = make_point(session)
    given = {"low": 40.0, "high": 60.0, "source": "运行规程"}
    actions.put_rule(session, who, point, AlarmKind.BAND, date(2009, 11, 1), given)
    actions.put_rule(session, who, point, AlarmKind.BAND, DAY, given | {"low": 45.0})
    rules = asking.rules_of_points(session, [point.id])
    assert [(r.low, r.valid) for r in rules] == [(45.0, Range(DAY, None)), (40.0, Range(date(2009, 11, 1), DAY))]
    read(session, (point, 0, 42.0))
    assert watch(session) == (1, 0)
    actions.end_rule(session, who, point, AlarmKind.BAND, DAY)
    assert watch(session) == (0, 1)
    session.expire_all()
    assert session.get(AlarmRule, rules[0].id).valid.isempty
    with pytest.raises(AlarmRulesOverlap), session.begin_nested():
        actions.put_rule(session, who, point, AlarmKind.SILENCE, DAY, {"silent_min": 5, "source": "x"})
        session.execute(text("UPDATE alarm_rule SET kind = 'band', silent_min = NULL, low = 1 WHERE kind = 'silence'"))
        session.add(AlarmRule(point_id=point.id, kind="band", low=1.0, source="x", made_at=NOW, valid=Range(DAY, None)))
        from gis.db import naming_violations

        with naming_violations(session):
            session.flush()


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("band", {"low": 5.0, "high": 5.0}), ("band", {}), ("band", {"low": float("nan")}), ("band", {"low": 1.0, "source": " "}),
        ("band", {"low": 1.0, "high": 2.0, "hysteresis": 0.5}), ("band", {"low": 1.0, "open_min": 10**6}),
        ("curve", {"low": 2.0, "other_id": 1, "knots": [[0, 50]]}), ("curve", {"low": 2.0, "other_id": 1, "knots": [[0, 50], [0, 40]]}),
        ("curve", {"low": 2.0, "knots": [[0, 50], [5, 40]]}), ("curve", {"low": -2.0, "other_id": 1, "knots": [[0, 50], [5, 40]]}),
        ("silence", {}), ("swapped", {}),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(kind, given):
    with pytest.raises(BadAlarmRule):
        actions.checked(AlarmKind(kind), {"source": "规程"} | given)


def test_another_bodys_alarm_is_not_there(session, who):
    ours, theirs = make_unit(session), make_unit(session)
    point = make_point(session, make_station(session, unit_id=theirs.id))
    make_rule(session, point, low=40.0)
    read(session, (point, 0, 30.0))
    watch(session)
    (row,) = asking.alarms(session, Scope(unit_id=theirs.id), asking.Asked())
    assert asking.alarms(session, Scope(unit_id=ours.id), asking.Asked()) == []
    with pytest.raises(Missing):
        actions.acknowledge(session, who, Scope(unit_id=ours.id), row["id"], "", None)

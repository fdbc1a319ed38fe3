"""The worklist: each kind appears, and its one action clears it."""

from __future__ import annotations

from datetime import date

import pytest

from gis.complaints import actions, worklist
from gis.complaints.rules import UnknownCategory
from gis.errors import Missing, StaleVersion
from gis.journal import Who, timeline
from gis.people.rules import CITY, Scope
from gis.places.queries import working_days
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, make_unit, square
from tests.gis.complaints.test_routing import ZONE

WHO, DAY = Who(NOW), date(2009, 11, 17)


def test_what_waits_is_counted_and_listed_by_kind(session):
    unit = make_unit(session)
    lost = make_complaint(session, at=None, unit_id=unit.id)
    odd = make_complaint(session, category="unknown", category_said="水压问题", unit_id=unit.id)
    late = make_complaint(session, calendar_missing=True, unit_id=unit.id)
    nobody = make_complaint(session)
    make_complaint(session, status="confirmed", closed_at=NOW, at=None)
    assert worklist.counts(session, CITY) == {
        "no_unit": 1,
        "unknown_category": 1,
        "calendar_missing": 1,
        "not_located": 1,
    }
    rows = {kind: [row["id"] for row in worklist.listing(session, CITY, kind)] for kind in worklist.KINDS}
    assert rows == {
        "no_unit": [nobody.id],
        "unknown_category": [odd.id],
        "calendar_missing": [late.id],
        "not_located": [lost.id],
    }
    assert worklist.missing_years(session, CITY) == [2009]
    assert worklist.counts(session, Scope(unit_id=unit.id + 99))["no_unit"] == 0


def test_each_kind_is_cleared_by_one_action_that_is_written_down(session):
    unit = make_unit(session)
    make_area(session, level="compound", unit_id=unit.id, geom=square(half=0.001))
    one = make_complaint(session, at=None, category="unknown", category_said="不热")
    worklist.choose_category(session, WHO, one, "heat.none", 1, calendar=working_days(session), zone=ZONE)
    assert (one.category, one.unit_id) == ("heat.none", None)
    worklist.locate(session, WHO, one, *PINGDU, "文丰小区", DAY, one.version)
    assert (one.located, one.place, one.unit_id, one.compound_id is not None) == ("located", "文丰小区", unit.id, True)
    other = make_unit(session)
    worklist.choose_unit(session, WHO, one, other.id, one.version)
    assert (one.unit_id, one.routing_rule_id) == (other.id, None)
    verbs = [entry["verb"] for entry in timeline(session, "complaint", one.id)]
    assert verbs == ["choose_category", "locate", "choose_unit"]
    assert set(worklist.counts(session, CITY).values()) == {0}


def test_a_wrong_choice_is_refused(session):
    one = make_complaint(session, category="unknown")
    for code in ("unknown", "nope", "\0"):
        with pytest.raises(UnknownCategory):
            worklist.choose_category(session, WHO, one, code, None, calendar=working_days(session), zone=ZONE)
    with pytest.raises(Missing):
        worklist.choose_unit(session, WHO, one, 1 << 40, None)
    with pytest.raises(StaleVersion):
        worklist.choose_unit(session, WHO, one, make_unit(session).id, 9)


def test_a_word_that_nobody_knows_is_received_all_the_same(session):
    made = actions.receive(
        session, WHO, channel="web", category="unknown", category_said="路边怪味", description="有怪味", place="李园街道", lon=None,
        lat=None, zone=ZONE, calendar=working_days(session),
    )  # fmt: skip
    assert worklist.listing(session, CITY, "unknown_category")[0]["category_said"] == "路边怪味"
    assert made.unit_id is None

"""Versions and named violations: nobody overwrites what they have not seen."""

import pytest
from sqlalchemy.orm.exc import StaleDataError

from gis.complaints.model import Complaint
from gis.db import check_version, naming_violations
from gis.dispatch.rules import CrewBooked
from gis.errors import AlreadyThere, BadInput, StaleVersion
from gis.people.rules import NameTaken
from tests import factories as make


def test_a_stale_edit_is_refused_with_both_versions(session):
    complaint = make.make_complaint(session)
    complaint.description = "changed"
    session.flush()
    with pytest.raises(StaleVersion) as refused:
        check_version(complaint, 1)
    assert refused.value.params == {"base_version": 1, "current_version": 2}
    check_version(complaint, 2)


def test_two_editors_at_once_the_second_update_finds_no_row(committed):
    with committed() as session:
        complaint_id = make.make_complaint(session).id
        session.commit()
    with committed() as one, committed() as two:
        mine, theirs = one.get(Complaint, complaint_id), two.get(Complaint, complaint_id)
        mine.description = "mine"
        one.commit()
        theirs.description = "theirs"
        with pytest.raises(StaleDataError):
            two.commit()


def test_violations_are_named(session):
    make.make_user(session, name="twice")
    with pytest.raises(NameTaken), session.begin_nested(), naming_violations(session):
        make.make_user(session, name="twice")
    order = make.make_order(session)
    with pytest.raises(CrewBooked), session.begin_nested(), naming_violations(session):
        make.make_order(session, crew=session.get(type(make.make_crew(session)), order.crew_id))
    with pytest.raises(BadInput), session.begin_nested(), naming_violations(session):
        make.make_complaint(session, status="nonsense")
    unit = make.make_unit(session)
    with pytest.raises(AlreadyThere), session.begin_nested(), naming_violations(session):
        make.make_unit(session, code=unit.code)

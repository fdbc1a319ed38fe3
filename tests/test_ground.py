"""The ground holds: the fixtures work together."""

from sqlalchemy import text

from gis.places.queries import working_days
from tests.factories import make_complaint, make_order


def test_a_seeded_database_is_there(session):
    assert session.scalar(text("SELECT count(*) FROM category")) >= 20
    assert 2009 in working_days(session).known_years


def test_a_complaint_can_be_made_and_its_version_counts(session):
    complaint = make_complaint(session)
    assert complaint.version == 1
    complaint.description = "又不热了"
    session.flush()
    assert complaint.version == 2
    make_order(session, complaint)

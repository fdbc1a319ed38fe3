"""Requests that nobody thought of, made from the document: no 5xx, and every answer is as the document says."""

from __future__ import annotations

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from gis.journal import Who
from gis.people import actions
from mobile_api.v1 import contract
from tests.conftest import NOW
from tests.factories import make_crew, make_order, make_site, make_user

# A piece of a photo is bytes like any other.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
schema = schemathesis.openapi.from_dict(yaml.safe_load(contract.DOCUMENT.read_text("utf-8")))
WANTED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


@pytest.fixture
def token(app, session):
    """A phone with an order and a site to play with."""
    crew = make_crew(session)
    make_order(session, crew=crew)
    make_site(session)
    user = make_user(session, role="inspector", crew_id=crew.id)
    made, _ = actions.enrol(session, Who(NOW), actions.offer_enrolment(session, Who(NOW), user.id), "robot")
    session.commit()
    return made


@schema.parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_in_the_contract(case, app, token):
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
    checks = [check for check in CHECKS.get_all() if check.__name__ in WANTED]
    case.call_and_validate(app=app, checks=checks, base_url="http://localhost")

"""A key that may report, and the city around the reports."""

from __future__ import annotations

import pytest

from gis.journal import Who
from gis.people import keys
from tests.conftest import NOW
from tests.factories import make_unit


@pytest.fixture
def key(session):
    """A company's key that may report, as its secret."""
    secret, _row = keys.make_key(
        session, Who(NOW), name="test", unit_id=make_unit(session).id, rights=["receive_complaint"]
    )
    session.commit()
    return secret


@pytest.fixture
def send(client, key):
    """`send(service_code=…, …)` posts a report; headers may be given."""

    def post(fmt="json", headers=None, **fields):
        given = {"service_code": "road.damage", "lat": "36.78", "long": "119.96", "api_key": key} | fields
        return client.post(f"/open311/v2/requests.{fmt}", data=given, headers=headers)

    return post

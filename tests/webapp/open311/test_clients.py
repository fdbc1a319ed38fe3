"""What others' programs make of it: the georeport client, our own document, and requests that nobody thought of."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jsonschema
import pytest
import requests
import schemathesis
from georeport import GeoReport
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS
from sqlalchemy import func, select
from werkzeug.serving import make_server

from gis.complaints import georeport
from gis.complaints.model import Complaint
from gis.journal import Who
from gis.people import keys
from gis.places.queries import working_days
from tests.conftest import NOW
from tests.factories import make_complaint, make_unit
from webapp import open311_contract
from webapp.filters import ZoneInfo

DOCUMENT = open311_contract.document("http://localhost/open311")


@pytest.fixture
def server(app):
    """The application on a port, for clients that speak HTTP only."""
    made = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.mark.parametrize("fmt", ["json", "xml"])
def test_the_georeport_client_reads_us(server, session, fmt):
    for n in range(2):
        make_complaint(session, hotline_no=f"G{n}", category="heat.cold", received_at=NOW - timedelta(minutes=n))
    session.commit()
    city = GeoReport(f"{server}/open311/v2", jurisdiction="pingdu.gov.cn", output_format=fmt)
    services = city.get_service_list()
    assert {"heat.cold", "road.damage"} <= {s["service_code"] for s in services}
    definition = city.get_service_definition("heat.cold")
    assert definition["service_code"] == "heat.cold"
    found = city.get_service_requests(status="open", start_date="2009-11-01T00:00:00Z")
    assert [r["service_request_id"] for r in found] == ["G0", "G1"]
    assert city.get_service_request("G1")["service_request_id"] == "G1"
    assert float(found[0]["lat"]) == pytest.approx(36.78, abs=0.005)


def test_a_program_reports_over_http_as_the_specification_shows(server, session, key):
    """The request of the specification's own example, with a place and a service of ours."""
    sent = {
        "api_key": key, "jurisdiction_id": "city.gov", "service_code": "drain.blocked", "lat": "36.7652", "long": "119.9821",
        "address_string": "1234 5th street", "email": "smit333@sfgov.edu", "device_id": "tt222111", "account_id": "123456",
        "first_name": "john", "last_name": "smith", "phone": "13911111111",
        "description": "A large sinkhole is destroying the street", "attribute[traffic]": "slowed",
        "media_url": "http://farm3.static.flickr.com/2002/2212426634_5ed477a060.jpg",
    }  # fmt: skip
    answer = requests.post(f"{server}/open311/v2/requests.json", data=sent, timeout=90)
    assert answer.status_code == 200
    [told] = answer.json()
    [read] = requests.get(f"{server}/open311/v2/requests/{told['service_request_id']}.json", timeout=90).json()
    assert read["description"] == sent["description"]
    assert "smith" not in str(read)


def _validate(name, value):
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema.validate(value, schema)


def test_every_answer_has_the_shape_of_the_document(client, session, send):
    make_complaint(session, hotline_no="V1", unit_id=make_unit(session).id)
    make_complaint(session, hotline_no="V2", at=None)
    session.commit()
    for service in client.get("/open311/v2/services.json").json:
        _validate("Service", service)
        _validate("Definition", client.get(f"/open311/v2/services/{service['service_code']}.json").json)
    _validate("Receipt", send().json[0])
    _validate("Discovery", client.get("/open311/discovery.json").json)
    for row in client.get("/open311/v2/requests.json").json:
        _validate("Request", row)
    _validate("Error", client.get("/open311/v2/requests/none.json").json[0])


schema = schemathesis.openapi.from_dict(DOCUMENT)
WANTED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_in_the_contract(case, app, key):
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {key}"}
    checks = [check for check in CHECKS.get_all() if check.__name__ in WANTED]
    case.call_and_validate(app=app, checks=checks, base_url="http://localhost/open311")


def test_eight_at_once_with_one_reference_make_one_complaint(committed):
    with committed() as session:
        _secret, row = keys.make_key(
            session, Who(NOW), name="k", unit_id=make_unit(session).id, rights=["receive_complaint"]
        )
        key_id = row.id
        session.commit()
    told = georeport.Report(service_code="light.out", address_string="城关镇", client_ref="one")

    def send(_):
        with committed() as session:
            kept = georeport.report(
                session, Who(NOW), key_id, told, zone=ZoneInfo("Asia/Shanghai"), calendar=working_days(session)
            )
            session.commit()
            return kept.complaint.hotline_no, kept.again

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    with committed() as session:
        assert session.scalar(select(func.count()).select_from(Complaint)) == 1
    assert len({number for number, _again in answers}) == 1
    assert [again for _number, again in answers].count(False) == 1

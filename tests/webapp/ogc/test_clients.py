"""What others' programs make of it: GDAL's own driver, and requests that nobody thought of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS
from werkzeug.serving import make_server

from gis.journal import Who
from gis.people import keys
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_crew, make_order, make_unit, square
from webapp import ogc, ogc_contract


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


@pytest.fixture
def secret(session):
    """A key of the bureau."""
    unit = make_unit(session, kind="bureau")
    made, _ = keys.make_key(
        session, Who(NOW), name="gis", unit_id=unit.id, rights=["see_complaints", "see_network"], per_minute=100_000
    )
    session.commit()
    return made


def gdal(script, secret=None):
    """Run GDAL in a process of its own, as it is run: in ours it would hold the interpreter while our server must answer."""
    key = {"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": secret} if secret else {}
    env = {**os.environ, **key}
    head = "import json, pyogrio\n"
    done = subprocess.run(
        [sys.executable, "-c", head + script], env=env, capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_gdal_reads_the_public_layers(server, session):
    for n in range(3):
        make_area(session, name=f"区{n}", code=f"D{n}", geom=square(119.9 + n / 10, 36.8, half=0.04))
    session.commit()
    told = gdal(f"""
source = "OAPIF:{server}/ogc"
frame = pyogrio.read_dataframe(source, layer="districts")
print(json.dumps({{"layers": [name for name, kind in pyogrio.list_layers(source)], "names": sorted(frame["name"]),
                  "crs": frame.crs.to_string(), "bounds": list(frame.total_bounds)}}))
""")
    assert told["layers"] == ["districts", "streets", "communities", "complaint_cells", "promises"]
    assert told["names"] == ["区0", "区1", "区2"]
    assert told["crs"] in ("OGC:CRS84", "EPSG:4326")
    assert told["bounds"] == pytest.approx([119.86, 36.76, 120.14, 36.84])


def test_gdal_reads_every_page_and_asks_by_box_and_property(server, session, secret):
    for n in range(25):
        make_complaint(
            session, at=(119.9 + n / 100, 36.8), hotline_no=f"G{n:02}", status="sent" if n % 5 else "received"
        )
    make_complaint(session, at=None, hotline_no="nowhere")
    session.commit()
    told = gdal(
        f"""
def read(**asked):
    return pyogrio.read_dataframe("OAPIF:{server}/ogc/internal", layer="complaints", **asked)
every = read(PAGE_SIZE="7")
print(json.dumps({{"every": sorted(every["hotline_no"]), "time": str(every["received_at"].dtype),
                  "box": sorted(read(bbox=(119.895, 36.7, 119.935, 36.9), PAGE_SIZE="2")["hotline_no"]),
                  "equal": sorted(read(where="status = 'received'", PAGE_SIZE="2")["hotline_no"])}}))
""",
        secret,
    )
    assert told["every"] == [f"G{n:02}" for n in range(25)] + ["nowhere"]
    assert told["box"] == ["G00", "G01", "G02", "G03"]
    assert told["equal"] == ["G00", "G05", "G10", "G15", "G20", "nowhere"]
    assert told["time"].startswith("datetime64")


def _case(collections, *names, internal):
    """Two collections of each service: they all go the same way."""
    made = ogc_contract.document([collections[name] for name in names], "http://localhost", internal=internal)
    return schemathesis.openapi.from_dict(made)


public = _case(ogc.PUBLIC, "promises", "complaint_cells", internal=False)
internal = _case(ogc.INTERNAL, "complaints", "pipelines", internal=True)
WANTED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")
CHECKED = [check for check in CHECKS.get_all() if check.__name__ in WANTED]


@public.parametrize()
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_public_answer_is_in_the_contract(case, app, session):
    case.call_and_validate(app=app, checks=CHECKED, base_url="http://localhost/ogc")


@internal.parametrize()
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_internal_answer_is_in_the_contract(case, app, session, secret):
    make_order(session, make_complaint(session), make_crew(session))
    session.commit()
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {secret}"}
    case.call_and_validate(app=app, checks=CHECKED, base_url="http://localhost/ogc/internal")


def test_the_document_of_the_service_is_the_one_that_is_tried(client, secret):
    told = json.loads(client.get("/ogc/internal/api", headers={"Authorization": f"Bearer {secret}"}).data)
    tried = ogc_contract.document(list(ogc.INTERNAL.values()), "http://localhost/ogc/internal", internal=True)
    assert told == tried

"""OGC API – Features: every page of a collection once, in every coordinate system; the public is told no single complaint."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from gis.journal import Who
from gis.oversight.outreach_model import Promise
from gis.people import keys
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_crew, make_order, make_unit, square

ITEMS = "/ogc/internal/collections/complaints/items"


@pytest.fixture
def bearer(session):
    """The headers of a key of the bureau that sees everything."""
    unit = make_unit(session, kind="bureau")
    secret, _ = keys.make_key(
        session, Who(NOW), name="gis", unit_id=unit.id, rights=["see_complaints", "see_network"], per_minute=100_000
    )
    session.commit()
    return {"Authorization": f"Bearer {secret}"}


def test_the_landing_page_leads_everywhere(client, bearer):
    for base, headers in (("/ogc", {}), ("/ogc/internal", bearer)):
        told = client.get(base, headers=headers).json
        links = {(link["rel"], link["type"]): link["href"] for link in told["links"]}
        assert {rel for rel, _ in links} == {"self", "alternate", "service-desc", "service-doc", "conformance", "data"}
        for (_rel, kind), href in links.items():
            answer = client.get(href, headers=headers)
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].partition(";")[0] == kind.partition(";")[0]


def test_it_says_what_it_conforms_to(client):
    told = client.get("/ogc/conformance").json["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in told
    assert "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs" in told


def test_the_public_is_offered_what_is_public_and_a_body_what_its_key_opens(client, session, bearer):
    def ids(url, headers=None):
        return [c["id"] for c in client.get(url, headers=headers).json["collections"]]

    assert ids("/ogc/collections") == ["districts", "streets", "communities", "complaint_cells", "promises"]
    assert "complaints" in ids("/ogc/internal/collections", bearer)
    secret, _ = keys.make_key(session, Who(NOW), name="n", unit_id=make_unit(session).id, rights=["see_network"])
    session.commit()
    network = {"Authorization": f"Bearer {secret}"}
    assert ids("/ogc/internal/collections", network) == ["stations", "pipelines", "cameras", "blind_spots"]
    assert client.get(ITEMS, headers=network).status_code == 403
    assert client.get("/ogc/collections/complaints/items").status_code == 404


def test_without_a_key_a_program_gets_401_and_a_browser_the_sign_in(client, sign_in):
    answer = client.get(ITEMS)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="chengmai"')
    assert answer.mimetype == "application/problem+json"
    assert client.get(ITEMS, headers={"Accept": "text/html"}).status_code == 302
    assert sign_in("supervisor").get(ITEMS).status_code == 200


def _pages(client, url, headers):
    while url:
        told = client.get(url, headers=headers).json
        yield told
        url = next((link["href"] for link in told["links"] if link["rel"] == "next"), None)


def test_every_feature_comes_once_although_others_are_added(client, session, bearer):
    first = [make_complaint(session).id for _ in range(7)]
    session.commit()
    seen = []
    for pages, told in enumerate(_pages(client, f"{ITEMS}?limit=3", bearer), 1):
        seen += [f["id"] for f in told["features"]]
        assert told["numberReturned"] == len(told["features"])
        assert told["numberMatched"] >= 7
        if pages == 1:
            added = make_complaint(session).id
            session.commit()
    assert seen == [*first, added]


def test_a_feature_tells_no_caller_and_masks_numbers(client, session, bearer):
    row = make_complaint(session, description="请回电13812345678", unit_id=make_unit(session, name="热力公司").id)
    session.commit()
    told = client.get(f"{ITEMS}/{row.id}", headers=bearer)
    assert told.mimetype == "application/geo+json"
    properties = told.json["properties"]
    assert properties["description"] == "请回电138****5678"
    assert properties["unit"] == "热力公司"
    assert not {"phone", "name", "caller", "door_no", "email"} & set(properties)
    assert {link["rel"] for link in told.json["links"]} == {"self", "alternate", "collection"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("bbox=119.9,36.7,120,36.9", ["in"]), ("bbox=119.9,36.7,0,120,36.9,100", ["in"]),
        ("bbox=36.7,119.9,36.9,120&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/4326", ["in"]),
        ("bbox=13346000,4400000,13360000,4430000&bbox-crs=http://www.opengis.net/def/crs/EPSG/0/3857", ["in"]),
        ("bbox=121,36,-179,38", ["out"]), ("status=received", ["in", "out", "nowhere"]), ("status=assigned", []),
        ("hotline_no=in", ["in"]), ("synthetic=true", []), ("datetime=2009-11-17", ["in", "out", "nowhere"]),
        ("datetime=2009-11-18T00:00:00Z/..", []), ("datetime=../2009-11-17T02:00:00Z", ["in", "out", "nowhere"]),
        ("datetime=2009-11-17T01:00:00Z", ["in", "out", "nowhere"]), ("limit=2", ["in", "out"]),
    ],
)  # fmt: skip
def test_what_is_asked_is_what_comes(client, session, bearer, query, found):
    make_complaint(session, hotline_no="in", at=(119.95, 36.8))
    make_complaint(session, hotline_no="out", at=(121.5, 37.4))
    make_complaint(session, hotline_no="nowhere", at=None)
    session.commit()
    told = client.get(f"{ITEMS}?{query}", headers=bearer).json
    assert [f["properties"]["hotline_no"] for f in told["features"]] == found


@pytest.mark.parametrize(
    "query",
    ["bbox=1,2,3", "bbox=a,b,c,d", "bbox=1,5,2,4", "bbox=1,2,3,nan", "bbox=500,2,501,3", "datetime=yesterday", "datetime=../..",
     "datetime=2009-11-18/2009-11-17", "limit=0", "limit=-1", "limit=x", "crs=EPSG:4326", "bbox-crs=x", "after=x", "f=gml",
     "colour=red", "synthetic=maybe", "description=x", "status=a%00b", "after=99999999999999999999"],
)  # fmt: skip
def test_what_cannot_be_read_is_400_and_says_what(client, bearer, query):
    answer = client.get(f"{ITEMS}?{query}", headers=bearer)
    assert answer.status_code == 400
    assert answer.json["code"] in ("bad_parameter", "unknown_parameter")


def test_a_large_limit_is_the_largest(client, bearer):
    assert client.get(f"{ITEMS}?limit=99999999", headers=bearer).status_code == 200


@pytest.mark.parametrize(
    ("crs", "place"),
    [("http://www.opengis.net/def/crs/OGC/1.3/CRS84", (119.95, 36.8)),
     ("http://www.opengis.net/def/crs/EPSG/0/4326", (36.8, 119.95)),
     ("http://www.opengis.net/def/crs/EPSG/0/4490", (36.8, 119.95)),
     ("http://www.opengis.net/def/crs/EPSG/0/3857", (13352772.92, 4411265.91))],
)  # fmt: skip
def test_coordinates_come_in_the_system_that_is_asked_for(client, session, bearer, crs, place):
    row = make_complaint(session, at=(119.95, 36.8))
    session.commit()
    answer = client.get(f"{ITEMS}/{row.id}?crs={crs}", headers=bearer)
    assert answer.headers["Content-Crs"] == f"<{crs}>"
    assert answer.json["geometry"]["coordinates"] == pytest.approx(list(place), rel=1e-8)


def test_what_has_not_changed_is_not_sent_again(app, client, session, bearer):
    row = make_complaint(session)
    session.commit()
    tag = client.get(ITEMS, headers=bearer).headers["ETag"]
    app.config["CLOCK"] = lambda: NOW + timedelta(seconds=30)
    assert client.get(ITEMS, headers={**bearer, "If-None-Match": tag}).status_code == 304
    row.place = "别处"
    session.commit()
    assert client.get(ITEMS, headers={**bearer, "If-None-Match": tag}).status_code == 200


def test_a_company_sees_what_it_answers_for(client, session):
    mine, other = make_unit(session), make_unit(session)
    own = make_complaint(session, unit_id=mine.id)
    crew = make_crew(session, unit_id=mine.id)
    order = make_order(session, own, crew)
    stranger = make_complaint(session, unit_id=other.id)
    make_order(session, stranger, make_crew(session, unit_id=other.id))
    secret, _ = keys.make_key(session, Who(NOW), name="k", unit_id=mine.id, rights=["see_complaints", "see_network"])
    session.commit()
    headers = {"Authorization": f"Bearer {secret}"}

    def ids(name):
        return [
            f["id"] for f in client.get(f"/ogc/internal/collections/{name}/items", headers=headers).json["features"]
        ]

    assert (ids("complaints"), ids("crews"), ids("work_orders")) == ([own.id], [crew.id], [order.id])
    assert client.get(f"{ITEMS}/{stranger.id}", headers=headers).status_code == 404


CELLS = "/ogc/collections/complaint_cells/items"


def test_the_public_is_told_cells_of_five_in_weeks_that_are_over(client, session):
    week_ago = NOW - timedelta(days=7)
    for n in range(5):
        make_complaint(session, at=(119.9612 + n / 10_000, 36.7812), received_at=week_ago, hotline_no=f"C{n}")
        make_complaint(session, at=(119.9612, 36.7812), received_at=NOW)  # this week is not over
    for _ in range(4):
        make_complaint(session, at=(119.9912, 36.7812), received_at=week_ago)
    session.commit()
    told = client.get(CELLS).json
    [cell] = told["features"]
    assert cell["properties"]["complaints"] == 5
    assert cell["properties"]["begins"] == "2009-11-08T16:00:00+00:00"
    assert [round(v, 4) for v in cell["geometry"]["coordinates"][0][0]] == [119.96, 36.78]
    assert client.get(f"{CELLS}/{cell['id']}").json["properties"] == cell["properties"]
    assert client.get(f"{CELLS}/{2**53 - 1}").status_code == 404
    assert client.get(f"{CELLS}/99999999999999999999999").status_code == 404


@pytest.mark.parametrize("span", ["2009-11-10", "2009-11-09/2009-11-10", "../2009-11-10", "2009-11-10T03:00:00Z",
                                  "2009-11-12/.."])  # fmt: skip
def test_a_part_of_a_week_is_told_as_the_whole_week(client, session, span):
    """Otherwise two questions a day apart could be subtracted from each other."""
    for day in range(6):
        make_complaint(session, at=(119.961, 36.781), received_at=NOW - timedelta(days=8) + timedelta(days=day))
    session.commit()
    [cell] = client.get(f"{CELLS}?datetime={span}").json["features"]
    assert cell["properties"]["complaints"] == 6


def test_areas_are_told_with_their_shape(client, session):
    make_area(session, code="D1", name="城关区", geom=square())
    session.commit()
    told = client.get("/ogc/collections/districts/items?code=D1").json
    assert told["features"][0]["geometry"]["type"] == "MultiPolygon"
    collection = client.get("/ogc/collections/districts").json
    assert collection["extent"]["spatial"]["bbox"][0] == pytest.approx([119.91, 36.73, 120.01, 36.83])
    answer = client.get("/ogc/collections/districts/items")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=60"


def test_a_browser_gets_pages(client, session, bearer):
    make_complaint(session, hotline_no="<b>H</b>")
    session.commit()
    for path in (
        "",
        "/conformance",
        "/api",
        "/collections",
        "/collections/complaints",
        "/collections/complaints/items",
    ):
        page = client.get(f"/ogc/internal{path}?f=html", headers=bearer)
        assert page.mimetype == "text/html"
        assert page.status_code == 200
    assert "&lt;b&gt;H&lt;/b&gt;" in page.text
    assert client.get("/ogc", headers={"Accept": "text/html,*/*;q=0.8"}).mimetype == "text/html"


def test_the_document_is_a_valid_openapi_document(client, bearer):
    from openapi_spec_validator import validate

    for url, headers in (("/ogc/api", {}), ("/ogc/internal/api", bearer)):
        answer = client.get(url, headers=headers)
        assert answer.mimetype == "application/vnd.oai.openapi+json"
        validate(json.loads(answer.data))


def test_promises_are_public_with_and_without_an_area(client, session):
    area = make_area(session, name="城关区")
    for area_id, words in ((area.id, "供热管网改造"), (None, "十分钟接通")):
        session.add(Promise(text=words, person="李工", area_id=area_id, made_on=NOW.date(), due_on=NOW.date()))
    session.commit()
    told = client.get("/ogc/collections/promises/items?status=open&datetime=2009-11-17").json["features"]
    assert [f["properties"]["text"] for f in told] == ["供热管网改造", "十分钟接通"]
    assert told[0]["geometry"]["type"] == "Point"
    assert told[1]["geometry"] is None

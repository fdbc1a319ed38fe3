"""From finding to work on the planner's pages: outbreaks, addresses, days to close, what was made of a hotspot; public files."""

import io
import json
import re
from datetime import timedelta

import pytest
from PIL import Image
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from gis.complaints.incident_model import Incident
from gis.complaints.model import Complaint
from gis.hotspots.model import HotspotWork
from gis.oversight.outreach_model import Meeting, VisitCampaign
from tests.conftest import NOW
from tests.factories import PINGDU, make_area, make_complaint, square

LON, LAT = PINGDU
WEEK = "from=2009-11-11&to=2009-11-17&ground=all"


@pytest.fixture
def burst(session):
    """A district where complaints come from everywhere, and since yesterday from one compound."""
    own = make_area(session, name="平度市")
    make_area(session, name="文丰小区", level="compound", geom=square(LON, LAT, 0.002))
    for i in range(84):
        make_complaint(session, at=(LON - 0.045 + 0.0075 * (i % 12), LAT + 0.04 - 0.011 * (i // 12)), district_id=own.id,
                       received_at=NOW - timedelta(days=i % 28, hours=1), place=f"{i}号楼")  # fmt: skip
    for i in range(25):
        make_complaint(session, at=(LON + 0.0002 * (i % 5), LAT + 0.0002 * (i // 5)), district_id=own.id, place="文丰小区3号楼",
                       received_at=NOW - timedelta(hours=1 + i % 20))  # fmt: skip
    session.commit()
    return own


def _hot(text: str) -> int:
    row = re.search(r'data-cell="(\d+)"(?:(?!</tr>).)*去处置', text, re.S)
    assert row is not None
    return int(row[1])


def test_an_outbreak_becomes_an_incident_of_its_open_complaints(burst, sign_in, session):
    client = sign_in("supervisor")
    text = client.get(f"/hotspots/outbreaks?{WEEK}").text
    assert "文丰小区" in text and "突发聚集（确认）" in text
    made = client.post(f"/hotspots/outbreaks?{WEEK}", data={"number": 1})
    assert made.status_code == 303
    incident = session.scalars(select(Incident)).one()
    assert made.location.endswith(f"/incidents/{incident.id}")
    inside = session.scalars(select(Complaint).where(Complaint.incident_id == incident.id)).all()
    assert len(inside) >= 25 and sum(c.place == "文丰小区3号楼" for c in inside) == 25
    assert session.scalars(select(HotspotWork.kind)).all() == ["incident"]
    assert "已转事件" in client.get(f"/hotspots/works?{WEEK}").text
    again = client.post(f"/hotspots/outbreaks?{WEEK}", data={"number": 1}, follow_redirects=True)
    assert again.status_code == 200 and len(session.scalars(select(Incident)).all()) == 1


@pytest.mark.parametrize(
    ("kind", "given", "model"),
    [("visit", {"at": "2009-11-24T09:00"}, Meeting), ("special_week", {"starts_on": "2009-11-18", "ends_on": "2009-11-24"}, VisitCampaign)],
)  # fmt: skip
def test_a_hot_cell_becomes_a_meeting_or_a_special_week(burst, sign_in, session, kind, given, model):
    client = sign_in("supervisor")
    number = _hot(client.get(f"/hotspots?{WEEK}").text)
    form = client.get(f"/hotspots/works/new?{WEEK}&cell_no={number}").text
    key = re.search(r'name="key" value="([^"]+)"', form)[1]
    sent = {"key": key, "kind": kind, "note": "集中来电"} | given
    answer = client.post(f"/hotspots/works?{WEEK}&cell_no={number}", data=sent)
    assert answer.status_code == 303, answer.text[-600:]
    thing = session.scalars(select(model)).one()
    kept = session.scalars(select(HotspotWork)).one()
    assert (kept.kind, kept.thing_id, kept.note, kept.label) == (kind, thing.id, "集中来电", "hot_99")
    listed = client.get(f"/hotspots/works?{WEEK}").text
    assert "尚未到期" in listed and "集中来电" in listed
    twice = client.post(f"/hotspots/works?{WEEK}&cell_no={number}", data=sent)
    assert twice.status_code == 422 and "已作过同样的处置" in twice.text
    assert len(session.scalars(select(model)).all()) == 1  # what was refused left nothing behind


def test_who_calls_again_and_where_it_takes_long_is_told_and_opens_in_excel(burst, sign_in):
    client = sign_in("supervisor")
    text = client.get(f"/hotspots/addresses?{WEEK}").text
    assert "文丰小区3号楼" in text and '<td class="number">25</td>' in text and "平度市" in text
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"/hotspots/addresses.xlsx?{WEEK}").data))
    _head, first, *_rest = book.get_sheet_by_index(0).to_python()
    assert first[:2] == ["文丰小区3号楼", 25]
    days = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"/hotspots/days.xlsx?{WEEK}").data))
    assert days.get_sheet_by_index(0).to_python()[1][0] == "平度市"
    assert client.get(f"/hotspots/addresses?{WEEK}&level=planet").status_code == 422


def test_what_is_for_the_public_holds_no_cell_of_fewer_than_five(burst, sign_in):
    client = sign_in("supervisor")
    own = json.loads(client.get(f"/hotspots.geojson?{WEEK}").text)["features"]
    told = json.loads(client.get(f"/hotspots.geojson?{WEEK}&public=1").text)["features"]
    assert min(f["properties"]["count"] for f in own) < 5 <= min(f["properties"]["count"] for f in told)
    page = client.get(f"/hotspots.html?{WEEK}&public=1").text
    assert "不含任何单件诉求" in page and "3号楼" not in page and "http://" not in page and "https://" not in page


@pytest.mark.parametrize(
    "query", ["", "&measure=density", "&measure=rate", "&shape=hexagon", "&from=1999-01-01&to=1999-01-07"]
)
def test_the_map_is_a_picture_and_a_sheet_of_paper(burst, sign_in, query):
    client = sign_in("supervisor")
    asked = query.removeprefix("&") if "from=" in query else WEEK + query
    picture = Image.open(io.BytesIO(client.get(f"/hotspots.png?{asked}").data))
    assert picture.width == 1600 and len(picture.convert("RGB").getcolors(1 << 24)) > 2
    sheet = PdfReader(io.BytesIO(client.get(f"/hotspots.pdf?{asked}").data))
    words = "".join(page.extract_text() for page in sheet.pages)
    assert ("文丰小区" in words) is ("1999" not in query)


def test_who_may_only_look_is_offered_no_deed(burst, sign_in):
    client = sign_in("dispatcher")
    text = client.get(f"/hotspots?{WEEK}").text
    assert "高发 99 %" in text and "去处置" not in text
    assert client.post(f"/hotspots/works?{WEEK}&cell_no=1", data={"kind": "visit"}).status_code == 403

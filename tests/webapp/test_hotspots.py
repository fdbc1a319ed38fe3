"""The planner's page: who sees it and how much, the same rows everywhere, and files that open again."""

import io
import json
import re
from pathlib import Path

import pyogrio
import pytest
from python_calamine import CalamineWorkbook

from gis.people.rules import RIGHTS, Role
from tests.factories import PINGDU, make_area, make_complaint, square

LON, LAT = PINGDU
WEEK = "from=2009-11-16&to=2009-11-22"
ADDRESS = re.compile(r"https?://|(?:src|href)\s*=|url\(\s*['\"]?(?!data:)|@import|//cdn", re.IGNORECASE)


@pytest.fixture
def cluster(session):
    """A district with a cluster, two rows without a place, and another district."""
    own = make_area(session, name="平度市", source="国家边界 2024")
    other = make_area(session, name="莱西市", geom=square(LON + 0.3, LAT))
    for i in range(40):
        make_complaint(session, at=(LON + 0.0005 * (i % 4), LAT + 0.0005 * (i // 8)), district_id=own.id)
    for i in range(12):
        make_complaint(session, at=(LON - 0.045 + 0.0075 * i, LAT + 0.04 - 0.006 * i), district_id=own.id,
                       category="water.none")  # fmt: skip
    for _ in range(2):
        make_complaint(session, at=None, district_id=own.id)
    for i in range(7):
        make_complaint(session, at=(LON + 0.3, LAT + 0.001 * i), district_id=other.id)
    session.commit()
    return own, other


@pytest.mark.parametrize("role", list(Role))
def test_only_who_may_see_hotspots_does(cluster, sign_in, role):
    client = sign_in(role)
    expected = 200 if role in RIGHTS["see_hotspots"] else 403
    for path in ("/hotspots", "/hotspots/map"):
        assert client.get(f"{path}?{WEEK}").status_code == expected
    for kind in ("html", "xlsx", "geojson", "gpkg", "png", "pdf"):
        assert client.get(f"/hotspots.{kind}?{WEEK}").status_code == (200 if role in RIGHTS["export"] else 403)


def test_without_a_period_the_url_becomes_the_latest_week(cluster, sign_in):
    answer = sign_in("planner").get("/hotspots?category=heat")
    assert answer.status_code == 302
    assert "from=2009-11-11" in answer.location
    assert "to=2009-11-17" in answer.location
    assert "category=heat" in answer.location


def test_the_page_tells_counts_verdicts_and_what_is_not_drawn(cluster, sign_in):
    text = sign_in("planner").get(f"/hotspots?{WEEK}").text
    assert "<strong>59</strong>" in text
    assert "<strong>2</strong> 件未定位" in text
    assert "高发 99 %" in text
    assert 'sandbox="allow-scripts"' in text
    assert "/hotspots/map?" in text
    assert "2009-11-16 – 2009-11-22" in text


def test_the_page_speaks_english(cluster, sign_in):
    text = sign_in("planner", language="en").get(f"/hotspots?{WEEK}").text
    assert "Hot, 99 %" in text
    assert "not located, not drawn" in text
    body = re.sub(r"<option[^>]*>.*?</option>|<td>.*?</td>|<a [^>]*>.*?</a>|<button.*?</button>", "", text, flags=re.S)
    assert not re.search(r"[\u4e00-\u9fff]", body.replace("平度市", "").replace("莱西市", ""))


def test_filters_narrow_page_and_files_alike(cluster, sign_in):
    client = sign_in("planner")
    own, other = cluster
    for query, rows in (
        (f"district={other.id}", 7),
        ("category=water", 12),
        (f"district={own.id}&category=heat.cold", 40),
    ):
        assert f"<strong>{rows}</strong> 件诉求上图" in client.get(f"/hotspots?{WEEK}&{query}").text
        found = json.loads(client.get(f"/hotspots.geojson?{WEEK}&{query}").text)
        assert sum(f["properties"]["count"] for f in found["features"]) == rows


def test_nothing_of_another_district_is_told(cluster, sign_in):
    own, other = cluster
    client = sign_in("dispatcher", area_id=own.id)
    text = client.get(f"/hotspots?{WEEK}").text
    assert "<strong>52</strong>" in text
    for path in ("/hotspots", "/hotspots/map", "/hotspots.html", "/hotspots.geojson", "/hotspots.xlsx"):
        for query in (WEEK, f"{WEEK}&district={other.id}"):
            assert "莱西" not in client.get(f"{path}?{query}").get_data(as_text=False).decode("utf-8", "ignore")
    asked = json.loads(client.get(f"/hotspots.geojson?{WEEK}&district={other.id}").text)
    assert asked["features"] == []


@pytest.mark.parametrize("measure", ["significance", "density"])
def test_no_map_names_an_address_or_fetches_anything(cluster, sign_in, measure):
    client = sign_in("planner")
    for path in ("/hotspots/map", "/hotspots.html"):
        page = client.get(f"{path}?{WEEK}&measure={measure}").text
        assert not ADDRESS.search(re.sub(r'http-equiv="|charset="', "", page.split("<script>")[0]))
        assert "http://" not in page
        assert "https://" not in page
        assert "<link" not in page
        assert " src=" not in re.sub(r"<script>.*?</script>", "", page, flags=re.S)


def test_the_frame_is_sandboxed_and_its_scripts_are_named_by_hash(cluster, sign_in):
    answer = sign_in("planner").get(f"/hotspots/map?{WEEK}")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'")
    assert "allow-same-origin" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    inner = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', answer.text)[1]
    assert len(re.findall(r"'sha256-[A-Za-z0-9+/]{43}='", inner)) == 3
    assert "unsafe-inline" not in inner.split("style-src")[0]


def test_the_excel_file_opens_again_and_holds_text_as_text(cluster, sign_in, session):
    make_area(session, name="=cmd|' /C calc'!A0", level="compound", geom=square(LON, LAT, 0.0005))
    session.commit()
    body = sign_in("planner").get(f"/hotspots.xlsx?{WEEK}&ground=all").data
    book = CalamineWorkbook.from_filelike(io.BytesIO(body))
    assert book.sheet_names == ["方格", "说明"]
    head, *rows = book.get_sheet_by_name("方格").to_python()
    assert head == [
        "№",
        "邻近地点",
        "经度",
        "纬度",
        "诉求",
        "件/平方公里",
        "户数",
        "件/千户",
        "z",
        "p",
        "校正后 p",
        "判定",
        "走势",
    ]
    assert sum(row[4] for row in rows) == 59
    assert rows[0][1] == "=cmd|' /C calc'!A0"
    assert rows[0][11] == "高发 99 %"
    about = [row[0] for row in book.get_sheet_by_name("说明").to_python()]
    assert any("Benjamini-Hochberg" in line for line in about)
    assert any("未定位 2 件" in line for line in about)


def test_geojson_and_geopackage_open_again_with_the_same_rows(cluster, sign_in, tmp_path):
    client = sign_in("planner")
    (tmp_path / "a.geojson").write_bytes(client.get(f"/hotspots.geojson?{WEEK}").data)
    (tmp_path / "a.gpkg").write_bytes(client.get(f"/hotspots.gpkg?{WEEK}").data)
    one, two = (pyogrio.read_dataframe(tmp_path / f"a.{kind}") for kind in ("geojson", "gpkg"))
    assert len(one) == len(two) > 5
    assert str(two.crs) == "EPSG:4326"
    assert one["count"].sum() == two["count"].sum() == 59
    assert list(one["label"]) == list(two["label"])
    assert two["z"].iloc[0] == two["z"].max() == pytest.approx(one["z"].iloc[0])
    assert one.geometry.is_valid.all()
    west, south, east, north = two.total_bounds
    assert LON - 0.1 < west < east < LON + 0.4
    assert LAT - 0.1 < south < north < LAT + 0.1


def test_files_of_an_empty_selection_open_too(cluster, sign_in, tmp_path):
    client = sign_in("planner")
    period = "from=1999-01-01&to=1999-01-02"
    assert "所选范围内没有已定位的诉求" in client.get(f"/hotspots?{period}").text
    assert client.get(f"/hotspots/map?{period}").status_code == 200
    (tmp_path / "a.gpkg").write_bytes(client.get(f"/hotspots.gpkg?{period}").data)
    assert len(pyogrio.read_dataframe(tmp_path / "a.gpkg")) == 0
    assert json.loads(client.get(f"/hotspots.geojson?{period}").text)["features"] == []
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"/hotspots.xlsx?{period}").data))
    assert len(book.get_sheet_by_name("方格").to_python()) == 1
    assert client.get(f"/hotspots.html?{period}").status_code == 200


def test_a_bureau_without_any_data_gets_a_page(sign_in):
    client = sign_in("planner")
    answer = client.get("/hotspots", follow_redirects=True)
    assert answer.status_code == 200
    assert "所选范围内没有已定位的诉求" in answer.text
    assert client.get(f"/hotspots/map?{WEEK}").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "cell=77",
        "cell=x",
        "cell=-250",
        "reach=1",
        "reach=100000",
        "from=2009-13-01",
        "district=abc",
        "cell=" + "9" * 400,
        "from=0001-01-01",
        "from=9999-12-31",
        "shape=community",
        "shape=community&measure=density",
        "measure=course",
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(cluster, sign_in, query):
    client = sign_in("planner")
    for path in ("/hotspots", "/hotspots/map", "/hotspots.xlsx"):
        base = WEEK if "from" not in query else "to=2009-11-22"
        answer = client.get(f"{path}?{base}&{query}")
        assert answer.status_code == 422
        assert "Traceback" not in answer.text


def test_a_density_that_nothing_is_left_of_is_an_empty_legend_and_no_crash(session, sign_in):
    make_area(session)
    make_complaint(session, at=(LON, LAT))
    session.commit()
    client = sign_in("planner")
    for kind in ("html", "png", "pdf", "xlsx", "geojson", "gpkg"):
        assert client.get(f"/hotspots.{kind}?{WEEK}&measure=density&public=1").status_code == 200
    for measure in ("rate", "density", "course"):
        assert client.get(f"/hotspots?from=1999-01-01&to=1999-03-31&measure={measure}").status_code == 200
    assert "户数不详" in client.get(f"/hotspots?{WEEK}&measure=rate").text  # a cell without households has no rate


def test_a_period_that_ends_before_it_begins_is_refused(cluster, sign_in):
    assert sign_in("planner").get("/hotspots?from=2009-11-22&to=2009-11-16").status_code == 422


def test_the_table_has_pages_and_the_second_goes_on_where_the_first_ends(session, sign_in):
    make_area(session)
    for i in range(150):
        make_complaint(session, at=(LON - 0.045 + 0.006 * (i % 15), LAT - 0.04 + 0.006 * (i // 15)))
    session.commit()
    client = sign_in("planner")
    numbers = [
        [int(n) for n in re.findall(r'data-cell="(\d+)"', client.get(f"/hotspots?{WEEK}&page={page}").text)]
        for page in (1, 2)
    ]
    assert numbers[0] == list(range(1, 101))
    assert numbers[1][:50] == list(range(101, 151))


def test_counts_that_are_the_same_everywhere_are_no_data_and_no_crash(session, sign_in):
    for _ in range(3):
        make_complaint(session, at=(-71.06, 42.36))
    session.commit()
    text = sign_in("planner").get(f"/hotspots?{WEEK}").text
    assert "各方格件数相同，无法比较。" in text
    assert "无法比较" in text


def test_the_command_prints_every_compared_cell(committed, tmp_path, monkeypatch):
    from click.testing import CliRunner
    from distributed import LocalCluster

    from webapp.cli import main

    with committed() as session:
        make_area(session)
        for i in range(30):
            make_complaint(session, at=(LON + 0.0005 * (i % 4), LAT))
        make_complaint(session, at=None)
        session.commit()
        url = session.get_bind().url.render_as_string(False)
    monkeypatch.setenv("CHENGMAI_DATABASE_URL", url)
    arguments = ["hotspots", "--from", "2009-11-16", "--to", "2009-11-22", "--cell", "500", "--data-dir", str(tmp_path)]
    ran = CliRunner().invoke(main, [*arguments, "--json"])
    assert ran.exit_code == 0, ran.output
    cells = json.loads(ran.stdout)
    assert {"lon", "lat", "count", "z", "p", "label"} <= set(cells[0])
    assert sum(c["count"] for c in cells) == 30
    assert cells[0]["label"] == "hot_99"
    assert len(cells) > 300
    told = CliRunner().invoke(main, arguments).stdout
    assert "1 not located" in told
    assert CliRunner().invoke(main, [*arguments, "--category", "gas", "--json"]).exit_code == 0
    assert CliRunner().invoke(main, [*arguments[:2], "2009-11-23", *arguments[3:]]).exit_code == 1
    assert CliRunner().invoke(main, ["hotspots", "--from", "x"]).exit_code == 2
    assert CliRunner().invoke(main, [*arguments, "--cell", "1"]).exit_code == 1
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as workers:
        monkeypatch.setenv("CHENGMAI_DASK", workers.scheduler_address)
        ran = CliRunner().invoke(main, [*arguments, "--json"])
        assert json.loads(ran.stdout) == cells
    monkeypatch.setenv("CHENGMAI_DASK", "nonsense://")
    refused = CliRunner().invoke(main, [*arguments, "--json"])
    assert (refused.exit_code, json.loads(refused.stdout)["error"]["code"]) == (1, "cluster_away")


def test_only_the_safe_door_knows_folium():
    root = Path(__file__).parents[2]
    doors = [p for place in ("webapp", "mobile_api", "gis") for p in (root / place).rglob("*.py")
             if "node_modules" not in p.parts and re.search(r"^\s*(import|from) (folium|branca)", p.read_text("utf-8"), re.M)]  # fmt: skip
    assert [p.relative_to(root).as_posix() for p in doors] == ["webapp/maps.py"]

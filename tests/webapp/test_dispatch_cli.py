"""`crew add`, `crews nearest` and `import roads` as a person types them, on a real database."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, text

from gis.dispatch.model import Crew, CrewSkill, Shift
from gis.places.model import RoadEdge, RoadNetwork
from tests.factories import make_complaint
from webapp.cli import main


@pytest.fixture
def run(committed, tmp_path):
    url = committed.kw["bind"].url.render_as_string(hide_password=False)
    runner = CliRunner(env={"CHENGMAI_DATABASE_URL": url, "CHENGMAI_DATA_DIR": str(tmp_path)})

    def call(*words, code=0):
        result = runner.invoke(main, [*words, "--json"], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if result.stdout.startswith(("{", "[")) else result.output

    return call


def add(run, name="抢修一班", *more, **kw):
    return run("crew", "add", name, "--kind", "maintenance", "--skill", "heating", "--at", "119.97,36.78", *more, **kw)


def test_a_crew_is_added_round_the_clock_or_with_daily_hours(run, committed):
    always = add(run, "一班", "--skill", "gas")
    assert (always["name"], always["skills"]) == ("一班", ["gas", "heating"])
    night = add(run, "夜班", "--shift", "20:00/08:00")
    with committed() as session:
        shifts = session.scalars(select(Shift.during).where(Shift.crew_id == always["id"])).all()
        assert len(shifts) == 1 and shifts[0].upper is None and shifts[0].lower.hour == 16
        nights = session.scalars(select(Shift.during).where(Shift.crew_id == night["id"]).order_by(Shift.during)).all()
        assert len(nights) == 365
        assert {(s.lower.hour, (s.upper - s.lower).total_seconds() / 3600) for s in nights} == {(12, 12.0)}
        assert session.scalar(select(func.count()).select_from(CrewSkill)) == 3
        lon, lat = session.execute(select(func.ST_X(Crew.position), func.ST_Y(Crew.position))).first()
        assert (lon, lat) == (119.97, 36.78)


def test_wrong_usage_exits_2_and_a_refusal_exits_1(run):
    run("crew", "add", "甲", "--kind", "nobody", "--skill", "heating", "--at", "1,2", code=2)
    run("crew", "add", "甲", "--kind", "maintenance", "--at", "1,2", code=2)
    for at, code in (("119.97", "bad_input"), ("nan,1", "bad_input"), ("36.7,119.9", "bad_coordinates")):
        refused = run("crew", "add", "甲", "--kind", "maintenance", "--skill", "heating", "--at", at, code=1)
        assert refused["error"]["code"] == code
    assert "heating" in add(run, "甲", "--skill", "heatin", code=1)["error"]["message"]
    assert add(run, "甲", "--shift", "8-17", code=1)["error"]["code"] == "bad_input"
    assert (
        add(run, "甲", "--shift", "08:00/17:00", "--shift", "16:00/20:00", code=1)["error"]["code"] == "already_there"
    )


def test_the_nearest_crews_are_told_with_minutes_reasons_and_violations(run, committed):
    add(run, "近")
    run("crew", "add", "燃气", "--kind", "maintenance", "--skill", "gas", "--at", "119.96,36.78")
    with committed.begin() as session:
        complaint = make_complaint(session).id
    rows = run("crews", "nearest", "--complaint", str(complaint), "--limit", "5")
    assert [row["crew"] for row in rows] == ["近", "燃气"]
    assert set(rows[0]) >= {"crew", "minutes", "metres", "by", "reasons", "violations"}
    assert rows[0]["by"] == "straight" and rows[0]["metres"] == pytest.approx(891, abs=2)
    assert rows[0]["violations"] == [] and rows[1]["violations"] == ["Lacks the skill: Heating"]
    assert run("crews", "nearest", "--complaint", "999999", code=1)["error"]["code"] == "missing"


STREETS = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "properties": {"name": "红旗路", "highway": "主干路", "oneway": "yes"},
         "geometry": {"type": "LineString", "coordinates": [[119.95, 36.78], [119.96, 36.78], [119.98, 36.78]]}},
        {"type": "Feature", "properties": {"name": "人民路", "highway": "支路"},
         "geometry": {"type": "LineString", "coordinates": [[119.96, 36.77], [119.96, 36.78], [119.96, 36.79]]}},
        {"type": "Feature", "properties": {"name": "环路", "highway": "支路"},
         "geometry": {"type": "LineString", "coordinates": [[119.98, 36.78], [119.97, 36.79], [119.95, 36.78]]}},
    ],
}  # fmt: skip


def test_streets_are_imported_once_and_ways_are_then_by_road(run, committed, tmp_path):
    file = tmp_path / "路网.geojson"
    file.write_text(json.dumps(STREETS), "utf-8")
    first = run("import", "roads", str(file))
    assert {k: first[k] for k in ("read", "added", "unchanged", "refused", "edges")} == {
        "read": 3, "added": 3, "unchanged": 0, "refused": 0, "edges": 5,
    }  # fmt: skip
    again = run("import", "roads", str(file))
    assert (again["read"], again["added"], again["unchanged"]) == (3, 0, 3)
    add(run)
    with committed.begin() as session:
        assert session.scalar(select(RoadNetwork.revision)) == 1
        complaint = make_complaint(session, at=(119.955, 36.7801)).id
    row = run("crews", "nearest", "--complaint", str(complaint))[0]
    # 红旗路 is one-way eastwards: the crew has to go round by 环路, although it stands 1.3 km to the east
    assert row["by"] == "road" and row["metres"] > 3500 and "by road" in row["reasons"][0]


def test_a_file_with_a_bad_row_is_refused_as_a_whole_and_says_which(run, committed, tmp_path):
    broken = json.loads(json.dumps(STREETS))
    broken["features"][1]["geometry"]["coordinates"][0] = [36.77, 119.96]
    broken["features"].append(
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}
    )
    file = tmp_path / "roads.geojson"
    file.write_text(json.dumps(broken), "utf-8")
    report = run("import", "roads", str(file), code=1)
    assert (report["refused"], report["added"]) == (2, 0)
    assert [(e["row"], e["code"]) for e in report["errors"]] == [("2", "swapped_coordinates"), ("4", "bad_geometry")]
    (tmp_path / "no.osm.pbf").write_bytes(b"not a map")
    assert run("import", "roads", str(tmp_path / "no.osm.pbf"), code=1)["error"]["code"] == "unknown_file"
    (tmp_path / "no.gpkg").write_bytes(b"not a map")
    assert run("import", "roads", str(tmp_path / "no.gpkg"), code=1)["error"]["code"] == "unknown_file"
    run("import", "roads", str(tmp_path / "absent.osm.pbf"), code=2)
    with committed() as session:
        assert session.scalar(select(func.count()).select_from(RoadEdge)) == 0
        assert session.scalar(text("SELECT count(*) FROM journal WHERE thing = 'road_network'")) == 0


def test_a_changed_file_changes_only_what_changed_and_raises_the_revision(run, committed, tmp_path):
    file = tmp_path / "roads.geojson"
    for feature, ident in zip(STREETS["features"], (7, 8, 9), strict=True):
        feature["properties"]["id"] = ident
    file.write_text(json.dumps(STREETS), "utf-8")
    run("import", "roads", str(file), "--name", "城区")
    changed = json.loads(json.dumps(STREETS))
    changed["features"][0]["properties"]["oneway"] = "no"
    del changed["features"][2]
    file.write_text(json.dumps(changed), "utf-8")
    report = run("import", "roads", str(file), "--name", "城区")
    assert (report["added"], report["unchanged"], report["removed_edges"]) == (1, 1, 1)
    with committed() as session:
        assert session.scalar(select(RoadNetwork.revision)) == 2
        assert session.scalar(select(func.count()).where(RoadEdge.backward_s.is_(None))) == 0
        assert session.scalar(text("SELECT count(*) FROM road_node")) == 5

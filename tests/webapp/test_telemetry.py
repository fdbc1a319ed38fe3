"""Programs send readings with a body's key; files bring them in either shape."""

import csv
import io

import pytest
from openpyxl import Workbook
from sqlalchemy import text

from gis.journal import Who
from gis.people import keys
from tests.conftest import NOW
from tests.factories import make_unit
from tests.measured import make_point, make_station, stored
from webapp.imports.errors import MissingColumn
from webapp.reading_files import batches, columns, moment


@pytest.fixture
def program(session, app):
    """A heat company's program with its key, and a point of its station."""
    unit = make_unit(session)
    point = make_point(session, make_station(session, unit_id=unit.id))
    secret, _key = keys.make_key(session, Who(NOW), name="监控", unit_id=unit.id, rights=["send_readings"])
    session.commit()
    client = app.test_client()

    def send(**body):
        return client.post("/telemetry/v1/readings", headers={"Authorization": f"Bearer {secret}"}, **body)

    return send, point


def test_a_batch_is_kept_and_told_and_again_changes_nothing(program, session):
    send, point = program
    rows = [{"point": point.code, "at": NOW.isoformat(), "value": 51.5}, {"point": "X", "at": NOW.isoformat(), "value": 1},
            {"point": point.code, "at": NOW.isoformat(), "value": float("nan")}]  # fmt: skip
    first = send(json={"readings": rows}).get_json()
    assert (first["received"], first["new"], first["unchanged"]) == (3, 1, 0)
    assert {(f["object"], f["kind"]) for f in first["faults"]} == {("X", "unknown_point"), (point.code, "not_a_number")}
    again = send(json=rows).get_json()
    assert (again["new"], again["corrected"], again["unchanged"]) == (0, 0, 1)
    assert [row[2] for row in stored(session)] == [51.5]


def test_csv_is_taken_too(program, session):
    send, point = program
    out = io.StringIO()
    csv.writer(out).writerows(
        [["point", "at", "value", "unit"], [point.code, NOW.isoformat(), "122", "°F"], [point.code]]
    )
    answer = send(data=out.getvalue().encode(), content_type="text/csv").get_json()
    assert (answer["received"], answer["new"]) == (2, 1)
    assert stored(session)[0][2] == pytest.approx(50.0)


@pytest.mark.parametrize("body", [{"json": {"x": 1}}, {"json": 5}, {"data": b"{", "content_type": "application/json"},
                                  {"data": b"a,b\n1,2", "content_type": "text/csv"}, {"data": b"", "content_type": "text/csv"}])  # fmt: skip
def test_what_is_no_batch_is_refused_by_name(program, body):
    answer = program[0](**body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "no_readings")


def test_a_batch_has_its_most(program, monkeypatch):
    monkeypatch.setattr("webapp.telemetry.READINGS_MOST", 1)
    assert program[0](json=[{}, {}]).get_json()["code"] == "too_large"


def test_times_as_spreadsheets_write_them():
    assert moment("2009/11/6 9:05") == "2009-11-06T09:05:00"
    assert moment("2009年11月6日 19:05:07") == "2009-11-06T19:05:07"
    assert moment(" 2009-11-06T09:05:00+08:00 ") == "2009-11-06T09:05:00+08:00"


def test_a_file_is_long_or_wide(tmp_path):
    long = tmp_path / "long.csv"
    long.write_bytes("测点编号,时间,数值,单位\nA,2009/11/17 9:30,51.5,℃\nB,x\n".encode("gb18030"))
    (batch,) = batches(long, 1)
    assert batch.rows == [{"point": "A", "at": "2009-11-17T09:30:00", "value": "51.5", "unit": "℃"}]
    assert batch.unreadable == [("#3", "2 cells")]
    wide = tmp_path / "wide.xlsx"
    book = Workbook()
    for row in (["时间", "A", "B"], ["2009-11-17 09:30", 51.5, None], ["2009-11-17 09:40", 52, 40]):
        book.active.append(row)
    book.save(wide)
    (batch,) = batches(wide, 1)
    assert [(r["point"], r["at"], float(r["value"])) for r in batch.rows] == [
        ("A", "2009-11-17T09:30:00", 51.5), ("A", "2009-11-17T09:40:00", 52.0), ("B", "2009-11-17T09:40:00", 40.0)
    ]  # fmt: skip


def test_a_column_that_is_missing_is_named():
    with pytest.raises(MissingColumn, match="时间"):
        columns(["测点编号", "数值"])
    with pytest.raises(MissingColumn, match="时间"):
        columns(["A", "B"])


def test_the_command_keeps_a_file_and_tells_what_it_could_not(session, committed, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from webapp.cli import main

    with committed.begin() as own:
        make_point(own, code="A")
    file = tmp_path / "november.csv"
    file.write_text("测点编号,时间,数值\nA,2009/11/17 9:30,51.5\nA,2009/11/17 9:31,NaN\nZ,2009/11/17 9:30,1\n")
    monkeypatch.setenv("CHENGMAI_DATABASE_URL", committed.kw["bind"].url.render_as_string(hide_password=False))
    done = CliRunner().invoke(main, ["import", "readings", str(file), "--data-dir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "new 1" in done.output and "not_a_number A: 1" in done.output and "unknown_point Z: 1" in done.output
    with committed() as own:
        assert own.scalar(text("SELECT at AT TIME ZONE 'UTC' FROM reading")).isoformat() == "2009-11-17T01:30:00"

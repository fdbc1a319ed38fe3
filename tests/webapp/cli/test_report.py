"""`chengmai report` against a real database, as scripts and people call it."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from tests.factories import make_complaint, make_unit
from webapp.cli import main

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def report(new_database, tmp_path, monkeypatch):
    from sqlalchemy.orm import Session

    from gis.db import make_engine

    url = new_database()
    monkeypatch.setenv("CHENGMAI_DATABASE_URL", url)
    monkeypatch.setenv("CHENGMAI_DATA_DIR", str(tmp_path))
    engine = make_engine(url)
    with Session(engine) as session:
        unit = make_unit(session, name="兴平热电")
        for n in range(3):
            closed = datetime(2009, 11, 17, 12, tzinfo=ZONE) if n else None
            make_complaint(session, unit_id=unit.id, received_at=datetime(2009, 11, 17, tzinfo=ZONE), closed_at=closed,
                           resolve_by=datetime(2009, 11, 18, tzinfo=ZONE), status="answered" if closed else "sent")  # fmt: skip
        session.commit()
    engine.dispose()

    def run(*arguments):
        done = CliRunner().invoke(main, ["report", *arguments])
        return done.exit_code, done.stdout

    return run


def test_a_bulletin_as_json_as_tables_and_published(report):
    week = ("bulletin", "--period", "week", "--on", "2009-11-22")
    code, told = report(*week, "--json")
    assert code == 0
    body = json.loads(told)["bulletin"]
    on_time = next(row for row in body["rates"] if row["key"] == "on_time")
    assert (on_time["numerator"], on_time["denominator"], on_time["percent"]) == (2, 3, 66.67)
    assert (body["period"]["first"], body["period"]["last"]) == ("2009-11-16", "2009-11-22")
    code, shown = report(*week)
    assert code == 0
    for word in ("on_time", "66.67", "no data", "兴平热电"):
        assert word in shown
    code, told = report(*week, "--publish", "--json")
    assert (code, json.loads(told)["issue"]) == (0, "2009-1")
    code, told = report(*week, "--publish", "--json")
    assert (code, json.loads(told)["error"]["code"]) == (1, "already_published")
    assert report("bulletin", "--period", "decade", "--on", "2009-11-22")[0] == 2
    code, told = report("bulletin", "--period", "range", "--on", "2009-11-22", "--json")
    assert (code, json.loads(told)["error"]["code"]) == (1, "bad_range")


def test_rollups_are_put_together_and_counted_anew(report):
    assert json.loads(report("rollups", "--json")[1]) == {"rebuilt": False, "compacted": True}
    assert json.loads(report("rollups", "--rebuild", "--json")[1]) == {"rebuilt": True, "compacted": True}

"""`chengmai complaints count` against a real database, as scripts call it."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from tests.factories import make_area, make_complaint
from webapp.cli import main


@pytest.fixture
def count(new_database, tmp_path, monkeypatch):
    """Run the command on a database of its own; returns (exit code, what was printed)."""
    from sqlalchemy.orm import Session

    from gis.db import make_engine

    url = new_database()
    monkeypatch.setenv("CHENGMAI_DATABASE_URL", url)
    monkeypatch.setenv("CHENGMAI_DATA_DIR", str(tmp_path))
    engine = make_engine(url)
    with Session(engine) as session:
        area = make_area(session, code="370283", name="平度市")
        make_complaint(session, district_id=area.id, received_at=datetime(2009, 11, 15, 16, 0, tzinfo=UTC))
        make_complaint(session, category="water.none", received_at=datetime(2009, 11, 16, 15, 59, 59, tzinfo=UTC))
        make_complaint(session, status="assigned", received_at=datetime(2009, 11, 16, 16, 0, tzinfo=UTC))
        closed = datetime(2009, 11, 18, tzinfo=UTC)
        make_complaint(session, status="confirmed", closed_at=closed, received_at=closed)
        session.commit()
    engine.dispose()

    def run(*arguments):
        done = CliRunner().invoke(main, ["complaints", "count", *arguments])
        return done.exit_code, done.stdout

    return run


def test_counting_by_day_category_district_and_status(count):
    cases = {
        (): 4, ("--from", "2009-11-16", "--to", "2009-11-16"): 2, ("--from", "2009-11-17"): 2, ("--to", "2009-11-15"): 0,
        ("--category", "heat"): 3, ("--category", "heat", "--category", "water.none"): 4, ("--district", "370283"): 1,
        ("--district", "平度市"): 1, ("--status", "open"): 3, ("--status", "assigned", "--status", "confirmed"): 2,
    }  # fmt: skip
    for arguments, expected in cases.items():
        code, told = count("--json", *arguments)
        assert (code, json.loads(told)["count"]) == (0, expected), arguments
    assert json.loads(count("--json")[1])["by_status"] == {"assigned": 1, "confirmed": 1, "received": 2}
    assert count()[1].startswith("4\n")
    code, told = count("--json", "--district", "没有这里")
    assert (code, json.loads(told)["error"]["code"]) == (1, "missing")
    code, told = count("--json", "--from", "2009-11-18", "--to", "2009-11-17")
    assert (code, json.loads(told)["error"]["code"]) == (1, "bad_input")
    assert count("--from", "yesterday")[0] == 2
    assert count("--status", "lost")[0] == 2


def test_duplicates_are_told_with_their_numbers(count):
    def run(*arguments):
        return CliRunner().invoke(main, ["complaints", "duplicates", *arguments])

    done = run("--from", "2009-11-15", "--to", "2009-11-17", "--open", "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["read"], found["groups"], found["in_groups"]) == (0, 3, 1, 2)
    assert [len(group["complaints"]) for group in found["shown"]] == [2]
    assert run("--from", "2009-11-18", "--to", "2009-11-17").exit_code == 1
    assert "1 groups, 3 of 4 complaints" in run().stdout

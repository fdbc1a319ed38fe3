"""`chengmai audit`: exit 0 and 1, the first broken row, heads that an outsider can hold; `chengmai jobs`, `work`, `doctor`."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from gis import jobs, journal
from gis.db import unit_of_work
from gis.journal import Who
from tests.conftest import NOW, app_role
from tests.gis.audit.sealing import seal_all
from webapp import journal_keys
from webapp.cli import main


@pytest.fixture
def run(committed, tmp_path, monkeypatch):
    """The command line on a database of this test, as the application's role; gives (exit code, JSON)."""
    owner = committed.kw["bind"].url.render_as_string(hide_password=False)
    monkeypatch.setenv("CHENGMAI_OWNER_URL", owner)
    monkeypatch.setenv("CHENGMAI_DATABASE_URL", app_role(owner))
    monkeypatch.setenv("CHENGMAI_DATA_DIR", str(tmp_path))

    def call(*arguments):
        done = CliRunner().invoke(main, [*arguments, "--json"])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, json.loads(done.stdout.splitlines()[-1])

    return call


@pytest.fixture
def written(committed):
    for n in range(6):
        with unit_of_work(committed) as session:
            journal.write(session, Who(NOW), "assign", "complaint", n)
    seal_all(committed, limit=2)
    return committed


def test_a_whole_journal_exits_0_and_a_changed_row_1_with_its_number(run, written):
    code, told = run("audit", "verify")
    assert (code, told["ok"], told["rows"], told["seals"]) == (0, True, 6, 3)
    with unit_of_work(written) as session:
        session.execute(text("ALTER TABLE journal DISABLE TRIGGER journal_is_kept"))
        session.execute(text("UPDATE journal SET thing_id = '77' WHERE seq >= 4"))
    code, told = run("audit", "verify")
    assert (code, told["ok"], told["broken_count"]) == (1, False, 3)
    assert told["first"] == {"damage": "changed", "what": "row", "number": 4, "detail": ""}
    plain = CliRunner().invoke(main, ["audit", "verify"])
    assert "row 4: changed" in plain.output
    assert plain.exit_code == 1


def test_a_head_is_signed_printed_held_and_found_again(run, written, tmp_path):
    assert run("audit", "head")[0] == 1  # nothing signed yet
    code, head = run("audit", "head", "--sign")
    assert (code, head["rows"], head["seal"]) == (0, 6, 3)
    held = tmp_path / "held.json"
    held.write_text(json.dumps(head))
    assert run("audit", "verify", "--heads", str(held))[0] == 0
    held.write_text(json.dumps(head | {"rows": 5}))
    code, told = run("audit", "verify", "--heads", str(held))
    assert (code, told["first"]["damage"]) == (1, "signature")


def test_a_renewed_key_leaves_old_heads_valid(run, written, tmp_path):
    run("audit", "head", "--sign")
    _code, told = run("audit", "renew-key")
    _code, head = run("audit", "head", "--sign")
    assert head["public_key"] == told["public_key"]
    code, found = run("audit", "verify")
    assert (code, found["heads"]) == (0, 2)
    assert len(run("audit", "head", "--all")[1]) == 2


def test_the_private_key_is_for_the_owner_of_the_files_alone(tmp_path):
    journal_keys.signing_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "keys" / "journal-key.pem").stat().st_mode) == 0o600
    (tmp_path / "keys" / "journal-key.pem").write_text("no key")
    with pytest.raises(journal_keys.NotASigningKey):
        journal_keys.signing_key(tmp_path)


def test_the_worker_command_empties_the_queue_and_failed_jobs_are_told_and_put_back(run, committed):
    with unit_of_work(committed) as session:
        jobs.defer(session, "nobody_knows_this")
    # In a thread of its own: a browser test of the same process leaves a running loop in this one.
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(CliRunner().invoke, main, ["work", "--until-empty"]).result()
    assert done.exit_code == 0, done.output
    code, told = run("jobs", "list")
    assert (code, told["failed"], [row["task"] for row in told["failed_jobs"]]) == (0, 1, ["nobody_knows_this"])
    assert run("jobs", "retry")[1]["retried"] == [told["failed_jobs"][0]["id"]]
    assert run("jobs", "list")[1]["failed"] == 0


def test_the_doctor_tells_of_the_role_and_the_worker(run, committed, monkeypatch):
    _code, told = run("doctor")
    checks = {row["check"]: row for row in told["checks"]}
    assert checks["database role"]["ok"], checks["database role"]
    assert checks["worker"]["ok"]
    with unit_of_work(committed) as session:
        jobs.defer(session, "x")
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = clock_timestamp() - interval '10 minutes'"))
    monkeypatch.setenv("CHENGMAI_DATABASE_URL", committed.kw["bind"].url.render_as_string(hide_password=False))
    checks = {row["check"]: row for row in run("doctor")[1]["checks"]}
    assert "superuser" in checks["database role"]["detail"]
    assert "CHENGMAI_OWNER_URL" in checks["database role"]["detail"]
    assert "no worker is running" in checks["worker"]["detail"]

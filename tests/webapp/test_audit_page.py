"""The proof of the journal on the screen: asked for, found, told; heads to take away; nothing for who may not see it."""

import json

import pytest
from sqlalchemy import text

from gis import journal
from gis.audit import actions
from gis.audit.check import check
from gis.db import unit_of_work
from gis.journal import Who
from gis.settings import Settings
from tests.conftest import NOW
from tests.gis.audit.sealing import seal_all
from webapp import journal_keys, journal_tasks, worker


@pytest.fixture
def sealed(session, app):
    """Three sealed rows and a head on this test's own session."""
    for n in range(3):
        journal.write(session, Who(NOW), "assign", "complaint", n)
    session.flush()
    rows = session.execute(
        text("SELECT txid::text, seq, (extract(epoch FROM at) * 1000000)::bigint, user_id, device_id, verb, thing, thing_id,"
             " version, area_id, unit_id, data::text FROM journal ORDER BY txid, seq")
    ).all()  # fmt: skip
    digests = actions.pack(rows)
    session.execute(
        text("INSERT INTO journal_seal (n, rows, until_txid, until_seq, digests, hash, at)"
             " VALUES (1, :rows, CAST(:txid AS xid8), :seq, :d, :h, :at)"),
        {"rows": len(rows), "txid": rows[-1][0], "seq": rows[-1][1], "d": digests,
         "h": actions.seal_hash(actions.NOTHING, 1, digests), "at": NOW},
    )  # fmt: skip
    actions.sign(session, Who(NOW), journal_keys.signing_key(app.config["SETTINGS"].data_dir))
    session.commit()
    return session


def test_the_page_tells_what_is_sealed_signed_and_found(sign_in, sealed, app):
    client = sign_in("supervisor")
    assert "尚未核验" in client.get("/audit").text
    known = journal_keys.known_keys(app.config["SETTINGS"].data_dir)
    actions.keep_check(sealed, Who(NOW), check(sealed, known), 0.5)
    sealed.commit()
    page = client.get("/audit").text
    assert "与封存一致" in page
    assert known[0].hex() not in page
    actions.keep_check(sealed, Who(NOW), check(sealed, [bytes(32)]), 0.5)
    sealed.commit()
    page = client.get("/audit").text
    assert "与封存不符" in page
    assert "密钥未知" in page


def test_heads_are_taken_away_as_they_are_held(sign_in, sealed):
    answer = sign_in("administrator").get("/audit/heads.json")
    [head] = json.loads(answer.data)
    assert head["format"] == "chengmai-journal-head-1"
    assert "attachment" in answer.headers["Content-Disposition"]


def test_a_check_is_asked_for_once(sign_in, session):
    client = sign_in("supervisor")
    for _ in range(2):
        assert client.post("/audit/check").status_code == 303
    assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'check_journal'")) == 1


def test_a_dispatcher_does_not_see_it(sign_in):
    assert sign_in("dispatcher").get("/audit").status_code == 403


def test_the_worker_checks_and_writes_down_what_it_found(committed, tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_SETTINGS", [Settings(data_dir=tmp_path)])
    with unit_of_work(committed) as session:
        journal.write(session, Who(NOW), "assign", "complaint", 1)
    seal_all(committed)
    with unit_of_work(committed) as session:
        journal_tasks.sign_journal(session, Who(NOW), {})
        journal_tasks.sign_journal(session, Who(NOW), {})  # nothing new: no second head
    journal_tasks.check_journal(committed, Who(NOW), {"user_id": 7})
    with committed() as session:
        row = session.execute(text("SELECT rows, heads, broken_count, user_id FROM journal_check")).one()
    assert tuple(row) == (1, 1, 0, 7)

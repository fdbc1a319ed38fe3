"""The journal: a reader by cursor sees every row once, although transactions commit out of order."""

import random
import threading

import pytest
from sqlalchemy import text

from gis import journal
from gis.errors import BadInput
from gis.journal import Who
from tests.conftest import NOW


def _read_all(session, cursor):
    seen = []
    while True:
        page = journal.read_after(session, cursor, limit=7)
        seen += [row["seq"] for row in page.rows]
        cursor = page.cursor
        if not page.more:
            return seen, cursor


def test_a_row_that_commits_late_is_not_missed(committed):
    with committed() as early, committed() as late, committed() as reader:
        journal.write(early, Who(NOW), "first", "test", 1)
        early.flush()  # has the smaller number, commits last
        journal.write(late, Who(NOW), "second", "test", 2)
        late.commit()
        seen, cursor = _read_all(reader, "0.0")
        reader.rollback()
        assert seen == []  # the second waits for the first: nothing can be skipped
        early.commit()
        seen, cursor = _read_all(reader, cursor)
        assert len(seen) == 2
        reader.rollback()
        assert _read_all(reader, cursor)[0] == []


def test_many_writers_and_one_reader_lose_and_double_nothing(committed):
    threads, each = 8, 40
    stop = threading.Event()

    def write(n):
        chance = random.Random(n)
        for i in range(each):
            with committed() as session:
                journal.write(session, Who(NOW), "write", "test", f"{n}-{i}")
                session.flush()
                session.execute(text("SELECT pg_sleep(:s)"), {"s": chance.random() / 200})
                if chance.random() < 0.1:
                    session.rollback()
                    journal.write(session, Who(NOW), "write", "test", f"{n}-{i}")
                session.commit()

    seen: list[str] = []

    def read():
        cursor = "0.0"
        last = False
        while True:
            with committed() as session:
                page = journal.read_after(session, cursor, things=["test"], limit=13)
            seen.extend(row["thing_id"] for row in page.rows)
            cursor = page.cursor
            if last and not page.more:
                return
            last = stop.is_set()

    writers = [threading.Thread(target=write, args=(n,)) for n in range(threads)]
    reader = threading.Thread(target=read)
    reader.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    stop.set()
    reader.join(120)
    assert not reader.is_alive()
    assert sorted(seen) == sorted(f"{n}-{i}" for n in range(threads) for i in range(each))


@pytest.mark.parametrize("cursor", ["", "1", "1.", ".1", "a.b", "1.2.3", "-1.0", "٣.٤", "1" * 50 + ".1"])
def test_a_broken_cursor_is_bad_input(session, cursor):
    with pytest.raises(BadInput):
        journal.read_after(session, cursor)


def test_the_end_is_after_everything_that_can_be_read(committed):
    with committed() as session:
        for n in range(3):
            journal.write(session, Who(NOW), "write", "test", n)
        session.commit()
        assert journal.read_after(session, journal.end(session)).rows == []


def test_rows_are_ordered_by_the_number_of_their_transaction_not_by_its_text(session):
    add = text(
        "INSERT INTO journal (txid, at, verb, thing, thing_id) VALUES (CAST(CAST(:txid AS text) AS xid8), :at, 'v', 'rollover', :txid)"
    )
    for txid in ("10", "9", "100", "99"):
        session.execute(add, {"txid": txid, "at": NOW})
    seen, cursor = [], "0.0"
    while True:
        page = journal.read_after(session, cursor, things=["rollover"], limit=1)
        seen += [row["thing_id"] for row in page.rows]
        cursor = page.cursor
        if not page.more:
            break
    assert seen == ["9", "10", "99", "100"]
    assert [row["thing_id"] for row in journal.see_after(session, "9.0", things=["rollover"]).rows] == seen

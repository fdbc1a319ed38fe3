"""News of the journal: each row once and at once, in whatever order transactions commit, and from any cursor that was given."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from gis.errors import BadInput
from gis.journal import Who, check_cursor, end, news_after, read_after, write
from tests.conftest import NOW

WRITERS = 4
READ = "read"
# What happens, in order: a writer writes a row (and begins where it has not), commits or gives up; somebody reads.
DEEDS = st.lists(
    st.one_of(st.just(READ), st.tuples(st.integers(0, WRITERS - 1), st.sampled_from(["write", "commit", "roll back"]))),
    min_size=8,
    max_size=30,
)


@pytest.fixture(scope="module")
def sessions(new_database):
    from gis.db import make_engine

    engine = make_engine(new_database(), pool_size=WRITERS + 2)
    yield sessionmaker(engine, expire_on_commit=False)
    engine.dispose()


def _numbers(rows) -> list[int]:
    return [int(row["thing_id"]) for row in rows]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(deeds=DEEDS)
def test_whatever_commits_when_each_row_is_told_once_by_the_next_reading(sessions, deeds):
    writers: dict[int, tuple[Session, list[int]]] = {}
    seen, visible, n = [], [], 0
    with sessions() as reader:
        at = news_after(reader, None, things=["t"]).cursor
        places = [(end(reader), 0), (at, 0)]  # cursors of both kinds, and how much was visible there
        reader.rollback()
        for deed in [*deeds, READ]:
            if deed == READ:
                found = news_after(reader, at, things=["t"])
                reader.rollback()
                seen += _numbers(found.rows)
                at = found.cursor
                assert sorted(seen) == sorted(visible)
                places.append((at, len(visible)))
                continue
            number, what = deed
            if what == "write":
                session, rows = writers.setdefault(number, (sessions(), []))
                write(session, Who(NOW), "v", "t", n)
                session.flush()
                rows.append(n)
                n += 1
            elif number in writers:
                session, rows = writers.pop(number)
                if what == "commit":
                    session.commit()
                    visible += rows
                else:
                    session.rollback()
                session.close()
        for cursor, then in places:  # whoever comes again with an old cursor is told what became visible since
            since = news_after(reader, cursor, things=["t"])
            assert sorted(_numbers(since.rows)) == sorted(visible[then:])
    for session, _ in writers.values():
        session.close()


def test_a_long_transaction_delays_nobody_and_its_own_row_comes_when_it_commits(sessions):
    with sessions() as long, sessions() as short, sessions() as reader:
        write(long, Who(NOW), "v", "t", 1)
        long.flush()
        start = news_after(reader, None, things=["t"]).cursor
        write(short, Who(NOW), "v", "t", 2)
        short.commit()
        reader.rollback()
        first = news_after(reader, start, things=["t"])
        assert _numbers(first.rows) == [2]
        assert read_after(reader, "0.0", things=["t"]).cursor != first.cursor
        long.commit()
        reader.rollback()
        assert _numbers(news_after(reader, first.cursor, things=["t"]).rows) == [1]


def test_whoever_missed_very_much_is_told_to_load_anew(sessions):
    with sessions() as session:
        start = news_after(session, None, things=["t"]).cursor
        for i in range(6):
            write(session, Who(NOW), "v", "t", i)
        session.commit()
        found = news_after(session, start, things=["t"], limit=5)
        assert found.reload and not found.rows
        assert not news_after(session, found.cursor, things=["t"]).reload


@pytest.mark.parametrize("cursor", ["9000000000000000.1", "9000000000000000:9000000000000001:"])
def test_a_cursor_ahead_of_the_database_which_was_restored_loads_anew(sessions, cursor):
    with sessions() as session:
        assert news_after(session, cursor, things=["t"]).reload


@pytest.mark.parametrize(
    "cursor", ["1:2", "2:1:", "0:1:", "1:3:2,2", "1:3:3", "1:3:x", "1:3:1;drop", "1:2:" + "1," * 5000, "a.b", ":::", "1:99999999999999999999:"],
)  # fmt: skip
def test_what_is_no_cursor_is_refused(cursor):
    with pytest.raises(BadInput):
        check_cursor(cursor)


def test_postgresql_takes_every_cursor_that_is_let_through(sessions):
    with sessions() as session:
        for cursor in ("1:1:", "1:4:1,3", f"1:{2**63 - 1}:"):
            assert (
                session.scalar(text("SELECT CAST(CAST(:c AS pg_snapshot) AS text)"), {"c": check_cursor(cursor)})
                == cursor
            )

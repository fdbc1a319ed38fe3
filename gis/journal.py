"""The journal: every change writes one row in its own transaction, and everybody reads it by cursor.

A cursor is `"<txid>.<seq>"`. A reader gets rows only of transactions older than every transaction still running, so a row
is never missed although transactions commit out of order (the horizon is PostgreSQL's own `pg_snapshot_xmin`). A long
write transaction (a large import) therefore delays readers until it ends; it does not make them lose anything.
The journal is data: nothing is triggered by it inside a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, FetchedValue, Identity, Index, String, text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import UserDefinedType

from gis.db import Base

NEWS_MOST = 2000  # rows that are told one by one; who missed more loads the page anew
SNAPSHOT_MAX = 8000  # characters


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


ischema_names["xid8"] = Xid8  # so that schema reflection knows the type too


class JournalEntry(Base):
    """One change (日志): who did what to which thing, when, and which version that made."""

    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_txid_seq", "txid", "seq"),
        Index("ix_journal_thing_thing_id", "thing", "thing_id"),
        Index("ix_journal_thing_at", "thing", "at"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    txid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"), server_onupdate=FetchedValue())
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    device_id: Mapped[int | None] = mapped_column(BigInteger)
    verb: Mapped[str] = mapped_column(String(40))
    thing: Mapped[str] = mapped_column(String(40))
    thing_id: Mapped[str] = mapped_column(String(64))
    version: Mapped[int | None]
    area_id: Mapped[int | None] = mapped_column(BigInteger)
    unit_id: Mapped[int | None] = mapped_column(BigInteger)
    data: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'::jsonb"))


@dataclass(frozen=True)
class Who:
    """Who acts, and when: given to every verb by its door."""

    now: datetime
    user_id: int | None = None
    device_id: int | None = None


def write(
    session: Session,
    who: Who,
    verb: str,
    thing: str,
    thing_id: object,
    *,
    version: int | None = None,
    area_id: int | None = None,
    unit_id: int | None = None,
    **data: Any,
) -> JournalEntry:
    """Add the journal row of a change to its own transaction. `data` must hold no personal data."""
    entry = JournalEntry(
        at=who.now, user_id=who.user_id, device_id=who.device_id, verb=verb, thing=thing, thing_id=str(thing_id),
        version=version, area_id=area_id, unit_id=unit_id, data=data,
    )  # fmt: skip
    session.add(entry)
    return entry


@dataclass(frozen=True)
class Page:
    """Rows in order, and the cursor to ask with next time."""

    rows: Sequence[dict[str, Any]]
    cursor: str
    more: bool


_READ = text(
    """
    SELECT txid::text AS txid, seq, at, user_id, device_id, verb, thing, thing_id, version, area_id, unit_id, data
      FROM journal
     WHERE (txid, seq) > (CAST(CAST(:txid AS text) AS xid8), :seq)
       AND txid < pg_snapshot_xmin(pg_current_snapshot())
       AND (CAST(:things AS text[]) IS NULL OR thing = ANY(:things))
     ORDER BY journal.txid, journal.seq
     LIMIT :limit
    """
)
_SEE = text(
    """
    SELECT txid::text AS txid, seq, thing, thing_id, txid < pg_snapshot_xmin(pg_current_snapshot()) AS final
      FROM journal
     WHERE (txid, seq) > (CAST(CAST(:txid AS text) AS xid8), :seq) AND thing = ANY(:things)
     ORDER BY journal.txid, journal.seq
     LIMIT :limit
    """
)
_NEWS = """
    SELECT CAST(pg_current_snapshot() AS text) AS now, {ahead} AS ahead, j.*
      FROM (SELECT 1) one LEFT JOIN LATERAL (
           SELECT CAST(txid AS text) AS txid, seq, at, user_id, verb, thing, thing_id, version
             FROM journal WHERE {since} AND thing = ANY(:things)
            ORDER BY journal.txid, journal.seq LIMIT :limit) j ON true
"""
_NEWS_OF_SNAPSHOT = text(
    _NEWS.format(
        since="journal.txid >= pg_snapshot_xmin(CAST(:since AS pg_snapshot)) "
        "AND NOT pg_visible_in_snapshot(journal.txid, CAST(:since AS pg_snapshot))",
        ahead="pg_snapshot_xmax(CAST(:since AS pg_snapshot)) > pg_snapshot_xmax(pg_current_snapshot())",
    )
)
_NEWS_OF_PLACE = text(
    _NEWS.format(
        since="(journal.txid, journal.seq) > (CAST(CAST(:txid AS text) AS xid8), :seq)",
        ahead="CAST(CAST(:txid AS text) AS xid8) >= pg_snapshot_xmax(pg_current_snapshot())",
    )
)
_END = text(
    """
    SELECT txid::text AS txid, seq FROM journal
     WHERE txid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY journal.txid DESC, journal.seq DESC LIMIT 1
    """
)


def read_after(session: Session, cursor: str, *, things: list[str] | None = None, limit: int = 500) -> Page:
    """What changed after `cursor` (`"0.0"` is the beginning), in an order that never skips a row."""
    txid, seq = parse_cursor(cursor)
    found = session.execute(_READ, {"txid": str(txid), "seq": seq, "things": things, "limit": limit + 1})
    rows = [dict(row) for row in found.mappings()]
    more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, f"{rows[-1]['txid']}.{rows[-1]['seq']}" if rows else cursor, more)


@dataclass(frozen=True)
class Sight:
    """Changes that are visible now; `cursor` stands before those that are not final, which will be seen again."""

    rows: Sequence[dict[str, Any]]
    cursor: str
    more: bool


def see_after(session: Session, cursor: str, *, things: list[str], limit: int = 500) -> Sight:
    """Everything committed after `cursor`, without waiting for older transactions that are still running.

    For readers that look the thing itself up and may do so twice (an index in memory). While a large import runs,
    `read_after` would tell them nothing; here they see each change at once, and again when its place is final.
    """
    txid, seq = parse_cursor(cursor)
    found = session.execute(_SEE, {"txid": str(txid), "seq": seq, "things": things, "limit": limit + 1})
    rows = [dict(row) for row in found.mappings()]
    more, rows = len(rows) > limit, rows[:limit]
    final = [row for row in rows if row["final"]]
    return Sight(rows, f"{final[-1]['txid']}.{final[-1]['seq']}" if final else cursor, more)


@dataclass(frozen=True)
class News:
    """What became visible since a cursor, each row once; `cursor` is a snapshot. `reload`: too much, or from elsewhere."""

    rows: Sequence[dict[str, Any]]
    cursor: str
    reload: bool


def news_after(session: Session, cursor: str | None, *, things: list[str], limit: int = NEWS_MOST) -> News:
    """What became visible between `cursor` and now, without waiting for transactions that are still running.

    The cursor of news is PostgreSQL's own snapshot (`xmin:xmax:xip,…`): a row is news when its transaction was not yet to
    be seen in that one and is in this one. So nothing is skipped or told twice, in whatever order transactions commit, and
    a long import delays nobody. `"<txid>.<seq>"` of `read_after` is understood too; without a cursor only the new one is
    told. More rows than `limit`, or a cursor ahead of this database (it was restored): no rows, and `reload`.
    """
    since: dict[str, Any] = {"things": things, "limit": limit + 1}
    if cursor is None:
        return News((), str(session.scalar(text("SELECT CAST(pg_current_snapshot() AS text)"))), reload=False)
    if ":" in cursor:
        question, since["since"] = _NEWS_OF_SNAPSHOT, parse_snapshot(cursor)
    else:
        txid, seq = parse_cursor(cursor)
        question, since["txid"], since["seq"] = _NEWS_OF_PLACE, str(txid), seq
    found = [dict(row) for row in session.execute(question, since).mappings()]
    now, ahead = found[0].pop("now"), found[0].pop("ahead")
    rows = [row for row in found if row["seq"] is not None]
    if ahead or len(rows) > limit:
        return News((), now, reload=True)
    return News(rows, now, reload=False)


def end(session: Session) -> str:
    """The cursor after everything that can be read now."""
    row = session.execute(_END).one_or_none()
    return f"{row.txid}.{row.seq}" if row else "0.0"


def parse_cursor(cursor: str) -> tuple[int, int]:
    """`"<txid>.<seq>"` as two numbers; anything else is bad input."""
    from gis.errors import BadInput

    txid, dot, seq = cursor.partition(".")
    if not (dot and txid.isascii() and txid.isdigit() and seq.isascii() and seq.isdigit() and len(cursor) < 40):
        raise BadInput(reason="cursor")
    if int(txid) >= 2**64 or int(seq) >= 2**63:
        raise BadInput(reason="cursor")
    return int(txid), int(seq)


def parse_snapshot(cursor: str) -> str:
    """`"xmin:xmax:xip,…"` as PostgreSQL takes it; anything else is bad input."""
    from gis.errors import BadInput

    parts = cursor.split(":")
    numbers = [*parts[:2], *(parts[2].split(",") if len(parts) == 3 and parts[2] else ())]
    if len(parts) != 3 or len(cursor) > SNAPSHOT_MAX or not all(n.isascii() and n.isdigit() for n in numbers):
        raise BadInput(reason="cursor")
    xmin, xmax, *running = map(int, numbers)
    if not 0 < xmin <= xmax < 2**63 or running != sorted(set(running)) or any(not xmin <= x < xmax for x in running):
        raise BadInput(reason="cursor")
    return cursor


def check_cursor(cursor: str) -> str:
    """A cursor of either kind; anything else is bad input."""
    if ":" in cursor:
        return parse_snapshot(cursor)
    parse_cursor(cursor)
    return cursor


def timeline(session: Session, thing: str, thing_id: object) -> list[dict[str, Any]]:
    """Everything that ever happened to one thing, oldest first."""
    found = session.execute(
        text("SELECT seq, at, user_id, device_id, verb, version, data FROM journal "
             "WHERE thing = :thing AND thing_id = :id ORDER BY at, seq"),
        {"thing": thing, "id": str(thing_id)},
    )  # fmt: skip
    return [dict(row) for row in found.mappings()]

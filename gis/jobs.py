"""Work to be done later: deferred in the caller's own transaction, done once.

`defer` inserts the job by the queue's own SQL function on the caller's session: the job exists exactly when the change
that asked for it does. The queue (procrastinate) delivers at least once: a worker that is killed leaves its jobs to be
run again. What a job does to the database happens once all the same, because `once` keeps a row with a unique key in
the transaction of the effect: a second run finds the row and does nothing.

The queue waits by the database server's clock. The house's clock may stand elsewhere (the demo lives in November 2009),
so a time is given together with the `now` it was reckoned from, and only the distance counts.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, FetchedValue, String, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from gis.db import Base

QUEUE = "chengmai"
STALLED_S = 15.0  # a worker not heard of for so long is taken to be dead, and its jobs are given to others


class JobEffect(Base):
    """Something a job has done (已生效的任务): the key says what, and it is done once."""

    __tablename__ = "job_effect"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), FetchedValue(), nullable=False)


class PeriodicTick(Base):
    """The last time a periodic task was due and deferred (定时任务进度)."""

    __tablename__ = "periodic_tick"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    due_at: Mapped[datetime]


_DEFER = text(
    """
    SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[
        ROW(:queue, :name, :priority, :lock, NULL, CAST(:args AS jsonb),
            clock_timestamp() + make_interval(secs => CAST(:wait_s AS float8)))
    ]::procrastinate_job_to_defer_v1[])) AS id
    """
)
_ONCE = text("INSERT INTO job_effect (key) VALUES (:key) ON CONFLICT DO NOTHING RETURNING key")
_TICK = text(
    """
    INSERT INTO periodic_tick AS t (name, due_at) VALUES (:name, :due)
        ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at
        WHERE t.due_at < excluded.due_at OR t.due_at > :known_now
    RETURNING name
    """
)


def defer(
    session: Session,
    name: str,
    payload: dict[str, Any] | None = None,
    *,
    key: str | None = None,
    at: datetime | None = None,
    now: datetime | None = None,
    lock: str | None = None,
    priority: int = 0,
) -> int | None:
    """Have the task `name` run after this transaction commits. Returns the job's number.

    With a `key` it is deferred once for ever: a second call with the same key does nothing and returns None. With `at`
    (and the `now` of the same clock) it waits until then. Jobs that share a `lock` run one after another.
    `payload` must be JSON and hold ids, not personal data.
    """
    if (at is None) != (now is None):
        raise ValueError("`at` needs the `now` it was reckoned from")
    if key is not None and not once(session, key):
        return None
    wait_s = (at - now).total_seconds() if at and now else None
    session.flush()
    given = {
        "queue": QUEUE, "name": name, "priority": priority, "lock": lock, "wait_s": wait_s,
        "args": json.dumps({"payload": payload or {}}, ensure_ascii=False),
    }  # fmt: skip
    return int(session.execute(_DEFER, given).scalar_one())


def once(session: Session, key: str) -> bool:
    """True the first time this key is seen; False ever after. Another transaction doing the same is waited for."""
    return session.execute(_ONCE, {"key": key}).first() is not None


def take_tick(session: Session, name: str, due_at: datetime, now: datetime) -> bool:
    """True for the one caller that may defer the periodic task's run of `due_at`.

    A kept tick that lies after `now` is of a clock that was set back (a demo started again) and is forgotten.
    """
    given = {"name": name, "due": due_at, "known_now": now}
    return session.execute(_TICK, given).first() is not None


def waiting(session: Session, name: str) -> bool:
    """Is a job of this task waiting or running?"""
    asked = "SELECT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE task_name = :name AND status IN ('todo', 'doing'))"
    return bool(session.scalar(text(asked), {"name": name}))


_STATE = text(
    """
    SELECT (SELECT extract(epoch FROM clock_timestamp() - max(last_heartbeat)) FROM procrastinate_workers) AS heartbeat_s,
           (SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'
               AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp())) AS waiting,
           (SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at > clock_timestamp()) AS later,
           (SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing') AS running,
           (SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed') AS failed,
           (SELECT extract(epoch FROM clock_timestamp() - min(coalesce(j.scheduled_at, e.at)))
              FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'
             WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= clock_timestamp())) AS lag_s
    """
)


def state(session: Session) -> dict[str, Any]:
    """How the queue stands: seconds since a worker was last heard of (None: never), waiting, running, failed, lag."""
    row = session.execute(_STATE).mappings().one()
    return {
        "heartbeat_s": None if row["heartbeat_s"] is None else float(row["heartbeat_s"]),
        "lag_s": max(0.0, float(row["lag_s"] or 0)),
        **{name: int(row[name]) for name in ("waiting", "later", "running", "failed")},
    }

"""What the worker can do: tasks, the times at which some are due, and followers. `webapp/work.py` is the process.

    @task("send_notice")                              # deferred by gis.jobs.defer(session, "send_notice", {...})
    def send_notice(session, who, payload): ...

    @periodic("30 8 * * *", "daily_notice")           # by the city's clock; payload {"due_at": "2009-11-22T00:30:00+00:00"}
    def daily_notice(session, who, payload): ...

    @follow("seal", every_s=2)                        # not a job: looked at every two seconds by one worker at a time
    def seal(session, who) -> bool: ...               # True: there is more, come again at once

A task is one unit of work: its changes, and the mark that this job is done, are committed together. A job that is run
again because its worker was killed in between finds the mark and does nothing, so every effect happens exactly once. A
task that fails is tried again, later each time; one that must not hold a transaction (it talks to somebody outside) asks
for `sessions=True` and gets the factory instead: what it does twice it must tell apart itself.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

import webapp
from gis import jobs
from gis.db import unit_of_work
from gis.journal import Who
from gis.settings import Settings

TRIES = 12
LONGEST_WAIT_S = 3600
KEPT_DAYS = 30  # how long the mark of a finished job is kept; the queue forgets the job itself at once

Run = Callable[..., Any]


@dataclass(frozen=True)
class Task:
    """One kind of job."""

    name: str
    run: Run
    tries: int
    sessions: bool


@dataclass(frozen=True)
class Follower:
    """Something looked at again and again, by one worker at a time."""

    name: str
    run: Run
    every_s: float


TASKS: dict[str, Task] = {}
TIMES: dict[str, str] = {}  # task -> cron line, by the city's clock
FOLLOWERS: dict[str, Follower] = {}
_SETTINGS: list[Settings] = []


def settings() -> Settings:
    """The settings of the worker that runs this task: read once, by the process."""
    return _SETTINGS[-1]


def settle(given: Settings) -> None:
    """The worker's process says which settings its tasks see."""
    _SETTINGS.append(given)


def task(name: str, *, tries: int = TRIES, sessions: bool = False) -> Callable[[Run], Run]:
    """Register what a job of this name does."""

    def keep(run: Run) -> Run:
        if name in TASKS:
            raise ValueError(f"two tasks are called {name}")
        TASKS[name] = Task(name, run, tries, sessions)
        return run

    return keep


def periodic(cron: str, name: str, *, tries: int = TRIES, sessions: bool = False) -> Callable[[Run], Run]:
    """Register a task that is due by a cron line. When several times were missed, the last one is made up for."""
    if not croniter.is_valid(cron):
        raise ValueError(f"not a cron line: {cron}")

    def keep(run: Run) -> Run:
        TIMES[name] = cron
        return task(name, tries=tries, sessions=sessions)(run)

    return keep


def follow(name: str, *, every_s: float) -> Callable[[Run], Run]:
    """Register something to look at every few seconds."""

    def keep(run: Run) -> Run:
        FOLLOWERS[name] = Follower(name, run, every_s)
        return run

    return keep


def load_tasks() -> None:
    """Import every `webapp/*_tasks.py`, so that its tasks are registered."""
    for found in pkgutil.iter_modules(webapp.__path__):
        if found.name.endswith("_tasks"):
            importlib.import_module(f"webapp.{found.name}")


def wait_before(attempt: int) -> int:
    """Seconds before the try after `attempt` failed ones: 2, 4, 8, … at most an hour."""
    return min(2 ** (attempt + 1), LONGEST_WAIT_S)


@dataclass(frozen=True)
class Bench:
    """What a task works with: the database, and the clock of the house."""

    sessions: sessionmaker[Session]
    clock: Callable[[], datetime]
    zone: ZoneInfo

    def run(self, name: str, job_id: int, payload: dict[str, Any]) -> bool:
        """Run one job. False when an earlier run of it had already done everything."""
        known = TASKS[name]
        who = Who(self.clock())
        if known.sessions:
            known.run(self.sessions, who, payload)
            return True
        with unit_of_work(self.sessions) as session:
            if not jobs.once(session, f"job:{job_id}"):
                return False
            known.run(session, who, payload)
        return True

    def defer_due(self) -> list[str]:
        """Defer every periodic task that is due and was not deferred for that time yet.

        While an earlier run still waits or works, the next one is not deferred: runs never overlap nor pile up behind
        one that fails, and the last time that was missed is made up for afterwards.
        """
        now = self.clock()
        deferred = []
        for name, cron in TIMES.items():
            due = last_due(cron, now, self.zone)
            with unit_of_work(self.sessions) as session:
                if not jobs.waiting(session, name) and jobs.take_tick(session, name, due, now):
                    jobs.defer(session, name, {"due_at": due.isoformat()})
                    deferred.append(name)
        return deferred

    def look(self, follower: Follower) -> bool:
        """One look, unless another worker is at it. True when there is more to do at once."""
        with unit_of_work(self.sessions) as session:
            key = {"name": f"follow:{follower.name}"}
            if not session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 8319))"), key):
                return False
            return bool(follower.run(session, Who(self.clock())))

    def forget(self) -> None:
        """Drop the marks of jobs that the queue has long forgotten. Keys that a room chose itself are kept for ever."""
        with unit_of_work(self.sessions) as session:
            session.execute(
                text("DELETE FROM job_effect WHERE key LIKE 'job:%' AND at < clock_timestamp() - make_interval(days => :d)"
                     " AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j WHERE 'job:' || j.id = key)"),
                {"d": KEPT_DAYS},
            )  # fmt: skip


def last_due(cron: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The last time at or before `now` at which the cron line was due, by the city's clock."""
    local = now.astimezone(zone)
    if croniter.match(cron, local):
        return now.replace(second=0, microsecond=0)
    due: datetime = croniter(cron, local).get_prev(datetime)
    return due.astimezone(now.tzinfo)

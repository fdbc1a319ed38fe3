"""The worker process: `python -m webapp.work` runs jobs until SIGTERM, then finishes what it is doing.

The queue is procrastinate's, over psycopg 3; a task itself works on the house's own sessions in a thread. A worker sends
a heartbeat; jobs of one that is not heard of any more are given back to the queue by any other.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import procrastinate
import structlog
from procrastinate import JobContext, RetryDecision
from procrastinate.jobs import Job, Status
from sqlalchemy.engine import make_url

import gis.models  # noqa: F401 - every table
from gis import jobs
from gis.db import make_engine, make_sessions
from gis.jobs import STALLED_S
from gis.settings import Settings
from webapp import logs, worker
from webapp.clock import clock_of

CONCURRENCY = 4
HEARTBEAT_S = 3.0
DRAIN_S = 20.0
LOOK_S = 5.0  # how often periodic tasks and stalled jobs are looked for
RESCUES = 25  # a job that was running at so many deaths of a worker is taken to be the cause

log = structlog.get_logger()


class _Later(procrastinate.BaseRetryStrategy):
    """Try again after 2, 4, 8 … seconds, as often as the task says."""

    def __init__(self, tries: int) -> None:
        self.tries = tries

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if job.attempts + 1 >= self.tries:
            return None
        wait = timedelta(seconds=worker.wait_before(job.attempts))
        return RetryDecision(retry_at=datetime.now(UTC) + wait)


def make_app(url: str, bench: worker.Bench) -> procrastinate.App:
    """The queue with every registered task."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connector = procrastinate.PsycopgConnector(
        conninfo=plain, min_size=1, max_size=4, kwargs={"application_name": "chengmai worker"}
    )
    app = procrastinate.App(connector=connector)
    for known in worker.TASKS.values():
        app.task(name=known.name, queue=jobs.QUEUE, pass_context=True, retry=_Later(known.tries))(_runner(bench, known))
    return app


def _runner(bench: worker.Bench, known: worker.Task) -> Callable[..., None]:
    def run(context: JobContext, payload: dict[str, object]) -> None:
        assert context.job.id is not None
        try:
            bench.run(known.name, context.job.id, dict(payload))
        except Exception as error:
            # the message of a database error may hold a row's values: only its kind is told
            log.warning("job failed", task=known.name, job=context.job.id, attempt=context.job.attempts + 1,
                        error=type(error).__name__)  # fmt: skip
            raise

    return run


async def rescue(app: procrastinate.App, stalled_s: float) -> int:
    """Give the jobs of dead workers back to the queue; fail one that was there at too many deaths."""
    manager, found = app.job_manager, 0
    await manager.prune_stalled_workers(stalled_s)
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=stalled_s):
        found += 1
        if job.attempts >= RESCUES:
            log.error("job given up", task=job.task_name, job=job.id, reason="its worker died too often")
            await manager.finish_job(job, status=Status.FAILED, delete_job=False)
        else:
            log.warning("job rescued", task=job.task_name, job=job.id)
            await manager.retry_job(job)
    return found


async def _again(every_s: float, name: str, look: Callable[[], object]) -> None:
    """Look every so often, at once again while it says that there is more; a failure is told and waited out."""
    while True:
        try:
            more = await asyncio.to_thread(look)
        except Exception as error:  # noqa: BLE001 - the next look must come whatever happened in this one
            log.warning("follower failed", follower=name, error=type(error).__name__)
            more = False
        if not more:
            await asyncio.sleep(every_s)


async def _rescue_again(app: procrastinate.App, stalled_s: float) -> None:
    while True:
        try:
            await rescue(app, stalled_s)
        except procrastinate.exceptions.ProcrastinateException as error:
            log.warning("follower failed", follower="rescue", error=type(error).__name__)
        await asyncio.sleep(min(LOOK_S, stalled_s / 3))


async def run(url: str, bench: worker.Bench, *, stalled_s: float = STALLED_S, wait: bool = True) -> None:
    """Work until SIGTERM or SIGINT; with `wait=False` until the queue is empty."""
    app = make_app(url, bench)
    async with app.open_async():
        beside = [asyncio.create_task(_rescue_again(app, stalled_s)),
                  asyncio.create_task(_again(LOOK_S, "periodic", lambda: bench.defer_due() and False)),
                  asyncio.create_task(_again(3600, "forget", bench.forget))]  # fmt: skip
        beside += [
            asyncio.create_task(_again(f.every_s, f.name, lambda f=f: bench.look(f))) for f in worker.FOLLOWERS.values()
        ]
        try:
            await app.run_worker_async(
                queues=[jobs.QUEUE], concurrency=CONCURRENCY, delete_jobs="successful", wait=wait,
                shutdown_graceful_timeout=DRAIN_S, update_heartbeat_interval=min(HEARTBEAT_S, stalled_s / 4),
                stalled_worker_timeout=stalled_s,
            )  # fmt: skip
        finally:
            for one in beside:
                one.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


def work(settings: Settings, url: str, *, stalled_s: float = STALLED_S, wait: bool = True) -> None:
    """One worker on this database, until it is told to stop."""
    logs.init()
    # what the queue's own logger tells of a job includes its arguments; our own line tells its kind and number
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    worker.load_tasks()
    worker.settle(settings)
    engine = make_engine(url, pool_size=CONCURRENCY + 1, max_overflow=len(worker.FOLLOWERS) + 2)
    bench = worker.Bench(make_sessions(engine), clock_of(settings), ZoneInfo(settings.timezone))
    try:
        asyncio.run(run(url, bench, stalled_s=stalled_s, wait=wait))
    finally:
        engine.dispose()


def main() -> None:
    """For `chengmai up`: the database's URL comes from CHENGMAI_DATABASE_URL."""
    settings = Settings()
    if not settings.database_url:
        sys.exit("no database: `chengmai work` starts one, or set CHENGMAI_DATABASE_URL")
    work(settings, settings.database_url)


if __name__ == "__main__":
    main()

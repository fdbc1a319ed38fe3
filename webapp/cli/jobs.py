"""`chengmai work`: a worker of its own. `chengmai jobs`: how the queue stands, and what failed."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import text

from gis import jobs as queue
from gis.db import unit_of_work
from webapp.cli import Context, common


@click.command()
@click.option("--until-empty", is_flag=True, help="Leave when nothing is waiting (for tests and maintenance).")
@common
@click.pass_obj
def work(context: Context, until_empty: bool) -> None:
    """Run jobs until SIGTERM. `chengmai up` runs one worker already; more may run beside it."""
    from webapp import work as process

    with context.sessions() as sessions:
        url = sessions.kw["bind"].url.render_as_string(hide_password=False)
        process.work(context.settings, url, wait=not until_empty)


@click.group()
def jobs() -> None:
    """The queue: what waits, what failed."""


_FAILED = text(
    """
    SELECT j.id, j.task_name AS task, j.attempts, j.args -> 'payload' AS payload, max(e.at) AS failed_at
      FROM procrastinate_jobs j LEFT JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'failed'
     WHERE j.status = 'failed' GROUP BY j.id ORDER BY j.id
    """
)


@jobs.command("list")
@common
@click.pass_obj
def list_jobs(context: Context) -> None:
    """How many wait and run, and every job that failed for good."""
    with context.sessions() as sessions, sessions() as session:
        state: dict[str, Any] = queue.state(session)
        failed = [dict(row) for row in session.execute(_FAILED).mappings()]
    lines = [
        f"{state['waiting']} waiting, {state['later']} later, {state['running']} running, {state['failed']} failed"
    ]
    lines += [f"  {row['id']} {row['task']} after {row['attempts']} tries, {row['failed_at']}" for row in failed]
    context.say({**state, "failed_jobs": failed}, "\n".join(lines))


@jobs.command()
@click.argument("job_id", type=int, required=False)
@common
@click.pass_obj
def retry(context: Context, job_id: int | None) -> None:
    """Put one failed job, or all of them, back into the queue."""
    with context.sessions() as sessions, unit_of_work(sessions) as session:
        done = session.execute(
            text("SELECT id, procrastinate_retry_job_v2(id, clock_timestamp(), NULL, NULL, NULL) FROM procrastinate_jobs"
                 " WHERE status = 'failed' AND (CAST(:id AS bigint) IS NULL OR id = :id)"),
            {"id": job_id},
        ).all()  # fmt: skip
    context.say({"retried": [row[0] for row in done]}, f"{len(done)} put back.")


commands = (work, jobs)

"""`/healthz`: this process lives. `/readyz`: it can answer. `/metrics`: numbers for Prometheus, without personal data."""

from __future__ import annotations

import time
from typing import Any

import structlog
from flask import Blueprint, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from gis import jobs
from gis.audit import queries as audit
from gis.complaints.model import Complaint
from gis.errors import NotAllowed, Unavailable
from webapp.access import db, public

pages = Blueprint("health", __name__)
log = structlog.get_logger()
registry = CollectorRegistry()
REQUESTS = Counter("chengmai_requests_total", "Requests answered", ["endpoint", "status"], registry=registry)
SECONDS = Histogram("chengmai_request_seconds", "Time to answer", ["endpoint"], registry=registry)
COMPLAINTS = Gauge("chengmai_complaints", "Complaints by status", ["status"], registry=registry)
QUEUE = Gauge("chengmai_jobs", "Jobs in the queue", ["state"], registry=registry)
QUEUE_LAG = Gauge("chengmai_job_lag_seconds", "How long the oldest due job has waited", registry=registry)
WORKER = Gauge("chengmai_worker_heard_seconds", "Seconds since a worker was last heard of; -1 never", registry=registry)
UNSEALED = Gauge("chengmai_journal_unsealed_rows", "Journal rows that wait for their seal", registry=registry)
LATE_S = 60.0  # a due job that has waited longer is worth a look
BROKEN = Gauge("chengmai_journal_broken", "Broken rows, seals and heads at the last check; -1 never", registry=registry)
LOOPBACK = ("127.0.0.1", "::1")


class NotReady(Unavailable):
    """The database does not answer."""

    code = "not_ready"


@pages.get("/healthz")
@public
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@pages.get("/health")
@pages.get("/health.json")
@public
def health() -> dict[str, Any]:
    """How the parts stand, without any number of the bureau's: database, worker, queue."""
    readyz()
    queue = jobs.state(db())
    heard = queue["heartbeat_s"]
    alive = heard is not None and heard < jobs.STALLED_S
    return {
        "status": "ok" if alive and queue["lag_s"] < LATE_S and not queue["failed"] else "degraded", "database": "ok",
        "worker": "alive" if alive else "missing", "queue_lag_s": round(queue["lag_s"], 1),
        "jobs_failed": queue["failed"],
    }  # fmt: skip


@pages.get("/readyz")
@public
def readyz() -> dict[str, str]:
    """Ready when the database answers and is migrated."""
    try:
        version = db().scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError as error:
        raise NotReady() from error
    return {"status": "ready", "schema": str(version)}


@pages.get("/metrics")
@public
def metrics() -> Response:
    """Only from this machine itself: a scraper stands beside the server."""
    if request.remote_addr not in LOOPBACK:
        raise NotAllowed()
    counts = db().execute(text(f"SELECT status, count(*) FROM {Complaint.__tablename__} GROUP BY status"))
    for status, n in counts:
        COMPLAINTS.labels(status).set(n)
    _tell_queue()
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _tell_queue() -> None:
    queue = jobs.state(db())
    for name in ("waiting", "later", "running", "failed"):
        QUEUE.labels(name).set(queue[name])
    QUEUE_LAG.set(queue["lag_s"])
    WORKER.set(-1 if queue["heartbeat_s"] is None else queue["heartbeat_s"])
    UNSEALED.set(audit.unsealed(db())["rows"])
    last = audit.checks(db(), 1)
    BROKEN.set(last[0].broken_count if last else -1)


@pages.before_app_request
def start_clock() -> None:
    g.started = time.perf_counter()


@pages.after_app_request
def count(answer: Response) -> Response:
    """One line a request, without the query string (it may hold a name or a number)."""
    took = time.perf_counter() - g.get("started", time.perf_counter())
    endpoint = request.endpoint or "none"
    REQUESTS.labels(endpoint, answer.status_code).inc()
    SECONDS.labels(endpoint).observe(took)
    if answer.status_code >= 500 and not current_app.testing:
        log.error("request", endpoint=endpoint, status=answer.status_code, ms=round(took * 1000, 1))
    return answer

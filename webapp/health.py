"""`/healthz`: this process lives. `/readyz`: it can answer. `/metrics`: numbers for Prometheus, without personal data."""

from __future__ import annotations

import time

import structlog
from flask import Blueprint, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from gis.complaints.model import Complaint
from gis.errors import NotAllowed, Unavailable
from webapp.access import db, public

pages = Blueprint("health", __name__)
log = structlog.get_logger()
registry = CollectorRegistry()
REQUESTS = Counter("chengmai_requests_total", "Requests answered", ["endpoint", "status"], registry=registry)
SECONDS = Histogram("chengmai_request_seconds", "Time to answer", ["endpoint"], registry=registry)
COMPLAINTS = Gauge("chengmai_complaints", "Complaints by status", ["status"], registry=registry)
LOOPBACK = ("127.0.0.1", "::1")


class NotReady(Unavailable):
    """The database does not answer."""

    code = "not_ready"


@pages.get("/healthz")
@public
def healthz() -> dict[str, str]:
    return {"status": "ok"}


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
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


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

"""Logs: one JSON object a line on standard error. No request bodies, no query strings, no local variables: no personal data."""

from __future__ import annotations

import logging
import sys

import structlog


def init() -> None:
    """Safe to call twice. Tracebacks carry lines of code, never the values of variables."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )

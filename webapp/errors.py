"""One handler of errors for both doors: a page or a sentence for the desk, RFC 9457 problem+json for everything else."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, current_app, g, json, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from gis.db import translate
from gis.errors import BadInput, ChengmaiError, Missing, NotSignedIn, StaleVersion, TooLarge
from webapp.access import wants_json
from webapp.i18n import message

log = structlog.get_logger()


class Expired(BadInput):
    """This page was open too long; load it again and repeat."""

    code, status = "csrf", 400


class Broken(ChengmaiError):
    """Something broke on our side. It has been written down; please try again."""

    code, status = "internal", 500


def init(app: Flask) -> None:
    app.register_error_handler(ChengmaiError, answer)
    app.register_error_handler(IntegrityError, lambda e: answer(translate(e)))
    app.register_error_handler(StaleDataError, lambda e: answer(StaleVersion(base_version="?", current_version="?")))
    app.register_error_handler(CSRFError, lambda e: answer(Expired()))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def problem(error: ChengmaiError) -> Response:
    """RFC 9457: `type` is stable, `code` the class, `detail` the sentence; the parameters ride beside them."""
    body: dict[str, Any] = {
        "type": f"urn:chengmai:problem:{error.code}", "title": error.code, "status": error.status, "code": error.code,
        "detail": message(error), **{k: v for k, v in error.params.items() if k not in ("type", "title", "status")},
    }  # fmt: skip
    return Response(json.dumps(body), status=error.status, mimetype="application/problem+json")


def answer(error: ChengmaiError) -> Response | tuple[str, int]:
    session = g.get("session")
    if session is not None:
        session.rollback()
    if request.path.startswith("/api/") or wants_json():
        return problem(error)
    if isinstance(error, NotSignedIn) and request.method == "GET":
        return redirect(url_for("people.login", next=request.full_path.rstrip("?")))  # type: ignore[return-value]
    return render_template("error.html", error=error, sentence=message(error)), error.status


class Plain(ChengmaiError):
    """This cannot be done here."""

    code = "http"


def _http(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    if isinstance(error, RequestEntityTooLarge):
        return answer(TooLarge(limit=f"{(request.max_content_length or 0) // 1_048_576} MB"))
    if error.code == 404:
        return answer(Missing(thing="page", id=request.path))
    plain = Plain()
    plain.status = error.code  # type: ignore[misc]
    reply = current_app.make_response(answer(plain))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        reply.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return reply


def _unforeseen(error: Exception) -> Any:
    log.exception("unforeseen", path=request.path, endpoint=request.endpoint)
    return answer(Broken())

"""Open311 GeoReport v2 at `/open311/v2`: what can be reported, reporting it with a key, and what became of it, for anybody.

Reading is public and tells what `gis/complaints/openness.py` allows. Reporting needs a key with `receive_complaint`; no
cookie speaks here, so no other site can report in somebody's name.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from flask import Blueprint, Response, current_app, g, request, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import HTTPException

from gis.complaints import georeport
from gis.complaints import georeport_queries as queries
from gis.complaints.georeport_rules import ATTRIBUTES, Several
from gis.complaints.rules import UnknownCategory
from gis.db import translate
from gis.errors import BadInput, ChengmaiError, Missing
from gis.people.rules import KeyRefused, TooManyCalls
from gis.places.queries import working_days
from gis.portal.actions import add_photos
from gis.portal.rules import PHOTOS_PER_REPORT
from webapp import open311_contract
from webapp import open311_rows as rows
from webapp.access import db, now, public
from webapp.api_keys import caller, caller_who, key_needs, note_wait
from webapp.errors import Broken
from webapp.filters import zone
from webapp.i18n import message
from webapp.open311_asked import asked_requests, report_sent
from webapp.open311_wire import FORMATS, answer, errors
from webapp.public import kept_pictures

pages = Blueprint("open311", __name__, url_prefix="/open311")
NO_COOKIES = True
CHANGESET = "2026-11-22T00:00:00Z"  # raise it when services or their attributes change, so that clients ask again
SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
LANGUAGES = ("zh", "en")
log = structlog.get_logger()


class UnknownFormat(Missing):
    """There is no format %(format)s here: xml or json."""

    code = "unknown_format"


class UnknownJurisdiction(Missing):
    """This server does not answer for the jurisdiction %(jurisdiction_id)s."""

    code = "unknown_jurisdiction"


@pages.before_request
def begin() -> None:
    """The language by `Accept-Language`; a jurisdiction that is not ours is refused. An empty argument is no argument."""
    g.language = request.accept_languages.best_match(LANGUAGES)
    ours, wanted = current_app.config["SETTINGS"].jurisdiction, request.values.get("jurisdiction_id", "")
    if ours and wanted and wanted != ours:
        raise UnknownJurisdiction(jurisdiction_id=wanted[:80])


def _format(name: str | None = None) -> str:
    """`xml` or `json`: the ending of the address, else what is accepted, else XML, which the specification requires."""
    if name is not None:
        if name not in FORMATS:
            raise UnknownFormat(format=name[:20])
        return name
    best = request.accept_mimetypes.best_match(["text/xml", "application/xml", "application/json"], "text/xml")
    return "json" if best == "application/json" else "xml"


def _split(rest: str) -> tuple[str, str]:
    """The name and the format of an address such as `heat.cold.json`; names may hold dots themselves."""
    name, dot, ending = rest.rpartition(".")
    if dot and ending in FORMATS:
        return name, ending
    return rest, _format()


# --- errors ---------------------------------------------------------------------------------------------------------
@pages.errorhandler(ChengmaiError)
def refused(error: ChengmaiError) -> Response:
    """404 for what is not there, 403 without a good key, 429 for too many calls, 400 for anything else that was sent wrong."""
    session = g.get("session")
    if session is not None:
        session.rollback()
    note_wait(error)
    if error.status >= 500 or isinstance(error, TooManyCalls):
        status = error.status
    elif isinstance(error, KeyRefused) or error.status in (401, 403):
        status = 403
    else:
        status = 404 if isinstance(error, Missing | UnknownCategory) else 400
    told = [(status, message(e)) for e in (error.errors if isinstance(error, Several) else [error])]
    ending = request.path.rpartition(".")[2]
    return errors(list(told), ending if ending in FORMATS else _format(), status)


@pages.errorhandler(IntegrityError)
def translated(error: IntegrityError) -> Response:
    """A constraint of the database, by name."""
    return refused(translate(error))


@pages.errorhandler(HTTPException)
def http(error: HTTPException) -> Response:
    """What Flask itself refuses, such as a body that is too large."""
    return refused(BadInput(reason=error.name))


@pages.errorhandler(Exception)
def unforeseen(error: Exception) -> Response:
    """Our own mistake: written down, and told without its inside."""
    log.exception("unforeseen", path=request.path, endpoint=request.endpoint)
    return refused(Broken())


# --- what there is --------------------------------------------------------------------------------------------------
@pages.get("/discovery", defaults={"fmt": None})
@pages.get("/discovery.<fmt>")
@public
def discovery(fmt: str | None) -> Response:
    """Where the interface is, in which formats, and how to get a key."""
    endpoint = {
        "specification": SPECIFICATION, "url": url_for("open311.services", fmt=None, _external=True).removesuffix("/services"),
        "changeset": CHANGESET, "type": "production", "formats": list(FORMATS.values()),
    }  # fmt: skip
    told = {
        "changeset": CHANGESET, "contact": _("Write to the bureau; its page for developers says how."),
        "key_service": url_for("developers.index", _external=True), "endpoints": [endpoint],
    }  # fmt: skip
    return answer("discovery", told, _format(fmt))


@pages.get("/openapi.json")
@public
def openapi() -> dict[str, Any]:
    """The same as a document that programs read."""
    return open311_contract.document(request.host_url.rstrip("/") + "/open311")


@pages.get("/v2/services", defaults={"fmt": None})
@pages.get("/v2/services.<fmt>")
@public
def services(fmt: str | None) -> Response:
    """Everything that can be reported."""
    return answer("services", [rows.service(kind) for kind in queries.services(db())], _format(fmt))


@pages.get("/v2/services/<service>")
@public
def definition(service: str) -> Response:
    """What else is asked of a report about this service."""
    code, fmt = _split(service)
    if code not in {kind.code for kind in queries.services(db())}:
        raise UnknownCategory(category=code[:40])
    told = {
        "service_code": code,
        "attributes": [rows.attribute(n, a) for n, a in enumerate(ATTRIBUTES.get(code, ()), 1)],
    }
    return answer("service_definition", told, fmt)


# --- reports --------------------------------------------------------------------------------------------------------
@pages.post("/v2/requests", defaults={"fmt": None})
@pages.post("/v2/requests.<fmt>")
@key_needs("receive_complaint")
def report(fmt: str | None) -> Response:
    """Keep a report. The same `Idempotency-Key` (or `client_ref`) with the same words again is the same report."""
    chosen = _format(fmt)
    key = caller()
    assert key is not None
    sent = report_sent()
    pictures = kept_pictures(PHOTOS_PER_REPORT, "media")
    kept = georeport.report(db(), caller_who(), key.key_id, sent, zone=zone(), calendar=working_days(db()))
    if pictures and not kept.again:
        add_photos(db(), caller_who(), kept.complaint, pictures)
    made = rows.receipt(kept, wants_token="respond-async" in request.headers.get("Prefer", ""))
    reply = answer("service_requests", [made], chosen)
    reply.headers["Idempotent-Replay"] = "true" if kept.again else "false"
    return reply


@pages.get("/v2/tokens/<token>")
@public
def token_of(token: str) -> Response:
    """The number of the report that was answered with this token."""
    name, fmt = _split(token)
    try:
        found = queries.by_token(db(), UUID(name))
    except ValueError:
        found = None
    if found is None:
        raise Missing(thing="token", id=name[:60])
    return answer("service_requests", [{"service_request_id": found, "token": name}], fmt)


@pages.get("/v2/requests", defaults={"fmt": None})
@pages.get("/v2/requests.<fmt>")
@public
def listing(fmt: str | None) -> Response:
    """Reports of the last 90 days, or of the days, services, status and numbers that are asked for."""
    chosen = _format(fmt)
    asked = asked_requests(now(), zone())
    found = queries.requests(db(), asked)
    reply = answer("service_requests", [rows.public_row(row, zone()) for row in found], chosen)
    if len(found) == asked.page_size and not asked.numbers:
        further = {**request.args.to_dict(flat=False), "page": asked.page + 1}
        further.pop("api_key", None)
        reply.headers["Link"] = f'<{url_for("open311.listing", fmt=fmt, _external=True, **further)}>; rel="next"'
    return reply


@pages.get("/v2/requests/<path:request_no>")
@public
def one(request_no: str) -> Response:
    """One report by its number."""
    number, fmt = _split(request_no)
    found = queries.requests(db(), queries.Asked(numbers=(number.replace("\0", ""),)))
    if not found:
        raise Missing(thing="service_request_id", id=number[:60])
    return answer("service_requests", [rows.public_row(row, zone()) for row in found], fmt)

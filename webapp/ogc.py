"""OGC API – Features at `/ogc` for everybody, and at `/ogc/internal` for a key or a signed-in person."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, g, json, redirect, render_template, request, url_for
from flask_babel import gettext as _

import gis.complaints.features
import gis.coverage.features
import gis.dispatch.features
import gis.network.features
import gis.oversight.features
import gis.places.features
from gis import features
from gis.complaints.privacy import masked_text
from gis.errors import ChengmaiError, Missing, NotAllowed, NotSignedIn
from gis.features import Around, Collection, Kind
from webapp import errors, ogc_contract
from webapp.access import View, db, now, public
from webapp.api_keys import caller_may, caller_scope, key_needs, note_wait
from webapp.filters import zone
from webapp.i18n import message
from webapp.ogc_asked import ID_MAX, SYSTEMS, Question, known, one, question
from webapp.ogc_links import collection_told, described, link, links_of_page, negotiated

pages = Blueprint("ogc", __name__, url_prefix="/ogc")
PUBLIC = {
    c.id: c for room in (gis.places.features, gis.complaints.features, gis.oversight.features) for c in room.PUBLIC
}
INTERNAL = {
    c.id: c
    for room in (gis.complaints.features, gis.dispatch.features, gis.network.features, gis.coverage.features)
    for c in room.INTERNAL
}
GEOJSON = "application/geo+json"
EXTENT_KEPT = timedelta(minutes=1)
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"


def route(path: str, name: str) -> Callable[[View], View]:
    """The same view twice: open under `/ogc`, and guarded under `/ogc/internal`."""

    def wrap(view: View) -> View:
        opened, guarded = public(view), key_needs("see_network", or_session=True)(view)
        for at in (path, "/") if path == "" else (path,):
            pages.add_url_rule(at, name, opened)
            pages.add_url_rule(f"/internal{at}", f"internal_{name}", guarded)
        return view

    return wrap


def inside() -> bool:
    """Is this the internal service?"""
    return (request.endpoint or "").startswith("ogc.internal_")


def offered() -> dict[str, Collection]:
    """The collections that may be told in this request."""
    if not inside():
        return PUBLIC
    return {id: c for id, c in INTERNAL.items() if c.right is None or caller_may(c.right)}


def _collection(id: str) -> Collection:
    if inside() and id in INTERNAL and id not in offered():
        raise NotAllowed()
    found = offered().get(id)
    if found is None:
        raise Missing(thing="collection", id=id[:60])
    return found


def _around() -> Around:
    scope = caller_scope() if inside() else None
    return Around(scope and scope.area_id, scope and scope.unit_id, now(), str(zone()))


@pages.errorhandler(ChengmaiError)
def refused(error: ChengmaiError) -> Any:
    """A page for a browser, RFC 9457 for a program; somebody with a browser is sent to sign in."""
    note_wait(error)
    if negotiated() != "html":
        session = g.get("session")
        if session is not None:
            session.rollback()
        return errors.problem(error)
    if isinstance(error, NotSignedIn):
        return redirect(url_for("people.login", next=request.full_path.rstrip("?")))
    return render_template("error.html", error=error, sentence=message(error)), error.status


@pages.after_request
def shared(answer: Response) -> Response:
    """Public layers may be read from any site's page, and kept for a minute; internal ones are asked for every time."""
    if inside():
        answer.headers.setdefault("Cache-Control", "private, no-cache")
        answer.headers.setdefault("Vary", "Accept, Authorization, Cookie, Accept-Language")
    else:
        answer.headers.setdefault("Access-Control-Allow-Origin", "*")
        answer.headers.setdefault("Cache-Control", "public, max-age=60")
        answer.headers.setdefault("Vary", "Accept, Accept-Language, Cookie")
    return answer


def _send(told: dict[str, Any], kind: str, title: str, mime: str = "application/json") -> Response:
    """The same content as JSON or as a page, with a tag that changes when the content does."""
    tag = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()
    if negotiated() == "html":
        answer = Response(render_template("ogc/page.html", told=told, kind=kind, title=title))
    else:
        answer = Response(json.dumps(told), mimetype=mime)
    return _tagged(answer, tag)


def _tagged(answer: Response, tag: str) -> Response:
    answer.set_etag(f"{tag}-{negotiated()}", weak=True)
    answer.make_conditional(request)
    return answer


# --- the service ----------------------------------------------------------------------------------------------------
@route("", "landing")
def landing() -> Response:
    """Where everything is."""
    known()
    title = _("Layers of the city") if not inside() else _("Internal layers of the city")
    told = {
        "title": title, "description": _("OGC API – Features of the city's utilities"),
        "links": [
            *described("landing", title), link("service-desc", "api", OPENAPI, _("The interface as a document")),
            link("service-doc", "api", "text/html", _("The interface as a page"), f="html"),
            link("conformance", "conformance", "application/json", _("What this server conforms to")),
            link("data", "collections", "application/json", _("The collections")),
        ],
    }  # fmt: skip
    return _send(told, "landing", title)


@route("/conformance", "conformance")
def conformance() -> Response:
    """Which parts of the standard are kept."""
    known()
    return _send({"conformsTo": list(ogc_contract.CONFORMS_TO)}, "conformance", _("What this server conforms to"))


@route("/api", "api")
def api() -> Response:
    """The OpenAPI 3.0 document of exactly these collections."""
    known()
    told = ogc_contract.document(list(offered().values()), link("self", "landing", "", "")["href"], internal=inside())
    return _send(told, "api", _("The interface as a document"), OPENAPI)


@route("/collections", "collections")
def collections() -> Response:
    """Every collection that may be told."""
    known()
    told = {
        "links": described("collections", _("The collections")), "crs": list(SYSTEMS),
        "collections": [_told(c) for c in offered().values()],
    }  # fmt: skip
    return _send(told, "collections", _("The collections"))


@route("/collections/<collection>", "collection")
def collection(collection: str) -> Response:
    """One collection: what it is, where it is, and by what it can be asked."""
    known()
    found = _collection(collection)
    return _send(_told(found), "collection", _(found.title))


def _told(found: Collection) -> dict[str, Any]:
    return collection_told(found, _extent(found))


def _extent(found: Collection) -> tuple[float, float, float, float] | None:
    """Where a collection is, asked again after a minute: it is seldom another, and looks at every row."""
    around = _around()
    kept = current_app.extensions.setdefault("ogc_extents", {})
    key, at = (found.id, around.area_id, around.unit_id), now()
    if key not in kept or not timedelta() <= at - kept[key][0] < EXTENT_KEPT:
        if len(kept) > 1000:
            kept.clear()
        kept[key] = at, features.extent(db(), found, around)
    box: tuple[float, float, float, float] | None = kept[key][1]
    return box


# --- features -------------------------------------------------------------------------------------------------------
@route("/collections/<collection>/items", "items")
def items(collection: str) -> Response:
    """A page of features."""
    found = _collection(collection)
    asked = question(found, zone())
    page = features.page(db(), found, asked.asked, _around())
    all_of_it = not page.more and not asked.asked.after
    matched = len(page.rows) if all_of_it else features.matched(db(), found, asked.asked, _around())
    last = page.rows[-1]["id"] if page.rows else None
    frame: dict[str, Any] = {"type": "FeatureCollection", "numberReturned": len(page.rows)}
    if matched is not None:
        frame["numberMatched"] = matched
    frame["links"] = links_of_page(found, asked, last if page.more else None)
    if negotiated() == "html":
        rows = [{"id": row["id"], **_properties(found, row)} for row in page.rows]
        told = {**frame, "rows": rows, "columns": [p.name for p in found.properties], "collection": found.id}
        return _send(told, "items", _(found.title))
    return _feature_collection(frame, [_feature(found, row) for row in page.rows], asked)


def _feature_collection(frame: dict[str, Any], told: list[str], asked: Question) -> Response:
    """The features' text between the frame's. The time stamp is left out of the tag: it alone is no change."""
    head = json.dumps(frame)[:-1]
    body = f'{head},"timeStamp":"{now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}","features":[{",".join(told)}]}}'
    tag = hashlib.blake2b(digest_size=16)
    tag.update(head.encode())
    for text in told:
        tag.update(text.encode())
    answer = Response(body, mimetype=GEOJSON)
    answer.headers["Content-Crs"] = f"<{asked.crs}>"
    return _tagged(answer, tag.hexdigest())


@route("/collections/<collection>/items/<int:feature_id>", "item")
def item(collection: str, feature_id: int) -> Response:
    """One feature."""
    found = _collection(collection)
    asked = one(feature_id)
    page = features.page(db(), found, asked.asked, _around()) if 0 < feature_id < ID_MAX else None
    if page is None or not page.rows:
        raise Missing(thing="feature", id=feature_id)
    row = page.rows[0]
    links = [
        *described("item", f"{_(found.title)} {feature_id}", GEOJSON, collection=found.id, feature_id=feature_id),
        link("collection", "collection", "application/json", _(found.title), collection=found.id),
    ]
    if negotiated() == "html":
        told = {"links": links, "rows": [{"id": feature_id, **_properties(found, row)}], "collection": found.id,
                "columns": [p.name for p in found.properties]}  # fmt: skip
        return _send(told, "items", f"{_(found.title)} {feature_id}")
    text = f'{_feature(found, row)[:-1]},"links":{json.dumps(links)}}}'
    answer = Response(text, mimetype=GEOJSON)
    answer.headers["Content-Crs"] = f"<{asked.crs}>"
    return _tagged(answer, hashlib.blake2b(text.encode(), digest_size=16).hexdigest())


def _properties(found: Collection, row: Any) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for p in found.properties:
        value = row[p.name]
        if value is not None and p.kind in (Kind.MOMENT, Kind.DAY):
            value = value.isoformat()
        elif p.said and value:
            value = masked_text(value)
        told[p.name] = value
    return told


def _feature(found: Collection, row: Any) -> str:
    properties = json.dumps(_properties(found, row))
    return f'{{"type":"Feature","id":{row["id"]},"geometry":{row["geometry"] or "null"},"properties":{properties}}}'

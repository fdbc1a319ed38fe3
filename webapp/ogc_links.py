"""Links of OGC API – Features: where this is, in which formats, what comes next; and what a collection tells of itself."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask_babel import gettext as _

from gis.features import Collection
from webapp.ogc_asked import CRS84, SYSTEMS, Question

GEOJSON = "application/geo+json"


def negotiated() -> str:
    """`html` for a browser, else `json`; the parameter `f` says it outright."""
    wanted = request.args.get("f", "")
    if wanted in ("json", "html"):
        return wanted
    best = request.accept_mimetypes.best_match(["application/geo+json", "application/json", "text/html"])
    return "html" if best == "text/html" else "json"


def link(rel: str, endpoint: str, mime: str, title: str, **values: Any) -> dict[str, str]:
    """A link within the service that is being asked, the public or the internal one."""
    inside = (request.endpoint or "").startswith("ogc.internal_")
    href = url_for(f"ogc.{'internal_' if inside else ''}{endpoint}", _external=True, **values)
    return {"rel": rel, "href": href, "type": mime, "title": title}


def described(endpoint: str, title: str, mime: str = "application/json", **values: Any) -> list[dict[str, str]]:
    """`self` in the format of this answer and `alternate` in the other."""
    as_json, as_page = ("self", "alternate") if negotiated() == "json" else ("alternate", "self")
    return [
        link(as_json, endpoint, mime, f"{title} (JSON)", f="json", **values),
        link(as_page, endpoint, "text/html", f"{title} (HTML)", f="html", **values),
    ]


def links_of_page(found: Collection, asked: Question, last: int | None) -> list[dict[str, str]]:
    """`self`, `alternate`, the collection, and `next` where more features come after `last`."""
    here = {k: v for k, v in asked.given.items() if k != "f"}
    if asked.asked.after:
        here["after"] = str(asked.asked.after)
    links = described("items", _(found.title), GEOJSON, collection=found.id, **here)
    links.append(link("collection", "collection", "application/json", _(found.title), collection=found.id))
    if last is not None:
        further = {**here, "after": str(last), "f": negotiated()}
        mime = GEOJSON if negotiated() == "json" else "text/html"
        links.append(link("next", "items", mime, _("Next page"), collection=found.id, **further))
    return links


def collection_told(found: Collection, box: tuple[float, float, float, float] | None) -> dict[str, Any]:
    """What a collection tells of itself."""
    extent: dict[str, Any] = {}
    if box is not None:
        extent["spatial"] = {"bbox": [[round(edge, 7) for edge in box]], "crs": CRS84}
    if found.begins:
        extent["temporal"] = {"interval": [[None, None]], "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"}
    title = _(found.title)
    return {
        "id": found.id, "title": title, "description": _(found.about), "itemType": "feature", "extent": extent,
        "crs": list(SYSTEMS), "storageCrs": CRS84,
        "links": [
            *described("collection", title, collection=found.id),
            link("items", "items", GEOJSON, title, collection=found.id, f="json"),
            link("items", "items", "text/html", title, collection=found.id, f="html"),
        ],
    }  # fmt: skip

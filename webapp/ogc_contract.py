"""The OpenAPI 3.0 document of OGC API – Features, made from the collections themselves, so that it cannot say otherwise."""

from __future__ import annotations

from typing import Any

from gis.features import Collection, Kind, Property
from webapp.ogc_asked import ID_MAX, LIMIT, LIMIT_MAX, SYSTEMS

_PARTS = "http://www.opengis.net/spec/ogcapi-features-"
CONFORMS_TO = (
    *(f"{_PARTS}1/1.0/conf/{part}" for part in ("core", "oas30", "html", "geojson")), f"{_PARTS}2/1.0/conf/crs"
)  # fmt: skip
_TYPES: dict[Kind, dict[str, Any]] = {
    Kind.STRING: {"type": "string"}, Kind.INTEGER: {"type": "integer"}, Kind.NUMBER: {"type": "number"},
    Kind.BOOLEAN: {"type": "boolean"}, Kind.MOMENT: {"type": "string", "format": "date-time"},
    Kind.DAY: {"type": "string", "format": "date"},
}  # fmt: skip
_LINKS = {"type": "array", "items": {
    "type": "object", "required": ["href", "rel"],
    "properties": {name: {"type": "string"} for name in ("href", "rel", "type", "title")},
}}  # fmt: skip
_PROBLEM = {
    "description": "Refused by name (RFC 9457); to a browser a page",
    "content": {
        "application/problem+json": {"schema": {
            "type": "object", "required": ["type", "title", "status", "code", "detail"],
            "properties": {"status": {"type": "integer"}, "code": {"type": "string"}, "detail": {"type": "string"}},
        }},
        "text/html": {"schema": {"type": "string"}},
    },
}  # fmt: skip
_COLLECTION = {
    "type": "object", "required": ["id", "title", "description", "links", "crs", "itemType"],
    "properties": {"id": {"type": "string"}, "links": _LINKS, "crs": {"type": "array", "items": {"type": "string"}}},
}  # fmt: skip


def _query(name: str, schema: dict[str, Any], about: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": about, **more}


_FORMAT = _query("f", {"type": "string", "enum": ["json", "html"]}, "the format, else by Accept")
_CRS = {"type": "string", "enum": list(SYSTEMS)}
_ITEMS = [
    _query(
        "bbox",
        {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}},
        "west, south, east, north; in the order of bbox-crs where that is given",
        explode=False,
        style="form",
    ),
    _query("bbox-crs", _CRS, "the coordinate system of bbox, CRS84 where it is not given"),
    _query("datetime", {"type": "string"}, "a moment, or two with / between; .. leaves a side open"),
    _query("limit", {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT}, "how many at once"),
    _query("crs", _CRS, "the coordinate system of the answer, CRS84 where it is not given"),
    _query(
        "after", {"type": "integer", "minimum": 0, "maximum": ID_MAX}, "go on after this id: comes with the link next"
    ),
]


def _feature(collection: Collection) -> dict[str, Any]:
    def told(p: Property) -> dict[str, Any]:
        return {**_TYPES[p.kind], "nullable": True}

    geometry = {
        "type": "object", "nullable": True, "required": ["type", "coordinates"],
        "properties": {"type": {"type": "string", "enum": [collection.geometry]}, "coordinates": {"type": "array"}},
    }  # fmt: skip
    properties = {"type": "object", "additionalProperties": False, "required": [p.name for p in collection.properties],
                  "properties": {p.name: told(p) for p in collection.properties}}  # fmt: skip
    return {
        "type": "object", "required": ["type", "id", "geometry", "properties"],
        "properties": {"type": {"type": "string", "enum": ["Feature"]}, "id": {"type": "integer"}, "geometry": geometry,
                       "properties": properties, "links": _LINKS},
    }  # fmt: skip


def _page(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "required": ["type", "features", "links", "numberReturned", "timeStamp"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]}, "features": {"type": "array", "items": schema},
            "links": _LINKS, "numberReturned": {"type": "integer"}, "numberMatched": {"type": "integer"},
            "timeStamp": {"type": "string", "format": "date-time"},
        },
    }  # fmt: skip


def _get(
    id: str, summary: str, schema: dict[str, Any], parameters: list[dict[str, Any]], mime: str = "application/json"
) -> dict[str, Any]:
    content = {mime: {"schema": schema}, "text/html": {"schema": {"type": "string"}}}
    refused = dict.fromkeys(("400", "401", "403", "404", "429"), _PROBLEM)
    return {"get": {
        "operationId": id, "summary": summary, "parameters": [*parameters, _FORMAT],
        "responses": {"200": {"description": summary, "content": content}, **refused},
    }}  # fmt: skip


def document(collections: list[Collection], url: str, *, internal: bool) -> dict[str, Any]:
    """The document of a service with these collections, at this address."""
    anything = {"type": "object", "required": ["links"], "properties": {"links": _LINKS}}
    listed = {"type": "object", "required": ["links", "collections"],
              "properties": {"links": _LINKS, "collections": {"type": "array", "items": _COLLECTION}}}  # fmt: skip
    conforms = {"type": "object", "required": ["conformsTo"],
                "properties": {"conformsTo": {"type": "array", "items": {"type": "string"}}}}  # fmt: skip
    paths = {
        "/": _get("landing", "Where everything is", anything, []),
        "/conformance": _get("conformance", "Which parts of the standard are kept", conforms, []),
        "/collections": _get("collections", "The collections", listed, []),
    }
    for collection in collections:
        paths |= _paths(collection)
    made: dict[str, Any] = {
        "openapi": "3.0.3", "info": {"title": "Chengmai OGC API - Features", "version": "1.0.0"}, "paths": paths,
        "servers": [{"url": url}], "components": {},
    }  # fmt: skip
    if internal:
        made["components"] = {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}}
        made["security"] = [{"bearer": []}]
    return made


def _paths(collection: Collection) -> dict[str, Any]:
    feature, at = _feature(collection), f"/collections/{collection.id}"
    asked = [
        _query(p.name, _TYPES[p.kind], f"only those whose {p.name} is this", explode=False, style="form")
        for p in collection.queryables.values()
    ]
    number = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
    crs = next(p for p in _ITEMS if p["name"] == "crs")
    geojson = "application/geo+json"
    return {
        at: _get(f"{collection.id}", collection.title, _COLLECTION, []),
        f"{at}/items": _get(f"{collection.id}_items", collection.about, _page(feature), [*_ITEMS, *asked], geojson),
        f"{at}/items/{{featureId}}": _get(f"{collection.id}_item", "One feature", feature, [number, crs], geojson),
    }

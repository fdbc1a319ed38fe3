"""The OpenAPI document of our GeoReport v2, in our own words: what is sent, what comes back, and our few extensions."""

from __future__ import annotations

from typing import Any

from gis.complaints.georeport import DEVICE_MAX, REFERENCE_MAX
from gis.complaints.georeport_queries import PAGE_MAX
from gis.complaints.georeport_rules import MEDIA_URL_MAX, Datatype
from gis.complaints.rules import LIMITS
from webapp.open311_wire import FORMATS

_TEXT = {"type": "string"}
_MOMENT = {"type": "string", "format": "date-time"}


def _object(required: str, /, **fields: Any) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": fields, "additionalProperties": False}


def _list(schema: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"}}


SCHEMAS: dict[str, Any] = {
    "Service": _object(
        "service_code service_name description metadata type keywords group", service_code=_TEXT, service_name=_TEXT,
        description=_TEXT, metadata={"type": "boolean"}, type={"type": "string", "enum": ["realtime", "batch", "blackbox"]},
        keywords=_TEXT, group=_TEXT,
    ),
    "Value": _object("key name", key=_TEXT, name=_TEXT),
    "Attribute": _object(
        "variable code datatype required datatype_description order description", variable={"type": "boolean"}, code=_TEXT,
        datatype={"type": "string", "enum": [str(d) for d in Datatype]}, required={"type": "boolean"},
        datatype_description=_TEXT, order={"type": "integer", "minimum": 1}, description=_TEXT, values=_list("Value"),
    ),
    "Definition": _object("service_code attributes", service_code=_TEXT, attributes=_list("Attribute")),
    "Receipt": {
        **_object("service_notice", service_request_id=_TEXT, token=_TEXT, service_notice=_TEXT, account_id=_TEXT),
        "oneOf": [{"required": ["service_request_id"]}, {"required": ["token"]}],
    },
    "Token": _object("service_request_id token", service_request_id=_TEXT, token=_TEXT),
    "Request": _object(
        "service_request_id status status_notes service_name service_code description requested_datetime updated_datetime"
        " expected_datetime address", service_request_id=_TEXT, status={"type": "string", "enum": ["open", "closed"]},
        status_notes=_TEXT, service_name=_TEXT, service_code=_TEXT, description=_TEXT, agency_responsible=_TEXT,
        requested_datetime=_MOMENT, updated_datetime=_MOMENT, expected_datetime=_MOMENT, address=_TEXT,
        lat={"type": "number", "minimum": -90, "maximum": 90}, long={"type": "number", "minimum": -180, "maximum": 180},
    ),
    "Error": _object("code description", code={"type": "integer"}, description=_TEXT),
    "Discovery": _object(
        "changeset contact key_service endpoints", changeset=_TEXT, contact=_TEXT, key_service=_TEXT,
        endpoints={"type": "array", "items": _object(
            "specification url changeset type formats", specification=_TEXT, url=_TEXT, changeset=_TEXT,
            type={"type": "string", "enum": ["production", "test", "acceptance"]},
            formats={"type": "array", "items": {"type": "string", "enum": list(FORMATS.values())}},
        )},
    ),
}  # fmt: skip

_REPORT_FIELDS = {
    "service_code": {"type": "string", "maxLength": 40}, "lat": _TEXT, "long": _TEXT,
    "address_string": {"type": "string", "maxLength": LIMITS["place"]}, "address_id": {"type": "string", "maxLength": 60},
    "description": {"type": "string", "maxLength": LIMITS["description"]}, "email": {"type": "string", "maxLength": 254},
    "phone": {"type": "string", "maxLength": LIMITS["caller_phone"]}, "first_name": {"type": "string", "maxLength": 40},
    "last_name": {"type": "string", "maxLength": 40}, "device_id": {"type": "string", "maxLength": DEVICE_MAX},
    "account_id": {"type": "string", "maxLength": DEVICE_MAX},
    "media_url": {"type": "string", "maxLength": MEDIA_URL_MAX},
    "client_ref": {"type": "string", "maxLength": REFERENCE_MAX}, "jurisdiction_id": _TEXT, "api_key": _TEXT,
}  # fmt: skip


def _in_query(name: str, schema: dict[str, Any], about: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": about}


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _TEXT}


_JURISDICTION = _in_query("jurisdiction_id", _TEXT, "one jurisdiction is served: another one is 404")
_WHOLE = {"type": "integer", "minimum": 1}
_ASKED = [
    _JURISDICTION,
    _in_query("service_request_id", _TEXT, "several separated by commas; overrides everything else"),
    _in_query("service_code", _TEXT, "several separated by commas"),
    _in_query("status", {"type": "string"}, "open, closed"),
    _in_query("start_date", _MOMENT, "received since; the last 90 days where nothing is said"),
    _in_query("end_date", _MOMENT, "received until; not more than 90 days after start_date"),
    _in_query("updated_after", _MOMENT, "extension: changed since, the oldest change first"),
    _in_query("updated_before", _MOMENT, "extension: changed until"),
    _in_query("page", _WHOLE, "extension: which page, from 1"),
    _in_query("page_size", {**_WHOLE, "maximum": PAGE_MAX}, "extension: how many at once"),
]


def _answers(schema: dict[str, Any]) -> dict[str, Any]:
    wrong = {
        "description": "code and description of each thing that is wrong",
        "content": {"application/json": {"schema": _list("Error")}},
    }
    good = {"description": "as asked", "content": {"application/json": {"schema": schema}}}
    return {"200": good, **dict.fromkeys(("400", "403", "404", "413", "429"), wrong)}


def _get(summary: str, schema: dict[str, Any], parameters: list[dict[str, Any]]) -> dict[str, Any]:
    return {"get": {"summary": summary, "parameters": parameters, "responses": _answers(schema), "security": []}}


def _post() -> dict[str, Any]:
    form = {"type": "object", "required": ["service_code"], "properties": _REPORT_FIELDS,
            "additionalProperties": {"type": "string"}}  # fmt: skip
    once = {"name": "Idempotency-Key", "in": "header", "required": False,
            "schema": {"type": "string", "maxLength": REFERENCE_MAX},
            "description": "extension: the same key and words again is the same report"}  # fmt: skip
    return {
        "summary": "Report; attribute[code] answers a question of the service",
        "parameters": [once],
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": _answers(_list("Receipt")),
        "security": [{"api_key": []}, {"bearer": []}],
    }


def document(url: str) -> dict[str, Any]:
    """The document, with the address at which the interface is."""
    reports = _get("Reports, newest first", _list("Request"), _ASKED)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Chengmai Open311 GeoReport v2", "version": "2.0",
                 "description": "Every address also ends in .xml, with the same content as text/xml."},
        "servers": [{"url": url}],
        "paths": {
            "/discovery.json": _get("Where and in which formats", {"$ref": "#/components/schemas/Discovery"}, []),
            "/v2/services.json": _get("What can be reported", _list("Service"), [_JURISDICTION]),
            "/v2/services/{service_code}.json": _get(
                "What else is asked", {"$ref": "#/components/schemas/Definition"}, [_in_path("service_code"), _JURISDICTION]
            ),
            "/v2/requests.json": {**reports, "post": _post()},
            "/v2/requests/{service_request_id}.json": _get(
                "One report", _list("Request"), [_in_path("service_request_id"), _JURISDICTION]
            ),
            "/v2/tokens/{token}.json": _get("The number of a token", _list("Token"), [_in_path("token"), _JURISDICTION]),
        },
        "components": {"schemas": SCHEMAS, "securitySchemes": {
            "api_key": {"type": "apiKey", "in": "query", "name": "api_key"}, "bearer": {"type": "http", "scheme": "bearer"},
        }},
    }  # fmt: skip

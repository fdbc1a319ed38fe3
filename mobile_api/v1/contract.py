"""The contract as a document: `python -m mobile_api.v1.contract` writes `openapi.yaml` from the routes.

The document is committed, because phones in the field were built against it; a test checks that it says what the routes do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from apiflask import APIFlask

from gis.inspections.rules import PHOTO_KINDS
from mobile_api import v1
from mobile_api.v1.wire import Problem

DOCUMENT = Path(__file__).with_name("openapi.yaml")
_PROBLEM = {
    "description": "Refused by name (RFC 9457): `code` is stable, `detail` a sentence.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_TOKEN = {"type": "http", "scheme": "bearer", "description": "the device token given by POST /enrol"}
_FILE_NAME = {
    "name": "X-File-Name", "in": "header", "required": False, "schema": {"type": "string", "maxLength": 1000},
    "description": "what the phone calls the file, percent-encoded UTF-8; kept for show only",
}  # fmt: skip
_SHA256 = {
    "name": "sha256", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
}  # fmt: skip


class _Plain(yaml.SafeDumper):
    """Repeats what occurs twice, instead of anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def document() -> dict[str, Any]:
    """The OpenAPI document of the routes as they are."""
    app = APIFlask("phone", title="Chengmai phone API 城脉终端接口", version="1", spec_path=None, docs_path=None)
    app.config.update(
        OPENAPI_VERSION="3.1.0", AUTO_VALIDATION_ERROR_RESPONSE=False, AUTO_404_RESPONSE=False, AUTO_OPERATION_ID=True,
    )  # fmt: skip
    v1.mount(app)
    made: dict[str, Any] = app.spec  # type: ignore[assignment]
    made["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    made["components"]["securitySchemes"] = {"token": _TOKEN}
    made["components"]["responses"] = {"Problem": _PROBLEM}
    _photos(made["paths"])
    _uploads(made["paths"])
    squares = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    made["paths"]["/api/v1/tiles"]["post"]["responses"]["200"] = {"description": "The squares.", "content": squares}
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        path = rule.rule.replace("<", "{").replace(">", "}")
        needs = app.view_functions[rule.endpoint].needs  # type: ignore[attr-defined]
        for method in (rule.methods or set()) & {m.upper() for m in made["paths"][path]}:
            _guarded(made["paths"][path][method.lower()], needs)
    made["paths"] = dict(sorted(made["paths"].items()))
    return made


def _photos(paths: dict[str, Any]) -> None:
    """What the generator cannot know: a body that is a picture, and HEAD."""
    path = paths["/api/v1/photos/{sha256}"]
    path["put"]["parameters"] = [_SHA256, _FILE_NAME]
    picture = {"schema": {"type": "string", "format": "binary"}}
    shown = paths["/api/v1/findings/photos/{sha256}"]["get"]
    shown["parameters"] = [_SHA256]
    shown["responses"]["200"] = {
        "description": "the picture, small and without metadata",
        "content": {"image/jpeg": picture},
    }
    path["put"]["requestBody"] = {"required": True, "content": dict.fromkeys(PHOTO_KINDS, picture)}
    path["head"] = {
        "tags": ["inspections"], "summary": "Has this photo arrived?", "operationId": "head_phone_inspections_has_photo",
        "parameters": [_SHA256],
        "responses": {"200": {"description": "It is kept; Content-Type and Content-Length are the picture's."}},
    }  # fmt: skip


def _header(name: str, told: str, *, required: bool = True, kind: str = "string") -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "schema": {"type": kind}, "description": told}


def _uploads(paths: dict[str, Any]) -> None:
    """tus 1.0.0: its headers, and a piece as a body."""
    version = _header("Tus-Resumable", "1.0.0")
    offset = _header("Upload-Offset", "where this piece goes", kind="integer")
    checksum = _header("Upload-Checksum", "sha1 or sha256, a blank, and the digest in base64", required=False)
    begin, one = paths["/api/v1/uploads"]["post"], paths["/api/v1/uploads/{sha256}"]
    begin["parameters"] = [
        version, _header("Upload-Length", "bytes of the whole photo", kind="integer"),
        _header("Upload-Metadata", "`sha256 <base64>,filename <base64>`"),
    ]  # fmt: skip
    piece = {"application/offset+octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    begin["responses"] = {
        "201": {"description": "Announced, or found again: go on at `Location` from `Upload-Offset`."}
    }
    one["patch"]["parameters"] = [_SHA256, version, offset, checksum]
    one["patch"]["requestBody"] = {"required": True, "content": piece}
    one["patch"]["responses"] = {"204": {"description": "Added: `Upload-Offset` says how much is here."}}
    one["head"] = {
        "tags": ["uploads"], "summary": "How much of it is here?", "operationId": "head_phone_uploads_offset",
        "parameters": [_SHA256, version],
        "responses": {"200": {"description": "`Upload-Offset` of `Upload-Length` bytes, kept until `Upload-Expires`."}},
    }  # fmt: skip
    photo = paths["/api/v1/quarantine/photos/{sha256}"]["put"]
    photo["parameters"] = [_SHA256, _FILE_NAME]
    picture = {"schema": {"type": "string", "format": "binary"}}
    photo["requestBody"] = {"required": True, "content": dict.fromkeys(PHOTO_KINDS, picture)}


def _guarded(operation: dict[str, Any], needs: str) -> None:
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
    operation["security"] = [] if needs == "public" else [{"token": []}]


def text() -> str:
    """The document as it is committed."""
    head = "# Written by `python -m mobile_api.v1.contract`; a test compares it with the routes.\n"
    return head + yaml.dump(document(), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")

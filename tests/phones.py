"""A phone in tests: a client that speaks with its own token, and the changes it sends."""

from __future__ import annotations

import hashlib
import io
import uuid
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from PIL import Image
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from gis.inspections import canonical
from gis.inspections.rules import SIX_PLEDGES, excluded
from mobile_api.v1 import contract

AT = "2009-11-17T01:59:00Z"


class Phone:
    """What a phone does, in the words of the contract."""

    def __init__(self, client: Any, token: str, user: Any, device: Any) -> None:
        self.client, self.token, self.user, self.device = client, token, user, device
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        return as_promised(self.client.get(f"/api/v1{path}", headers=self.headers))

    def post(self, path: str, body: Any) -> Any:
        return as_promised(self.client.post(f"/api/v1{path}", json=body, headers=self.headers))

    def sync(self, *changes: Any, queue_length: int = 0) -> list[Any]:
        answer = self.post("/sync", {"queue_length": queue_length, "changes": list(changes)})
        assert answer.status_code == 200, answer.text
        return answer.json["results"]

    def put_photo(self, data: bytes, sha256: str | None = None, **headers: str) -> Any:
        sha256 = sha256 or hashlib.sha256(data).hexdigest()
        sent = self.headers | {"Content-Type": "image/jpeg"} | headers
        return as_promised(self.client.put(f"/api/v1/photos/{sha256}", data=data, headers=sent))


def as_promised(answer: Any) -> Any:
    """The answer, once it has been held against the document: its status, its kind, and every field of its body."""
    document, registry = _contract()
    path = answer.request.path
    found = document["paths"].get(path) or (
        document["paths"]["/api/v1/photos/{sha256}"] if "/photos/" in path else None
    )
    operation = (found or {}).get(answer.request.method.lower())
    promised = (operation or {"responses": {}})["responses"].get(str(answer.status_code))
    content = (promised or document["components"]["responses"]["Problem"])["content"]
    (kind,) = content
    assert answer.mimetype == kind, (answer.request.path, answer.status_code, answer.mimetype)
    if kind == "application/octet-stream":
        return answer
    schema = {"$ref": "urn:contract" + content[kind]["schema"]["$ref"]}
    Draft202012Validator(schema, registry=registry).validate(answer.json)
    return answer


@cache
def _contract() -> tuple[dict[str, Any], Any]:
    document = yaml.safe_load(contract.DOCUMENT.read_text("utf-8"))
    return document, Registry().with_resource("urn:contract", DRAFT202012.create_resource(document))


def change(kind: str, thing_id: Any = None, payload: Any = None, **fields: Any) -> dict[str, Any]:
    """One change as a phone writes it."""
    made = {"id": str(uuid.uuid4()), "kind": kind, "thing_id": thing_id, "base_version": None, "at": AT}
    return made | {"payload": payload if payload is not None else {}} | fields


def visit(answer: str = "yes", *, scope: str = "yard", stage: str = "during", **fields: Any) -> dict[str, Any]:
    """A filled-in checklist of the six pledges."""
    answers = [
        {"item_id": i.id, "answer": "na" if excluded(i, scope, stage, True) else answer, "note": ""}
        for i in SIX_PLEDGES
    ]
    made = {
        "inspection_id": str(uuid.uuid4()), "checklist_code": "six_pledges", "checklist_revision": 1, "scope": scope,
        "stage": stage, "started_at": AT, "finished_at": AT, "note": "", "position": None, "answers": answers,
        "photos": [],
    }  # fmt: skip
    return made | fields


def submitting(payload: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return change("inspection.submit", payload["inspection_id"], payload, **fields)


def sha256_of(sent: dict[str, Any]) -> str:
    return canonical.sha256({key: sent[key] for key in ("kind", "thing_id", "base_version", "at", "payload")})


def picture(width: int = 64, height: int = 48, kind: str = "JPEG", colour: str = "red") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(file, kind)
    return file.getvalue()

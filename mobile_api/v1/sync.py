"""Sync: what phones did without signal comes in (`applying`); what changed at the desk goes out, by cursor, with tombstones."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, g
from pydantic import Field

from gis.inspections import canonical, queries
from gis.inspections.sync_rules import RetryHint
from gis.people.rules import Role
from mobile_api.v1.applying import Speaking, batch
from mobile_api.v1.auth import db, needs, now, phone, rights_of, seen
from mobile_api.v1.changes import SyncIn
from mobile_api.v1.dispatch import OrderOut, order_list
from mobile_api.v1.inspections import SiteOut
from mobile_api.v1.wire import Sha256, Text, Wire, json_body

api = APIBlueprint("phone_sync", __name__, tag="sync")


class Receipt(Wire):
    """The sha256 of everything that is kept of a change: a phone deletes its copy only on this."""

    change_sha256: Sha256
    parts: list[Sha256]


class Thing(Wire):
    """What the change was about, as it stands."""

    id: str
    version: int
    status: str


class Result(Wire):
    """The verdict on one change. Without a receipt it has no final answer yet, and `retry` says whether to send it again as
    it is; `hint` says when: now, after `after_s` seconds, after its person changed it, never. `merged` names what others
    changed of the same thing meanwhile; both hold. `parts` of the receipt are the photos that have arrived; the others are
    awaited, and follow the form."""

    id: str | None
    verdict: Literal["applied", "duplicate", "conflict", "refused"]
    code: str | None = None
    detail: str | None = None
    retry: bool
    hint: RetryHint | None = None
    after_s: int | None = None
    merged: list[str] | None = None
    receipt: Receipt | None = None
    thing: Thing | None = None


class SyncOut(Wire):
    """One result per change, in the order sent. `cursor` is where to read from on a phone that has no cursor of its own."""

    results: list[Result]
    cursor: str


class AfterIn(Wire):
    """The cursor of the last answer; without it everything is told."""

    after: Text(40) = "0.0"  # type: ignore[valid-type]


class Gone(Wire):
    """A tombstone: this is not for this phone any more (reassigned, out of its area, closed, deleted)."""

    thing: Literal["order", "site"]
    id: int


class ChangedOut(Wire):
    """What changed after the cursor, as it stands now: a recalled or returned order, and all that is `gone`, is to be put
    away. `rights` changes when the person may see something else than before: then everything is to be fetched anew."""

    orders: list[OrderOut]
    sites: list[SiteOut]
    gone: list[Gone]
    rights: str
    cursor: str
    more: bool = Field(description="ask again at once with this cursor")


@api.post("/sync")
@needs("use_phone")
@json_body
@api.input(SyncIn)
@api.output(SyncOut)
def push(json_data: SyncIn) -> Response:
    """Take in changes. Each has its own transaction, so that one that cannot be applied never blocks the rest."""
    seen(json_data.queue_length)
    g.seen = True
    results = batch(Speaking(db(), phone(), now()), json_data.changes)
    return Response(canonical.dumps({"cursor": "0.0", "results": results}), mimetype="application/json")


@api.get("/sync")
@needs("use_phone")
@api.input(AfterIn, location="query")
@api.output(ChangedOut)
def pull(query_data: AfterIn) -> dict[str, Any]:
    """What changed after a cursor, and what is gone."""
    changed, scope = queries.changed_after(db(), query_data.after), phone().scope
    rows = queries.orders_by_id(db(), scope, changed.orders) if changed.orders else []
    inspector = phone().role == Role.INSPECTOR
    sites = [dict(row) for row in queries.sites(db(), scope, changed.sites)] if changed.sites and inspector else []
    lost = sorted(set(changed.orders) - {row["id"] for row in rows})
    gone = [{"thing": "order", "id": number} for number in queries.were_carried(db(), scope, lost)]
    if inspector:
        gone += [{"thing": "site", "id": n} for n in sorted(set(changed.sites) - {site["id"] for site in sites})]
    return {
        "orders": order_list(rows), "sites": sites, "gone": gone, "rights": rights_of(phone()),
        "cursor": changed.cursor, "more": changed.more,
    }  # fmt: skip

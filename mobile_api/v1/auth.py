"""Who speaks: a phone with a token. Every route is wrapped by `needs` or `public`, as on the desk; a test walks them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from apiflask import HTTPError
from flask import current_app, g, request
from sqlalchemy.orm import Session

from gis.errors import BadInput, NotAllowed
from gis.inspections.changes import mark_seen
from gis.journal import Who
from gis.people import queries
from gis.people.actions import digest
from gis.people.rules import DemoAccount, DeviceRevoked, Role, Scope, may

View = Callable[..., Any]
SEEN_EVERY = timedelta(minutes=1)
TOKEN_MAX = 200
LOOPBACK = ("127.0.0.1", "::1")

LANGUAGES = ("zh", "en")


class BadFields(BadInput):
    """These fields are not as they should be: %(fields)s"""

    code = "bad_fields"


@dataclass(frozen=True)
class Phone:
    """The device and its person, as plain values: safe after a rollback."""

    device_id: int
    user_id: int
    name: str
    full_name: str
    role: str
    crew_id: int | None
    area_id: int | None
    unit_id: int | None
    body_id: int | None  # the unit of the person, or of the crew
    queue_length: int | None
    last_seen_at: datetime | None

    @property
    def scope(self) -> Scope:
        """Crews see their own crew's orders; inspectors the orders and sites of their area and unit."""
        if self.role == Role.CREW:
            return Scope(crew_id=self.crew_id if self.crew_id is not None else -1)
        return Scope(area_id=self.area_id, unit_id=self.unit_id)


def db() -> Session:
    """The request's one session: the application closes it when the request ends."""
    if "session" not in g:
        g.session = current_app.extensions["sessions"]()
    session: Session = g.session
    return session


def now() -> datetime:
    clock: Callable[[], datetime] = current_app.config["CLOCK"]
    return clock()


def zone() -> ZoneInfo:
    """The city's clock, by which deadlines are reckoned."""
    return ZoneInfo(current_app.config["SETTINGS"].timezone)


def phone() -> Phone:
    """Who is speaking in this request."""
    speaking: Phone = g.phone
    return speaking


def rights_of(speaking: Phone) -> str:
    """A word that changes whenever a phone may see something else than before."""
    bound = (speaking.user_id, speaking.role, speaking.crew_id, speaking.area_id, speaking.unit_id)
    return hashlib.sha256(repr(bound).encode()).hexdigest()[:16]


def who() -> Who:
    return Who(now(), phone().user_id, phone().device_id)


def needs(right: str, *, revoked_too: bool = False) -> Callable[[View], View]:
    """Only for enrolled phones of people who hold `right`; the view narrows by `phone().scope` itself.

    `revoked_too`: a phone that was signed off may speak here, because nothing is told to it.
    """

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            g.phone = _speaker(revoked_too)
            if not may(g.phone.role, right):
                raise NotAllowed()
            return _finish(view, *args, **kwargs)

        guarded.needs = right  # type: ignore[attr-defined]
        return guarded

    return wrap


def public(view: View) -> View:
    """For a phone that has no token yet."""

    @wraps(view)
    def open_to_all(*args: Any, **kwargs: Any) -> Any:
        return _finish(view, *args, **kwargs)

    open_to_all.needs = "public"  # type: ignore[attr-defined]
    return open_to_all


def _speaker(revoked_too: bool = False) -> Phone:
    """The phone behind the bearer token. The token is looked up by its hash, so no comparison leaks how much was right."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or len(token) > TOKEN_MAX:
        raise DeviceRevoked()
    row = queries.speaker(db(), digest(token))
    if row is None or (not revoked_too and (row["revoked_at"] is not None or not row["active"])):
        raise DeviceRevoked()
    if row["is_demo"] and request.remote_addr not in LOOPBACK:
        raise DemoAccount()
    g.language = request.accept_languages.best_match(LANGUAGES) or row["language"]  # the app has a switch of its own
    return Phone(**{field.name: row[field.name] for field in fields(Phone)})


def seen(queue_length: int | None = None) -> None:
    """Note that the phone spoke, at most once a minute unless its queue has changed."""
    speaking, at = phone(), now()
    length = speaking.queue_length if queue_length is None else queue_length
    fresh = speaking.last_seen_at is not None and speaking.last_seen_at > at - SEEN_EVERY
    if not fresh or length != speaking.queue_length:
        mark_seen(db(), who(), length, at - SEEN_EVERY)


def _finish(view: View, *args: Any, **kwargs: Any) -> Any:
    """Run the view and commit before the answer leaves; what the contract refuses is told by field name."""
    try:
        answer = view(*args, **kwargs)
    except HTTPError as error:
        raise named(error) from error
    if "phone" in g and not g.get("seen"):
        seen()
    session: Session | None = g.get("session")
    if session is not None:
        session.commit()
    return answer


def named(error: HTTPError) -> BadFields:
    """APIFlask's report of fields as our error: `changes.0.kind: …`."""
    found = [f"{place}: {why[0]}" for told in dict(error.detail).values() for place, why in dict(told).items()]
    return BadFields(fields="; ".join(found[:5])[:500] or error.message)

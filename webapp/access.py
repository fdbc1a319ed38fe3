"""Who may call a route, and the request's unit of work. Every route is wrapped by `needs` or `public`; a test walks them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from flask import current_app, g, request
from flask_login import current_user
from sqlalchemy.orm import Session

from gis.errors import NotAllowed, NotSignedIn
from gis.journal import Who
from gis.people.model import User
from gis.people.rules import Scope, may

View = Callable[..., Any]


class Person:
    """The signed-in person as Flask-Login wants it: a copy of the row's plain values, safe after a rollback."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, user: User) -> None:
        for key in ("id", "name", "full_name", "role", "unit_id", "area_id", "crew_id", "language", "is_demo"):
            setattr(self, key, getattr(user, key))

    def get_id(self) -> str:
        return str(self.id)  # type: ignore[attr-defined]


def db() -> Session:
    """The request's one session. `needs` and `public` commit it after the view; any error rolls it back."""
    if "session" not in g:
        g.session = current_app.extensions["sessions"]()
    session: Session = g.session
    return session


def now() -> datetime:
    """The clock of the doors. The core gets it as an argument."""
    clock: Callable[[], datetime] = current_app.config["CLOCK"]
    return clock()


def who() -> Who:
    """Who acts in this request."""
    return Who(now(), current_user.id if current_user.is_authenticated else None)


def scope() -> Scope:
    """What the signed-in person can see."""
    user: User = current_user
    return Scope(area_id=user.area_id, unit_id=user.unit_id if user.role == "unit_handler" else None)


def can(right: str) -> bool:
    """Does the signed-in person hold this right? For templates: a button is shown when its route would answer."""
    return bool(current_user.is_authenticated) and may(current_user.role, right)


def needs(right: str) -> Callable[[View], View]:
    """Only for roles that hold `right`; the view narrows by `scope()` itself."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated:
                raise NotSignedIn()
            if not may(current_user.role, right):
                raise NotAllowed()
            return _finish(view(*args, **kwargs))

        guarded.needs = right  # type: ignore[attr-defined]
        return guarded

    return wrap


def larger(most: Callable[[], int]) -> Callable[[View], View]:
    """A page whose form may be larger than any other body: up to `most()` bytes. Written above the others, next to the route."""

    def mark(view: View) -> View:
        view.most_bytes = most  # type: ignore[attr-defined]
        return view

    return mark


def measure() -> None:
    """Before each request, and before anybody reads its form: how large this page's body may be."""
    most = getattr(current_app.view_functions.get(request.endpoint or ""), "most_bytes", None)
    if most is not None:
        request.max_content_length = most()


def public(view: View) -> View:
    """For anybody: sign-in, health, static pages of the phone app."""

    @wraps(view)
    def open_to_all(*args: Any, **kwargs: Any) -> Any:
        return _finish(view(*args, **kwargs))

    open_to_all.needs = "public"  # type: ignore[attr-defined]
    return open_to_all


def _finish(answer: Any) -> Any:
    """Commit before the answer leaves: nobody is told of something that was not kept."""
    session: Session | None = g.get("session")
    if session is not None:
        session.commit()
    return answer


def wants_json() -> bool:
    return (
        request.path.endswith((".json", ".mvt"))
        or request.path.startswith("/telemetry/")
        or request.accept_mimetypes.best in ("application/json", "text/event-stream")
        or request.is_json
    )

"""Keys of bodies: `key_needs` beside `needs` and `public`, and the administrator's page on which keys are made and revoked."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import wraps
from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from gis.errors import BadInput, ChengmaiError, NotAllowed, NotSignedIn
from gis.journal import Who
from gis.people import keys, queries
from gis.people.rules import KEY_PER_MINUTE, KEY_RIGHTS, KeyRefused, Scope, TooManyCalls, may
from gis.places.queries import areas
from gis.places.rules import AreaLevel
from webapp import access
from webapp.access import View, db, needs, now, scope, who
from webapp.filters import today, zone
from webapp.i18n import message

pages = Blueprint("api_keys", __name__)


def given_key() -> str | None:
    """The key of this request: `Authorization: Bearer …`, or Open311's `api_key` in the form or the query string."""
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return request.form.get("api_key") or request.args.get("api_key") or None


def key_needs(right: str, *, or_session: bool = False) -> Any:
    """Only for a key that holds `right`; with `or_session` also for a signed-in person whose role does (never for a POST).

    The view narrows by `caller_scope()` itself. The use of the key is counted and committed before the view runs.
    """

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            secret = given_key()
            if secret is None and or_session:
                _person(right)
            else:
                g.api_key = _use(secret)
                if right not in g.api_key.rights:
                    raise NotAllowed()
            return access._finish(view(*args, **kwargs))

        guarded.needs = right  # type: ignore[attr-defined]
        guarded.by_key = "or_session" if or_session else "only"  # type: ignore[attr-defined]
        return guarded

    return wrap


def _person(right: str) -> None:
    if not current_user.is_authenticated:
        raise NotSignedIn()
    if not may(current_user.role, right):
        raise NotAllowed()


def _use(secret: str | None) -> keys.Caller:
    if secret is None:
        raise KeyRefused()
    caller = keys.use_key(db(), secret, now())
    db().commit()
    return caller


def caller() -> keys.Caller | None:
    """The key that speaks in this request, if it is one."""
    found: keys.Caller | None = g.get("api_key")
    return found


def caller_scope() -> Scope:
    """What may be told in this request: the key's scope, or the signed-in person's."""
    key = caller()
    return key.scope if key is not None else scope()


def caller_may(right: str) -> bool:
    """Does the key, or the signed-in person, hold this right?"""
    key = caller()
    return right in key.rights if key is not None else access.can(right)


def caller_who() -> Who:
    """Who acts: a key is nobody by name; the journal's data says which key it was."""
    return Who(now()) if caller() is not None else who()


@pages.after_app_request
def ask_for_a_key(answer: Response) -> Response:
    """What a program needs to be told beside 401 and 429."""
    if (
        answer.status_code == 401
        and request.endpoint
        and request.endpoint.split(".")[0] in ("open311", "ogc", "telemetry")
    ):
        answer.headers.setdefault("WWW-Authenticate", 'Bearer realm="chengmai"')
    if answer.status_code == 429 and "retry_after_s" in g:
        answer.headers.setdefault("Retry-After", str(g.retry_after_s))
    return answer


def note_wait(error: ChengmaiError) -> None:
    """Remember how long a key that called too often must wait, for `Retry-After`."""
    if isinstance(error, TooManyCalls):
        g.retry_after_s = error.params["seconds"]


# --- the administrator's page ---------------------------------------------------------------------------------------
def _page(made: str | None = None, error: str | None = None) -> str:
    levels = (AreaLevel.DISTRICT, AreaLevel.STREET)
    return render_template(
        "api_keys/index.html", keys=keys.keys(db(), scope()), units=queries.units(db()), rights=KEY_RIGHTS, made=made,
        areas=areas(db(), scope(), levels), per_minute=KEY_PER_MINUTE, error=error, typed=request.form, at=now(),
        tomorrow=today() + timedelta(days=1),
    )  # fmt: skip


@pages.get("/api-keys")
@needs("administer")
def index() -> str:
    """Every key: whose it is, what it opens, when it was last used."""
    return _page()


@pages.post("/api-keys")
@needs("administer")
def make() -> str | tuple[str, int]:
    """Make a key and show it, this once: only its SHA-256 is kept."""
    try:
        with db().begin_nested():
            secret, _key = keys.make_key(
                db(), who(), name=request.form.get("name", ""), unit_id=_number("unit_id") or 0,
                rights=request.form.getlist("rights"), area_id=scope().area_id or _number("area_id"),
                expires_at=_day_end(request.form.get("expires_on", "")),
                per_minute=_number("per_minute") or KEY_PER_MINUTE,
            )  # fmt: skip
    except BadInput as error:
        return _page(error=message(error)), error.status
    return _page(made=secret)


@pages.post("/api-keys/<int:key_id>/revoke")
@needs("administer")
def revoke(key_id: int) -> Response:
    """This key opens nothing any more."""
    key = keys.revoke_key(db(), who(), scope(), min(key_id, 2**63 - 1))
    flash(_("The key %(prefix)s… is revoked.", prefix=key.prefix), "done")
    return redirect(url_for("api_keys.index"), 303)  # type: ignore[return-value]


def _number(field: str) -> int | None:
    value = request.form.get(field, "").strip()
    if value and not (value.isascii() and value.isdigit() and len(value) < 10):
        raise BadInput(reason=field)
    return int(value) if value else None


def _day_end(text: str) -> datetime | None:
    """The last second of a day of the city, or None where none was chosen."""
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(23, 59, 59), tzinfo=zone())
    except ValueError:
        raise BadInput(reason="expires_on") from None

"""Webhooks on the screen: who is told what, what became of it, and what waits in the dead-letter list."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.errors import BadInput
from gis.people import queries as people
from gis.places.queries import areas
from gis.places.rules import AreaLevel
from gis.webhooks import actions, queries
from gis.webhooks.rules import EVENTS, Allowed, DeliveryStatus
from webapp.access import can, db, needs, now, scope, who
from webapp.i18n import message
from webapp.webhook_secrets import new_secret
from webapp.webhook_send import check
from webapp.worklist import adds

pages = Blueprint("webhooks", __name__)


def _checked(url: str) -> str:
    """The address, if a webhook may be sent there."""
    check(url.strip(), Allowed.read(current_app.config["SETTINGS"].webhook_allow))
    return url.strip()


def _number(field: str) -> int | None:
    value = request.form.get(field, "").strip()
    if value and not (value.isascii() and value.isdigit() and len(value) < 10):
        raise BadInput(reason=field)
    return int(value) if value else None


@adds("webhook_dead")
def dead_letters() -> tuple[int, str]:
    """How many deliveries were given up, for whoever can send them again."""
    return queries.dead_count(db(), scope()) if can("administer") else 0, url_for("webhooks.index")


# --- all of them -----------------------------------------------------------------------------------------------------
def _index(error: str | None = None, made: Any = None, secret: str | None = None) -> str:
    levels = (AreaLevel.DISTRICT, AreaLevel.STREET)
    return render_template(
        "webhooks/index.html", hooks=queries.webhooks(db(), scope()), units=people.units(db()), events=EVENTS,
        areas=areas(db(), scope(), levels), error=error, made=made, secret=secret, typed=request.form,
    )  # fmt: skip


@pages.get("/webhooks")
@needs("administer")
def index() -> str:
    """Every webhook: whose it is, what it hears of, how its receiver answers."""
    return _index()


@pages.post("/webhooks")
@needs("administer")
def add() -> str | tuple[str, int]:
    """A new webhook; its secret is shown this once."""
    secret, kept = new_secret(current_app.config["SETTINGS"].data_dir)
    try:
        with db().begin_nested():
            made = actions.add(
                db(), who(), name=request.form.get("name", ""), url=_checked(request.form.get("url", "")),
                events=request.form.getlist("events"), secret=kept, unit_id=_number("unit_id"),
                area_id=scope().area_id or _number("area_id"),
            )  # fmt: skip
    except BadInput as error:
        return _index(error=message(error)), error.status
    return _index(made=made, secret=secret)


# --- one of them -----------------------------------------------------------------------------------------------------
def _show(webhook_id: int, error: str | None = None, secret: str | None = None) -> str:
    hook = queries.webhook(db(), scope(), webhook_id)
    status = request.args.get("status", "")
    status = status if status in set(DeliveryStatus) else ""
    return render_template(
        "webhooks/show.html", hook=hook, health=queries.health(db(), hook.id), events=EVENTS, error=error, secret=secret,
        deliveries=queries.deliveries(db(), hook.id, status), status=status, statuses=list(DeliveryStatus), at=now(),
        dead=queries.deliveries(db(), hook.id, DeliveryStatus.DEAD, 1), watch="watch" in request.args,
    )  # fmt: skip


@pages.get("/webhooks/<int:webhook_id>")
@needs("administer")
def show(webhook_id: int) -> str:
    """One webhook with its log."""
    return _show(webhook_id)


@pages.post("/webhooks/<int:webhook_id>")
@needs("administer")
def change(webhook_id: int) -> str | tuple[str, int] | Response:
    """Another address, other events."""
    hook = queries.webhook(db(), scope(), webhook_id, lock=True)
    try:
        url, events = _checked(request.form.get("url", "")), request.form.getlist("events")
        with db().begin_nested():
            actions.change(db(), who(), hook, url=url, events=events, base_version=_number("base_version"))
    except BadInput as error:
        return _show(webhook_id, error=message(error)), error.status
    flash(_("Saved."), "done")
    return _back(webhook_id)


@pages.post("/webhooks/<int:webhook_id>/secret")
@needs("administer")
def rotate(webhook_id: int) -> str:
    """A new secret, shown this once; the old one signs along for a day."""
    hook = queries.webhook(db(), scope(), webhook_id, lock=True)
    secret, kept = new_secret(current_app.config["SETTINGS"].data_dir)
    actions.rotate(db(), who(), hook, kept)
    return _show(webhook_id, secret=secret)


@pages.post("/webhooks/<int:webhook_id>/active")
@needs("administer")
def pause(webhook_id: int) -> Response:
    """Stop sending, or go on."""
    hook = queries.webhook(db(), scope(), webhook_id, lock=True)
    actions.pause(db(), who(), hook, request.form.get("active") == "1")
    return _back(webhook_id)


@pages.post("/webhooks/<int:webhook_id>/remove")
@needs("administer")
def remove(webhook_id: int) -> Response:
    """Take the webhook away, with its log and its dead letters."""
    hook = queries.webhook(db(), scope(), webhook_id, lock=True)
    actions.remove(db(), who(), hook)
    flash(_("%(name)s is told nothing any more.", name=hook.name), "done")
    return redirect(url_for("webhooks.index"), 303)  # type: ignore[return-value]


@pages.post("/webhooks/<int:webhook_id>/test")
@needs("administer")
def test(webhook_id: int) -> Response:
    """Send an event that means nothing, to see whether it arrives."""
    hook = queries.webhook(db(), scope(), webhook_id, lock=True)
    actions.send_test(db(), who(), hook, secrets.token_hex(8))
    return _back(webhook_id, watch=1)


@pages.post("/webhooks/<int:webhook_id>/resend")
@needs("administer")
def resend(webhook_id: int) -> Response:
    """Try one dead delivery again, or all of them."""
    hook = queries.webhook(db(), scope(), webhook_id, lock=True)
    count = actions.resend(db(), who(), scope(), hook, _number("delivery_id"))
    flash(_("%(count)s will be sent again.", count=count), "done")
    return _back(webhook_id, watch=1)


def _back(webhook_id: int, **given: Any) -> Response:
    return redirect(url_for("webhooks.show", webhook_id=webhook_id, **given), 303)  # type: ignore[return-value]

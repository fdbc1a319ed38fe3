"""Who speaks: a person's device (HTTP Basic: any name, the device's token as the password) or a body's key. Errors as OpenRosa XML."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from functools import wraps
from typing import Any

from flask import Response, g, request
from flask_babel import gettext
from lxml import etree
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException

from gis.db import translate
from gis.errors import ChengmaiError, NotAllowed, Unavailable
from gis.inspections.odk_actions import Sender
from gis.journal import Who
from gis.people import keys, queries
from gis.people.actions import digest
from gis.people.rules import KEY_BEGINS, DemoAccount, DeviceRevoked, Scope, may
from mobile_api.v1.auth import LOOPBACK, TOKEN_MAX, db, now

View = Callable[..., Any]
RESPONSE = "http://openrosa.org/http/response"
ACCEPTED_BYTES = 20 << 20


@dataclass(frozen=True)
class Speaker:
    """Who speaks in this request, as the core wants it."""

    who: Who
    sender: Sender


def speaker() -> Speaker:
    found: Speaker = g.odk_speaker
    return found


def needs(right: str) -> Callable[[View], View]:
    """Only for devices of people, and for keys, that hold `right`."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Response:
            try:
                g.odk_speaker = _speaker(right)
                answer: Response = view(*args, **kwargs)
                db().commit()
            except ChengmaiError as error:
                return _refused(error)
            except IntegrityError as error:
                return _refused(translate(error))
            except OperationalError:
                return _refused(Unavailable())
            except HTTPException as error:
                return dressed(said(str(error.description or error), error.code or 500))
            return dressed(answer)

        guarded.needs = right  # type: ignore[attr-defined]
        guarded.by_key = "only"  # type: ignore[attr-defined]
        return guarded

    return wrap


def _secret() -> str:
    given = request.authorization
    if given is None:
        return ""
    secret = given.password if given.type == "basic" else given.token
    return (secret or "").strip()


def _speaker(right: str) -> Speaker:
    secret = _secret()
    if not secret or len(secret) > TOKEN_MAX:
        raise DeviceRevoked()
    if secret.startswith(KEY_BEGINS):
        return _key(secret, right)
    row = queries.speaker(db(), digest(secret))
    if row is None or row["revoked_at"] is not None or not row["active"]:
        raise DeviceRevoked()
    if row["is_demo"] and request.remote_addr not in LOOPBACK:
        raise DemoAccount()
    if not may(row["role"], right):
        raise NotAllowed()
    g.language = row["language"]
    crew = row["role"] == "crew"
    scope = Scope(crew_id=row["crew_id"] or -1) if crew else Scope(area_id=row["area_id"], unit_id=row["unit_id"])
    sender = Sender(scope, row["area_id"], row["body_id"])
    return Speaker(Who(now(), row["user_id"], row["device_id"]), sender)


def _key(secret: str, right: str) -> Speaker:
    caller = keys.use_key(db(), secret, now())
    db().commit()
    if right not in caller.rights:
        raise NotAllowed()
    return Speaker(Who(now()), Sender(caller.scope, caller.scope.area_id, caller.unit_id, caller.key_id))


def _refused(error: ChengmaiError) -> Response:
    db().rollback()
    sentence = str(
        gettext(error.template()) % {k: gettext(v) if isinstance(v, str) and v else v for k, v in error.params.items()}
    )
    answer = said(sentence, error.status)
    answer.headers["X-Chengmai-Code"] = error.code
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="chengmai", charset="UTF-8"'
    if error.status == 429:
        answer.headers["Retry-After"] = str(error.params.get("seconds", 60))
    return dressed(answer)


def said(sentence: str, status: int) -> Response:
    """An OpenRosaResponse: what a client shows to its person."""
    root = etree.Element(f"{{{RESPONSE}}}OpenRosaResponse", nsmap={None: RESPONSE})
    etree.SubElement(root, f"{{{RESPONSE}}}message").text = sentence
    return Response(
        etree.tostring(root, xml_declaration=True, encoding="UTF-8"), status, content_type="text/xml; charset=utf-8"
    )


def dressed(answer: Response) -> Response:
    """What the protocol wants on every answer."""
    answer.headers["X-OpenRosa-Version"] = "1.0"
    answer.headers["X-OpenRosa-Accept-Content-Length"] = str(ACCEPTED_BYTES)
    answer.headers.setdefault("Date", format_datetime(now(), usegmt=True))
    return answer

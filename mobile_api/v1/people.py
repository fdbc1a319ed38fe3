"""Enrolling a phone, and who it speaks for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import request

from gis.dispatch.model import Crew
from gis.dispatch.track_queries import on_duty
from gis.journal import Who
from gis.people import actions
from gis.people.model import User
from gis.people.rules import DemoAccount, Role
from mobile_api.v1.auth import LOOPBACK, db, needs, now, phone, public
from mobile_api.v1.wire import Text, Wire, json_body

api = APIBlueprint("phone_people", __name__, tag="people")


class EnrolIn(Wire):
    """A one-use code shown at the desk, and what the phone calls itself."""

    code: Text(100, 1)  # type: ignore[valid-type]
    device_name: Text(120) = ""  # type: ignore[valid-type]


class PersonOut(Wire):
    """The person whom the phone speaks for."""

    id: int
    name: str
    full_name: str
    role: Role
    crew_id: int | None


class EnrolOut(Wire):
    """The token is shown once; the server keeps only its hash."""

    token: str
    user: PersonOut
    device_id: int


class CrewOut(Wire):
    """The crew whose orders the person carries out."""

    id: int
    name: str


class MeOut(Wire):
    """Who I am, and whether my crew is on shift. `server_at` tells the phone how wrong its clock is."""

    user: PersonOut
    device_id: int
    crew: CrewOut | None
    on_shift: bool
    server_at: datetime


@api.post("/enrol")
@public
@json_body
@api.input(EnrolIn)
@api.output(EnrolOut, status_code=201)
def enrol(json_data: EnrolIn) -> dict[str, Any]:
    """Exchange a one-use code for a device token."""
    token, device = actions.enrol(db(), Who(now()), json_data.code, json_data.device_name)
    user = db().get(User, device.user_id)
    assert user is not None
    if user.is_demo and request.remote_addr not in LOOPBACK:
        raise DemoAccount()
    person = {"id": user.id, "name": user.name, "full_name": user.full_name, "role": user.role, "crew_id": user.crew_id}
    return {"token": token, "user": person, "device_id": device.id}


@api.get("/me")
@needs("use_phone")
@api.output(MeOut)
def me() -> dict[str, Any]:
    """Whom this phone speaks for, and what time it is."""
    speaking = phone()
    crew = db().get(Crew, speaking.crew_id) if speaking.crew_id is not None else None
    person = {"id": speaking.user_id, "name": speaking.name, "full_name": speaking.full_name, "role": speaking.role,
              "crew_id": speaking.crew_id}  # fmt: skip
    return {
        "user": person, "device_id": speaking.device_id, "crew": crew and {"id": crew.id, "name": crew.name},
        "on_shift": crew is not None and on_duty(db(), crew.id, now()),
        "server_at": now(),
    }  # fmt: skip

"""Version 1 of the phone's contract: `openapi.yaml` beside this file and the routes are the same set."""

from __future__ import annotations

from apiflask import APIBlueprint, APIFlask
from flask import Response, request

PREFIX = "/api/v1"
ROOMS: tuple[str, ...] = (
    "people", "dispatch", "inspections", "visits", "patrols", "findings", "spots", "uploads", "sync", "positions", "ground", "quarantine",
)  # fmt: skip


def blueprints() -> list[APIBlueprint]:
    """One blueprint per room; a room is a module with `api`."""
    import importlib

    return [importlib.import_module(f"mobile_api.v1.{room}").api for room in ROOMS]


def mount(app: APIFlask) -> None:
    """Put the whole contract under /api/v1."""
    for blueprint in blueprints():
        app.register_blueprint(blueprint, url_prefix=PREFIX)
    from mobile_api.v1.applying import release

    app.extensions["release_change"] = release  # for the desk, which does not know this door

    @app.after_request
    def challenge(answer: Response) -> Response:
        if answer.status_code == 401 and request.path.startswith(PREFIX):
            answer.headers.setdefault("WWW-Authenticate", "Bearer")
        return answer

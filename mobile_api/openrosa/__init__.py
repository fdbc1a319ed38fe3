"""OpenRosa 1.0 for ODK clients (ODK Collect, Enketo and others): formList, the form itself, its manifest and files, submission.

source: https://docs.getodk.org/openrosa. Every form that phones have can be fetched and sent in by such a client.
"""

from __future__ import annotations

from flask import Blueprint, Flask

PREFIX = "/api/openrosa"


def blueprint() -> Blueprint:
    """The routes."""
    from mobile_api.openrosa.routes import api

    return api


def mount(app: Flask) -> None:
    """Put the server under /api/openrosa: this is the address that a client is given."""
    app.register_blueprint(blueprint(), url_prefix=PREFIX)

"""The server process: granian with workers. `python -m webapp.server` serves until SIGTERM, then drains.

Several workers, each with its own threads, reader of the journal, tile index and road network in memory. On SIGTERM
granian stops accepting, live screens are asked to come again, running requests finish, and it exits.

The application is imported by the workers alone: the process that watches them never needs it.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from gis.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

    from webapp.gateway import Gateway

DRAIN_S = 20
OPEN = 4096  # requests and live screens that a worker holds at once


def application() -> Gateway:
    """What a worker serves. Tile index and road networks are loaded and compiled beside the first requests, not by one."""
    from webapp.app import create_app
    from webapp.gateway import Gateway
    from webapp.live_hub import Hub

    app = create_app()
    threading.Thread(target=_warm, args=(app,), name="warm", daemon=True).start()
    return Gateway(app, Hub(app.extensions["sessions"]), app.config["SETTINGS"].threads)


def _warm(app: Flask) -> None:
    import structlog
    from sqlalchemy.exc import SQLAlchemyError

    from gis.places import networks

    try:
        app.extensions["tiles"].warm()
        with app.extensions["sessions"]() as session:
            networks.warm(session)
    except SQLAlchemyError as error:  # the database is not there yet: the first tile loads the index
        structlog.get_logger().warning("tile index or road network not loaded", reason=type(error).__name__)


def serve(settings: Settings) -> None:
    """Serve on the settings' host and port; the database URL comes from `CHENGMAI_DATABASE_URL`."""
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    server = Granian(
        "webapp.server:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.RSGI,
        loop=Loops.asyncio,
        workers=settings.workers,
        backpressure=OPEN,
        factory=True,
        backlog=1024,
        workers_kill_timeout=DRAIN_S,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        websockets=False,
    )
    server.serve()


if __name__ == "__main__":
    serve(Settings())

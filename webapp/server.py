"""The server process: granian with WSGI workers. `python -m webapp.server` serves until SIGTERM, then drains.

Several workers, each with its own threads, tile index and road network in memory. On SIGTERM granian stops accepting,
lets running requests finish, and exits.
"""

from __future__ import annotations

import os

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from gis.settings import Settings

DRAIN_S = 20


def serve(settings: Settings) -> None:
    """Serve on the settings' host and port; the database URL comes from `CHENGMAI_DATABASE_URL`."""
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    server = Granian(
        "webapp.app:create_app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
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

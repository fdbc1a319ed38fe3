"""The worker's part in topologies: built whole in one transaction, and told how far it is in others."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from gis.db import unit_of_work
from gis.errors import ChengmaiError
from gis.journal import Who
from gis.network import topology_actions
from gis.network.rules import BuildState
from gis.network.topology_model import TopologyBuild
from webapp.worker import task

TELL_EVERY_S = 0.5


@task(topology_actions.TASK, tries=2, sessions=True)
def build_topology(sessions: sessionmaker[Session], who: Who, payload: dict[str, Any]) -> None:
    """Build what was asked for. One that is finished already is left alone."""
    make(sessions, who, int(payload["build_id"]))


def make(sessions: sessionmaker[Session], who: Who, build_id: int) -> None:
    """Build and store; what goes wrong is told on the building itself, and the topology before it stays."""
    with unit_of_work(sessions) as session:
        made = session.get(TopologyBuild, build_id, with_for_update=True)
        if made is None or made.state not in (BuildState.WAITING, BuildState.RUNNING):
            return
        made.state = BuildState.RUNNING
    try:
        with unit_of_work(sessions) as session:
            made = session.get_one(TopologyBuild, build_id)
            topology_actions.run(session, who, made, _telling(sessions, build_id))
    except Exception as error:
        code = error.code if isinstance(error, ChengmaiError) else "broken"
        with unit_of_work(sessions) as session:
            topology_actions.fail(session, who, session.get_one(TopologyBuild, build_id), code)
        if not isinstance(error, ChengmaiError):
            raise


def _telling(sessions: sessionmaker[Session], build_id: int) -> Callable[[float], None]:
    """Write how far it is, twice a second at most."""
    last = [time.monotonic()]

    def tell(part: float) -> None:
        if time.monotonic() - last[0] >= TELL_EVERY_S:
            last[0] = time.monotonic()
            with unit_of_work(sessions) as session:
                topology_actions.tell(session, build_id, part)

    return tell

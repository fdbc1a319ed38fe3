"""Coverage is computed in the background, a hundred cameras a transaction, so that the page can tell how far it is."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from gis.coverage import actions
from gis.coverage import ground_queries as ground
from gis.db import unit_of_work
from gis.journal import Who
from webapp.worker import task

PIECE = 100


@task(actions.TASK, sessions=True, tries=2)
def compute(sessions: sessionmaker[Session], who: Who, payload: dict[str, Any]) -> None:
    """View fields first, then the roads. Run again after a worker died it begins anew and comes to the same."""
    run_id = int(payload["run_id"])
    with unit_of_work(sessions) as session:
        if actions.begin_run(session, run_id) is None:
            return
        near_lon = ground.middle_lon(session)
    try:
        after, more = 0, near_lon is not None
        while more and near_lon is not None:
            with unit_of_work(sessions) as session:
                seers = ground.cameras(session, after, PIECE)
                if seers:
                    actions.keep_views(session, run_id, seers, near_lon)
                    after = seers[-1].id
                more = len(seers) == PIECE
        with unit_of_work(sessions) as session:
            actions.finish_run(session, who, run_id, near_lon)
    except Exception:
        with unit_of_work(sessions) as session:
            actions.fail_run(session, who, run_id)
        raise

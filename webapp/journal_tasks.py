"""The worker's part in keeping the journal: seal it every two seconds, sign its head every midnight, check it every night."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from gis.audit import actions, queries
from gis.audit.check import check
from gis.db import unit_of_work
from gis.journal import Who
from webapp.journal_keys import known_keys, signing_key
from webapp.worker import follow, periodic, settings


@follow("seal_journal", every_s=2)
def seal_journal(session: Session, who: Who) -> bool:
    """Seal what can be sealed, one block a transaction."""
    return actions.seal(session, who).more


@periodic("5 0 * * *", "sign_journal")
def sign_journal(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """Sign the newest seal of the day before, unless nothing was sealed since the last head."""
    while actions.seal(session, who).more:
        pass
    last, head = queries.last_seal(session), queries.last_head(session)
    if last is not None and (head is None or head.n != last.n):
        actions.sign(session, who, signing_key(settings().data_dir))


@periodic("40 3 * * *", "check_journal", sessions=True)
def check_journal(sessions: sessionmaker[Session], who: Who, payload: dict[str, Any]) -> None:
    """Check the whole journal in one snapshot and write down what was found; also when somebody asks on the page."""
    began, more = time.monotonic(), True
    while more:  # what can be sealed is checked too
        with unit_of_work(sessions) as session:
            more = actions.seal(session, who).more
    with sessions() as session:
        session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        finding = check(session, known_keys(settings().data_dir))
    with unit_of_work(sessions) as session:
        asked = Who(who.now, payload.get("user_id"))
        actions.keep_check(session, asked, finding, round(time.monotonic() - began, 3))

"""The worker's part in keeping the journal: seal it every two seconds, sign its head every midnight."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from gis.audit import actions, queries
from gis.journal import Who
from webapp.journal_keys import signing_key
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

"""Seal everything, waiting until other transactions on the same server let the last rows be final."""

import time

from gis.audit import actions, queries
from gis.journal import Who
from tests.conftest import NOW


def seal_all(sessions, limit=5000):
    """How many rows were sealed. The horizon is the whole server's: a test beside this one may hold it for a while."""
    sealed, deadline = 0, time.monotonic() + 60
    while True:
        with sessions() as session:
            rows = queries.unsealed(session)["rows"]
            if not rows:
                return sealed
            if rows >= limit or _final(session) >= rows:
                sealed += actions.seal(session, Who(NOW), limit=limit).rows
                session.commit()
        assert time.monotonic() < deadline
        time.sleep(0.05 if rows < limit else 0)


def _final(session):
    last = queries.last_seal(session)
    txid, seq = (str(last.until_txid), last.until_seq) if last else ("0", 0)
    return len(queries.rows_to_seal(session, txid, seq, 5000))

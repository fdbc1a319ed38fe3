"""The invariants of what phones sent: each question's right answer is no rows. Part of `chengmai verify`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gis.audit.check import check
from gis.dispatch.rules import MOVABLE, ORDER_STEPS, OrderStatus
from gis.inspections import amend, canonical
from gis.inspections.model import Change, ChangeVariant
from gis.inspections.partials import KEPT_DAYS
from webapp.files import YOUNG_S, orphans
from webapp.journal_keys import known_keys

_UNSTORABLE = "\ufffd"  # stands for U+0000, which the database cannot hold: such a content cannot be hashed again
# What the steps allow, what the desk does to an order whose complaint is cancelled, and what leaves an order's status alone.
_LEGAL = {(verb, str(before), str(after)) for verb, (befores, after) in ORDER_STEPS.items() for before in befores} | {
    ("recall", str(before), str(OrderStatus.RECALLED))
    for before in (OrderStatus.ASSIGNED, OrderStatus.ACCEPTED, OrderStatus.ARRIVED)
}
_STILL: dict[str, frozenset[OrderStatus]] = {
    "reschedule": MOVABLE,
    "lock": MOVABLE | {OrderStatus.ARRIVED},
    "unlock": MOVABLE | {OrderStatus.ARRIVED},
    "lapse": frozenset({OrderStatus.ASSIGNED}),
}
_LEGAL |= {(verb, str(status), str(status)) for verb, statuses in _STILL.items() for status in statuses}

INVARIANTS: dict[str, str] = {
    "an order's history has no gap": """
        SELECT thing_id FROM (SELECT thing_id, data ->> 'before' AS before,
               lag(data ->> 'after') OVER (PARTITION BY thing_id ORDER BY version, seq) AS was
          FROM journal WHERE thing = 'work_order' AND data ? 'after') steps WHERE was IS NOT NULL AND was <> before""",
    "a photo that is here is awaited by nobody": """
        SELECT DISTINCT a.sha256 FROM awaited_photo a JOIN photo p USING (sha256)""",
    "a change that was answered waits no more": """
        SELECT h.id::text FROM held_change h JOIN change c USING (id, sha256)""",
    "a visit that was sent once is kept once": """
        SELECT body #>> '{payload,inspection_id}' FROM change WHERE kind = 'inspection.submit' AND verdict = 'applied'
         GROUP BY 1 HAVING count(*) > 1""",
    "a correction that was applied is there": """
        SELECT c.id::text FROM change c LEFT JOIN amendment m ON m.id = c.id WHERE c.kind = 'inspection.amend'
           AND (c.verdict = 'applied' OR c.reply ->> 'code' = 'fields_differ') AND m.id IS NULL""",
}  # fmt: skip


def broken(
    session: Session, files_dir: Path, *, acknowledged: Mapping[str, str] | None = None, young_s: float = YOUNG_S
) -> dict[str, list[str]]:
    """Invariant -> what breaks it. `acknowledged` is what phones were told is kept: id -> sha256 of the change."""
    found = {name: [str(row[0]) for row in session.execute(text(sql))] for name, sql in INVARIANTS.items()}
    asked: dict[str, Callable[[], list[str]]] = {
        "a change is as it was acknowledged": lambda: list(_not_as_hashed(session)),
        "every acknowledged change is kept": lambda: _lost(session, acknowledged or {}),
        "an order takes only legal steps": lambda: _illegal(session),
        "a visit is what its corrections say": lambda: amend.differing(session),
        "a photo file has its row": lambda: [path.name for path in orphans(session, files_dir, young_s=young_s)],
        "what comes in pieces is not kept for ever": lambda: _stale(files_dir),
        "the journal's chain is whole": lambda: [
            str(one.as_dict()) for one in check(session, known_keys(files_dir.parent)).broken
        ],
    }
    return found | {name: question() for name, question in asked.items()}


def _not_as_hashed(session: Session) -> Iterator[str]:
    for model, key in ((Change, Change.id), (ChangeVariant, ChangeVariant.change_id)):
        rows = session.execute(select(key, model.sha256, model.body).execution_options(yield_per=500))
        for change_id, sha256, body in rows:
            said = canonical.dumps(body)
            if _UNSTORABLE not in said and canonical.sha256(body) != sha256:
                yield str(change_id)


def _lost(session: Session, acknowledged: Mapping[str, str]) -> list[str]:
    """Acknowledged, but not kept (as a change or beside one) with that content."""
    lost, ids = [], list(acknowledged)
    for start in range(0, len(ids), 1000):
        asked = [UUID(one) for one in ids[start : start + 1000]]
        kept = {
            (str(i), sha) for i, sha in session.execute(select(Change.id, Change.sha256).where(Change.id.in_(asked)))
        }
        beside = select(ChangeVariant.change_id, ChangeVariant.sha256).where(ChangeVariant.change_id.in_(asked))
        kept |= {(str(i), sha) for i, sha in session.execute(beside)}
        lost += [one for one in ids[start : start + 1000] if (one, acknowledged[one]) not in kept]
    return lost


def _illegal(session: Session) -> list[str]:
    steps = text(
        """SELECT DISTINCT ON (verb, data ->> 'before', data ->> 'after') verb, data ->> 'before' AS before,
                  data ->> 'after' AS after, thing_id
             FROM journal WHERE thing = 'work_order' AND data ->> 'before' IS NOT NULL"""
    )
    return [row.thing_id for row in session.execute(steps) if (row.verb, row.before, row.after) not in _LEGAL]


def _stale(files_dir: Path) -> list[str]:
    before = time.time() - (KEPT_DAYS + 1) * 86400
    return [path.name for path in sorted((files_dir / "incoming").glob("*")) if path.stat().st_mtime < before]

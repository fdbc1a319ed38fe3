"""The invariants of the house, each one question whose right answer is no rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from gis.hotspots import sheet_queries
from gis.inspections.model import Photo
from gis.oversight import rollup_queries
from gis.portal.model import ComplaintPhoto
from webapp import verify_sync
from webapp.files import YOUNG_S

# Name -> SQL that returns the ids (as text) of what breaks it.
INVARIANTS: dict[str, str] = {
    "a crew is never booked twice": """
        SELECT a.order_no FROM work_order a JOIN work_order b ON a.crew_id = b.crew_id AND a.id < b.id
         AND a.during && b.during WHERE a.status IN ('assigned','accepted','arrived')
         AND b.status IN ('assigned','accepted','arrived')""",
    "a complaint has at most one order under way": """
        SELECT complaint_id::text FROM work_order WHERE status IN ('assigned','accepted','arrived')
         GROUP BY complaint_id HAVING count(*) > 1""",
    "complaint and order tell the same status": """
        SELECT o.order_no FROM work_order o JOIN complaint c ON c.id = o.complaint_id
         WHERE o.status IN ('assigned','accepted','arrived') AND c.status <> o.status""",
    "an assigned complaint has an order under way, or follows the lead of its incident": """
        SELECT c.hotline_no FROM complaint c WHERE c.status IN ('assigned','accepted','arrived') AND NOT EXISTS
         (SELECT 1 FROM incident i WHERE i.id = c.incident_id AND i.lead_id <> c.id) AND NOT EXISTS
         (SELECT 1 FROM work_order o WHERE o.complaint_id = c.id AND o.status = c.status)
         AND c.batch_id IS NULL""",
    "located means a point on earth": """
        SELECT hotline_no FROM complaint WHERE (located = 'located') <> (geom IS NOT NULL)
         OR NOT (ST_X(geom) BETWEEN -180 AND 180 AND ST_Y(geom) BETWEEN -90 AND 90)""",
    "a complaint that left the open statuses is closed, an open one is not": """
        SELECT hotline_no FROM complaint
         WHERE (status IN ('answered','confirmed','merged','cancelled')) <> (closed_at IS NOT NULL)""",
    "a complaint's moments are in order": """
        SELECT hotline_no FROM complaint WHERE sent_at < received_at OR signed_at < sent_at
         OR (batch_id IS NULL AND (answered_at < resolved_at OR confirmed_at < answered_at))""",
    "an open return, and only that, makes a complaint wait for an arbiter": """
        SELECT hotline_no FROM complaint c WHERE (status = 'returned') <> EXISTS
         (SELECT FROM return_request r WHERE r.complaint_id = c.id AND r.verdict = 'waiting')""",
    "a clock that stands still has its pause": """
        SELECT hotline_no FROM complaint c WHERE (paused_at IS NOT NULL) <> EXISTS
         (SELECT FROM pause p WHERE p.complaint_id = c.id AND p.ended_at IS NULL)""",
    "who is merged hangs on one that is not, and the main one counts them": """
        SELECT m.hotline_no FROM complaint m FULL JOIN
         (SELECT merged_into_id, count(*) AS n FROM complaint WHERE merged_into_id IS NOT NULL GROUP BY 1) c
            ON c.merged_into_id = m.id
         WHERE m.repeat_count <> coalesce(c.n, 0) OR (m.merged_into_id IS NOT NULL AND c.n > 0)""",
    "three or more about one matter are under key supervision": """
        SELECT hotline_no FROM complaint WHERE repeat_count >= 2 AND key_since IS NULL""",
    "an incident is led by one of its own, and closed only when all are": """
        SELECT i.no FROM incident i JOIN complaint l ON l.id = i.lead_id WHERE l.incident_id IS DISTINCT FROM i.id
         OR (i.status = 'closed' AND i.closed_at < l.received_at)""",
    "nothing is due before it was received": """
        SELECT hotline_no FROM complaint WHERE resolve_by < received_at AND batch_id IS NULL""",
    "a complaint lies in the areas it names": """
        SELECT c.hotline_no FROM complaint c JOIN area a
            ON a.id IN (c.district_id, c.street_id, c.community_id, c.compound_id)
         WHERE c.geom IS NOT NULL AND NOT ST_Covers(a.geom, c.geom)""",
    "every complaint and order that was not imported is in the journal": """
        SELECT c.hotline_no FROM complaint c WHERE c.batch_id IS NULL AND NOT c.synthetic AND NOT EXISTS
         (SELECT 1 FROM journal j WHERE j.thing = 'complaint' AND j.thing_id = c.id::text)""",
    "the journal never runs ahead of the thing": """
        SELECT c.hotline_no FROM complaint c JOIN (SELECT thing_id, max(version) AS version FROM journal
         WHERE thing = 'complaint' GROUP BY thing_id) j ON j.thing_id = c.id::text WHERE j.version > c.version""",
    "an order's times are in order": """
        SELECT order_no FROM work_order WHERE accepted_at < assigned_at OR arrived_at < accepted_at
         OR resolved_at < arrived_at""",
    "an inspection's photos are kept": """
        SELECT DISTINCT i.inspection_id::text FROM inspection_photo i LEFT JOIN photo p USING (sha256)
         WHERE p.sha256 IS NULL""",
    "a checklist that was applied has its inspection": """
        SELECT c.id::text FROM change c WHERE c.kind = 'inspection.submit' AND c.verdict = 'applied' AND NOT EXISTS
         (SELECT 1 FROM inspection i WHERE i.id::text = c.body #>> '{payload,inspection_id}')""",
    "the notices of a body are numbered without gaps in every year": """
        SELECT issuer_id || '/' || year FROM supervision_notice n JOIN notice_counter c USING (issuer_id, year)
         GROUP BY issuer_id, year, c.last HAVING count(*) <> c.last OR min(number) <> 1 OR max(number) <> c.last""",
    "a notice that has not ended holds its complaints, one that has ended does not": """
        SELECT n.notice_no FROM supervision_notice n JOIN notice_complaint k ON k.notice_id = n.id
         WHERE k.is_open <> (n.ended_at IS NULL)""",
    "every version of a promise has its line of history": """
        SELECT p.id::text FROM promise p WHERE p.version <>
         (SELECT count(*) FROM promise_change h WHERE h.promise_id = p.id AND h.version <= p.version)""",
    "a visit that is done has the bureau's own inspection of its site": """
        SELECT v.id::text FROM site_visit v JOIN inspection i ON i.id = v.inspection_id
         WHERE i.site_id IS DISTINCT FROM v.site_id OR i.is_self""",
    "a round's probabilities add up to the number that was drawn": """
        SELECT round_id::text FROM round_site GROUP BY round_id
        HAVING abs(sum(probability) - count(*) FILTER (WHERE drawn)) > 0.001""",
}  # fmt: skip
EXAMPLES = 5


def broken_invariants(
    session: Session, files_dir: Path, *, acknowledged: Mapping[str, str] | None = None, young_s: float = YOUNG_S
) -> list[dict[str, Any]]:
    """`[{"invariant", "count", "examples"}]`, empty when everything holds. Photo files are read and hashed.

    `acknowledged` is what phones were told is kept; files younger than `young_s` may still get their row.
    """
    found = []
    for name, sql in INVARIANTS.items():
        ids = [str(row[0]) for row in session.execute(text(sql))]
        if ids:
            found.append({"invariant": name, "count": len(ids), "examples": ids[:EXAMPLES]})
    for name, differing in (
        ("the rollups equal the complaints", rollup_queries.differences(session)),
        ("the sheets of places equal the complaints", sheet_queries.differences(session)),
    ):
        if differing:
            found.append({"invariant": name, "count": len(differing), "examples": list(differing[:EXAMPLES])})
    kept = sorted({*session.scalars(select(Photo.sha256)), *session.scalars(select(ComplaintPhoto.sha256))})
    wrong = [sha for sha in kept if not _file_is_whole(files_dir, sha)]
    if wrong:
        found.append(
            {"invariant": "a photo's file is what its name says", "count": len(wrong), "examples": wrong[:EXAMPLES]}
        )
    sync = verify_sync.broken(session, files_dir, acknowledged=acknowledged, young_s=young_s)
    found += [{"invariant": n, "count": len(ids), "examples": ids[:EXAMPLES]} for n, ids in sync.items() if ids]
    return found


def _file_is_whole(files_dir: Path, sha256: str) -> bool:
    path = files_dir / sha256[:2] / sha256[2:4] / sha256
    if not path.exists():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256

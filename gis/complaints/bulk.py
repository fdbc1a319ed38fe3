"""Many complaints into the database: COPY into a staging table, then one INSERT per chunk, all in the caller's transaction.

A number that is already kept adds nothing: with the same content it counts as unchanged, with other content it is told, and
nothing is overwritten. Two imports never run at the same time, so they cannot lock each other out.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from shapely import from_wkb
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from gis import journal
from gis.bulk import one_at_a_time
from gis.complaints.bulk_rows import COLUMNS, LEVELS, Prepared
from gis.complaints.channels import Channel
from gis.complaints.model import Category, ChannelLine, ImportBatch
from gis.complaints.routing_queries import router
from gis.journal import Who
from gis.people.model import Unit
from gis.places.area_index import AreaIndex
from gis.places.model import Area

_TYPES = {
    "row": "bigint", "lon": "double precision", "lat": "double precision", "received_at": "timestamptz",
    "resolve_by": "timestamptz", "warn_at": "timestamptz", "late_at": "timestamptz", "limit_rule_id": "int",
    "closed_at": "timestamptz", "calendar_missing": "boolean", "digest": "uuid",
    "unit_id": "bigint", "routing_rule_id": "bigint", "line_id": "int", **{f"{level}_id": "bigint" for level in LEVELS},
}  # fmt: skip
_STAGE = f"""
    CREATE TEMP TABLE IF NOT EXISTS staged_complaint (
        {", ".join(f'"{c}" {_TYPES.get(c, "text")}' for c in COLUMNS)},
        id bigint NOT NULL DEFAULT nextval(pg_get_serial_sequence('complaint', 'id'))
    ) ON COMMIT DROP
"""
_INSERT = text(
    """
    INSERT INTO complaint (id, hotline_no, channel, category, complexity, status, description, place, located, geom,
                           district_id, street_id, community_id, compound_id, unit_id, routing_rule_id, category_said, received_at, received_by,
                           resolve_by, deadline_source, calendar_missing, warn_at, late_at,
                           limit_rule_id, closed_at, resolved_at, answered_at,
                           confirmed_at, batch_id, import_digest, source_no, line_id)
    SELECT id, hotline_no, channel, category, complexity, status, description, place,
           CASE WHEN lon IS NULL THEN 'not_located' ELSE 'located' END,
           CASE WHEN lon IS NOT NULL THEN ST_SetSRID(ST_MakePoint(lon, lat), 4326) END,
           district_id, street_id, community_id, compound_id, unit_id, routing_rule_id, category_said, received_at, :user_id,
           resolve_by, deadline_source, calendar_missing, warn_at, late_at,
                           limit_rule_id, closed_at,
           CASE WHEN status IN ('answered', 'confirmed') THEN closed_at END,
           CASE WHEN status IN ('answered', 'confirmed') THEN closed_at END,
           CASE WHEN status = 'confirmed' THEN closed_at END, :batch_id, digest, source_no, line_id
      FROM staged_complaint
        ON CONFLICT DO NOTHING
    """
)
_CALLERS = text(
    """
    INSERT INTO caller (complaint_id, name, phone, door_no)
    SELECT id, caller_name, caller_phone, door_no FROM staged_complaint
     WHERE (caller_name IS NOT NULL OR caller_phone IS NOT NULL OR door_no IS NOT NULL)
       AND (:all_new OR EXISTS (SELECT 1 FROM complaint c WHERE c.id = staged_complaint.id))
    """
)
# A row of this same file that stands in it twice is not told here: the reader of the file says so. Asked row by row, because
# a join of a chunk with a million complaints reads them all.
_KEPT = text(
    """
    SELECT row, same
      FROM (SELECT s.row, (SELECT coalesce(c.import_digest = s.digest, false) FROM complaint c
                            WHERE c.hotline_no = s.hotline_no AND c.batch_id IS DISTINCT FROM :batch_id) AS same
              FROM staged_complaint s) found
     WHERE same IS NOT NULL
     ORDER BY row
    """
)
# A number of a channel that was accepted under another number of ours; a row of this file that stands in it twice as well.
_ACCEPTED = text(
    """
    SELECT s.row, c.hotline_no
      FROM staged_complaint s JOIN complaint c ON c.channel = s.channel AND c.line_id IS NOT DISTINCT FROM s.line_id
       AND c.source_no = s.source_no
     WHERE s.source_no IS NOT NULL AND c.hotline_no <> s.hotline_no
     ORDER BY s.row
    """
)
# What a rule decided by the place is open again without one; a rule for the category alone still holds.
_BY_PLACE = """(SELECT r.answers = 'served_by' OR num_nonnulls(r.area_id, r.station_id, r.operator) > 0
                             FROM routing_rule r WHERE r.id = routing_rule_id)"""
_UNPLACE = text(
    f"""
    UPDATE complaint SET located = 'not_located', geom = NULL, district_id = NULL, street_id = NULL,
                         community_id = NULL, compound_id = NULL,
                         unit_id = CASE WHEN {_BY_PLACE} THEN NULL ELSE unit_id END,
                         routing_rule_id = CASE WHEN {_BY_PLACE} THEN NULL ELSE routing_rule_id END
     WHERE batch_id = :batch_id AND geom && ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)
       AND ST_X(geom) = :lon AND ST_Y(geom) = :lat
    """
)

# Of two areas of one level that overlap the smaller is meant, as everywhere.
_REFILE = """
    UPDATE complaint c
       SET {level}_id = a.id
      FROM (SELECT DISTINCT ON (k.id) k.id AS complaint_id, n.id
              FROM area n JOIN complaint k ON ST_Covers(n.geom, k.geom)
             WHERE n.id = ANY(:ids) AND n.level = :level AND k.{level}_id IS NULL
             ORDER BY k.id, ST_Area(n.geom), n.id) a
     WHERE c.id = a.complaint_id
"""


class Load:
    """One file on its way in. The caller commits, or rolls everything back; `checking` only compares, and adds nothing."""

    def __init__(self, session: Session, who: Who, file_name: str, sha256: str, *, checking: bool = False) -> None:
        self.session, self.who = session, who
        self.added = 0
        self.batch: ImportBatch | None = None
        if not checking:
            one_at_a_time(session)
            self.batch = ImportBatch(
                kind="complaints", file_name=file_name, sha256=sha256, at=who.now, user_id=who.user_id, counts={}
            )
            session.add(self.batch)
            session.flush()
        session.execute(text(_STAGE))

    @property
    def _batch_id(self) -> int:
        return self.batch.id if self.batch else -1

    def stage(self, chunk: Prepared) -> None:
        """Bring a chunk into the staging table, in the place of the one before."""
        self.session.execute(text("TRUNCATE staged_complaint"))
        cursor = self.session.connection().connection.cursor()
        names = ", ".join(f'"{c}"' for c in COLUMNS)
        cursor.copy_expert(f"COPY staged_complaint ({names}) FROM STDIN", io.StringIO(chunk.payload))

    def insert(self, chunk: Prepared) -> bool:
        """Add what is staged; True where every row was new."""
        given = {"batch_id": self._batch_id, "user_id": self.who.user_id}
        new = int(self.session.execute(_INSERT, given).rowcount)  # type: ignore[attr-defined]
        self.added += new
        self.session.execute(_CALLERS, {"all_new": new == chunk.count})
        return new == chunk.count

    def kept(self) -> Iterable[tuple[int, bool]]:
        """Which staged rows have a number that was kept before this import, and is the content the same?"""
        return [(int(r.row), bool(r.same)) for r in self.session.execute(_KEPT, {"batch_id": self._batch_id})]

    def accepted(self) -> Iterable[tuple[int, str]]:
        """Which staged rows have a channel's number that another complaint was accepted under, and which is that?"""
        return [(int(r.row), str(r.hotline_no)) for r in self.session.execute(_ACCEPTED)]

    def unplace(self, points: Iterable[tuple[float, float]]) -> int:
        """Mark what this file put on a fallback point as not located; how many rows that were."""
        moved = 0
        for lon, lat in points:
            given = {"batch_id": self._batch_id, "lon": lon, "lat": lat}
            moved += int(self.session.execute(_UNPLACE, given).rowcount)  # type: ignore[attr-defined]
        return moved

    def finish(self, counts: Mapping[str, int]) -> None:
        """Keep the batch with its counts and write the one journal row; a file that added nothing leaves no trace."""
        if self.batch is None:
            return
        if not self.added:
            self.session.delete(self.batch)
            self.session.flush()
            return
        self.batch.counts = dict(counts)
        journal.write(self.session, self.who, "import", "import", self.batch.id, kind="complaints", **counts)
        self.session.flush()


def refile(session: Session, area_ids: Sequence[int], zone: tzinfo) -> int:
    """File the complaints that were there before these areas were drawn; how many got an area they did not have.

    Those that nobody answers for are asked of the routing rules again, as of the city's day on which they were received.
    """
    filed = 0
    for level in LEVELS:
        answer = session.execute(text(_REFILE.format(level=level)), {"ids": list(area_ids), "level": level})
        filed += int(answer.rowcount)  # type: ignore[attr-defined]
    if filed:
        _route_filed(session, list(area_ids), zone)
    return filed


_FILED = text(
    """
    SELECT id, category, coalesce(district_id, 0), coalesce(street_id, 0), coalesce(community_id, 0),
           coalesce(compound_id, 0), received_at
      FROM complaint
     WHERE unit_id IS NULL AND (district_id = ANY(:ids) OR street_id = ANY(:ids) OR community_id = ANY(:ids)
                                OR compound_id = ANY(:ids))
     ORDER BY id
    """
)
_ROUTE = text(
    """
    UPDATE complaint c SET unit_id = r.unit_id, routing_rule_id = r.rule_id
      FROM unnest(CAST(:ids AS bigint[]), CAST(:units AS bigint[]), CAST(:rules AS bigint[])) AS r(id, unit_id, rule_id)
     WHERE c.id = r.id
    """
)


def _route_filed(session: Session, area_ids: list[int], zone: tzinfo) -> None:
    asked = router(session)
    found: list[tuple[int, int, int]] = []
    for row_id, category, *place, received_at in session.execute(_FILED, {"ids": area_ids}):
        unit, rule = asked.known(category, tuple(place), received_at.astimezone(zone).toordinal())
        if unit is not None and rule is not None:
            found.append((row_id, unit, rule))
    if found:
        ids, units, rules = (list(column) for column in zip(*found, strict=True))
        session.execute(_ROUTE, {"ids": ids, "units": units, "rules": rules})


# --- what rows are compared with ---------------------------------------------------------------------------------------
def area_index(session: Session) -> AreaIndex:
    """The areas that complaints are filed under, ready to be asked."""
    rows = session.execute(
        select(Area.id, Area.level, func.ST_AsBinary(Area.geom).label("shape")).where(Area.level.in_(LEVELS))
    ).all()
    return AreaIndex([r.id for r in rows], [r.level for r in rows], from_wkb([bytes(r.shape) for r in rows]))


def areas_by_word(session: Session) -> dict[str, dict[str, int]]:
    """Code or name of an area -> the areas from it upwards, by level. A name that two areas share is not a key."""
    rows = {r.id: r for r in session.execute(select(Area.id, Area.code, Area.name, Area.level, Area.parent_id))}
    names = Counter(row.name for row in rows.values())
    found: dict[str, dict[str, int]] = {}
    for row in rows.values():
        chain: dict[str, int] = {}
        at: Any = row
        while at is not None and at.level not in chain:
            chain[at.level] = at.id
            at = rows.get(at.parent_id)
        found[row.code] = chain
        if names[row.name] == 1:
            found.setdefault(row.name, chain)
    return found


def dictionary(session: Session) -> tuple[dict[str, str], dict[str, str]]:
    """The words for categories (code, Chinese, English) with their code, and the promise of each code."""
    words: dict[str, str] = {}
    promise: dict[str, str] = {}
    for row in session.scalars(select(Category).order_by(Category.number.desc())):
        words |= {row.name_en: row.code, row.name: row.code}
        promise[row.code] = row.complexity
    return words | {code: code for code in promise}, promise


def channels_by_word(session: Session) -> dict[str, str]:
    """The words for channels: their codes, and the names of the companies' lines."""
    found = {str(channel): str(channel) for channel in Channel}
    for line in session.scalars(select(ChannelLine)):
        found |= {line.name: f"{line.channel}#{line.id}", f"{line.channel}#{line.id}": f"{line.channel}#{line.id}"}
    return found


def units_by_word(session: Session) -> dict[str, str]:
    """Code or name of a unit -> its id."""
    rows = session.execute(select(Unit.id, Unit.code, Unit.name)).all()
    return {r.name: str(r.id) for r in rows} | {r.code: str(r.id) for r in rows}

"""`import network`: a whole network from one file, looked at first; one transaction, the topology built in it.

Looking and storing are the same work: what was only looked at is rolled back. So the report says what the topology will be.
Something wrong anywhere refuses the file, unless somebody asked for the rest of it (`good_rows`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from gis import bulk, journal
from gis.complaints.model import ImportBatch
from gis.errors import ChengmaiError
from gis.journal import Who
from gis.network import topology_actions
from gis.network.model import NetworkDependency
from gis.network.rules import PIPED, REACH_M, SNAP_M, Utility
from gis.network.topology_queries import findings
from gis.settings import Settings
from webapp.imports.complaints import refused_by_database, sha256_of
from webapp.imports.errors import Differs, RaggedRow
from webapp.imports.network_files import Found, Part, Terms, read_network
from webapp.imports.network_rows import Rows, link, model_of
from webapp.imports.report import Report
from webapp.imports.text import safe_name

SHOWN = 500
OF_ROWS = 0.6  # how much of the work the rows are; the rest is the topology


class NetworkReport:
    """What a file holds, what is wrong with it, and what the topology of each utility is with it."""

    def __init__(self, language: str, *, good_rows: bool) -> None:
        self.language, self.good_rows = language, good_rows
        self.file = Report(language)
        self.parts: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.unused: list[str] = []
        self.said: list[tuple[str, dict[str, str]]] = []
        self.builds: list[dict[str, Any]] = []
        self.findings: list[dict[str, Any]] = []
        self.found = 0
        self.stored = False

    @property
    def refused(self) -> int:
        return sum(part["refused"] for part in self.parts)

    @property
    def added(self) -> int:
        return sum(part["added"] for part in self.parts)

    @property
    def unreadable(self) -> bool:
        """Is something wrong with the file itself?"""
        return bool(self.file.file_errors)

    @property
    def clean(self) -> bool:
        return not (self.unreadable or self.refused or self.found)

    @property
    def failed(self) -> bool:
        """May it not be stored as it is?"""
        return self.unreadable or not (self.clean or self.good_rows)

    def as_dict(self) -> dict[str, Any]:
        """All of it, as the page, the command line and scripts read it."""
        return {
            "parts": self.parts, "added": self.added, "refused": self.refused, "found": self.found, "unused": self.unused,
            "said": self.said, "builds": self.builds, "findings": self.findings[:SHOWN], "stored": self.stored,
            "errors": (self.file.as_dict()["errors"] + self.errors)[:SHOWN],
        }  # fmt: skip


def import_network(
    sessions: sessionmaker[Session], who: Who, settings: Settings, path: Path, terms: Terms, *, store: bool,
    good_rows: bool = False, told: Callable[[float], None] | None = None,
) -> NetworkReport:  # fmt: skip
    """Look at a file, and keep it if asked to and nothing is wrong (or the rest of it is wanted)."""
    report = NetworkReport(settings.language, good_rows=good_rows)
    say = told or (lambda part: None)
    try:
        found = read_network(path, terms, settings.max_import_mb)
        report.unused, report.said = found.unused, found.said
        with sessions() as session:
            _bring(session, who, path, terms, found, report, ZoneInfo(settings.timezone), say)
            if store and report.added and not report.failed:
                _write_down(session, who, path, report)
                session.commit()
                report.stored = True
            else:
                session.rollback()
    except ChengmaiError as error:
        report.file.refuse(None, None, error)
    except DBAPIError as error:
        report.file.refuse(None, None, refused_by_database(error))
    return report


def _bring(
    session: Session, who: Who, path: Path, terms: Terms, found: Found, report: NetworkReport, zone: tzinfo,
    say: Callable[[float], None],
) -> None:  # fmt: skip
    bulk.one_at_a_time(session)
    codes: set[str] = set()
    touched: set[str] = set()
    for n, part in enumerate(found.parts, 1):
        rows = _store(session, part, terms, path.stem, report, zone)
        codes |= {row["code"] for row in rows if "code" in row}
        touched |= _utilities(part, rows)
        say(OF_ROWS * n / len(found.parts))
    for n, utility in enumerate(sorted(touched & set(map(str, PIPED))), 1):
        _build(session, who, utility, codes, report)
        say(OF_ROWS + (1 - OF_ROWS) * n / max(len(touched), 1))


def _utilities(part: Part, rows: list[dict[str, Any]]) -> set[str]:
    if part.kind in ("stations", "dependencies"):
        return {str(Utility.HEAT)} if rows else set()
    return {row["utility"] for row in rows if row.get("utility")}


def _store(
    session: Session, part: Part, terms: Terms, stem: str, report: NetworkReport, zone: tzinfo
) -> list[dict[str, Any]]:
    """Add what is new in a part; the rows of it that are there now."""
    told = Report(report.language, good_rows=True)
    for number, width in part.broken:
        told.refuse(number, None, RaggedRow(cells=width, columns=len(part.features.header)))
    rows = Rows(part, terms, stem, zone, told)
    link(session, rows, stem)
    good = [i for i in range(len(rows.rows)) if rows.columns.good(i)]
    if part.kind == "dependencies":
        told.added = _dependencies(session, [rows.rows[i] for i in good])
        told.unchanged = len(good) - told.added
    else:
        for model in {model_of(part.kind, rows.rows[i].get("utility")) for i in good}:
            mine = [i for i in good if model_of(part.kind, rows.rows[i].get("utility")) is model]
            _add(session, model, rows, mine, told)
    _tell(report, part, rows, told)
    return [rows.rows[i] for i in good if rows.columns.good(i)]


def _add(session: Session, model: Any, rows: Rows, mine: list[int], told: Report) -> None:
    known = model.__table__.c
    values = [{name: value for name, value in rows.rows[i].items() if name in known} for i in mine]
    found = bulk.sort_out(session, model, values, rows.shapes[mine], "geom")
    told.unchanged += len(found.same)
    for i in found.differing:
        rows.columns.refuse(mine[i], "code", Differs())
    shapes = rows.shapes[mine]
    told.added += len(bulk.add(session, model, [values[i] for i in found.new], shapes[found.new], "geom"))


def _dependencies(session: Session, rows: list[dict[str, Any]]) -> int:
    there = set(map(tuple, session.execute(select(NetworkDependency.station_id, NetworkDependency.supply_point_id))))
    new = {(row["station_id"], row["supply_point_id"]): row.get("grace_min", 0) for row in rows}
    for (station, point), grace in new.items():
        if (station, point) not in there:
            session.add(NetworkDependency(station_id=station, supply_point_id=point, grace_min=grace))
    session.flush()
    return len(new.keys() - there)


def _tell(report: NetworkReport, part: Part, rows: Rows, told: Report) -> None:
    report.parts.append({
        "kind": part.kind, "name": part.name, "read": told.read, "added": told.added, "unchanged": told.unchanged,
        "refused": told.refused,
    })  # fmt: skip
    place = {number: i for i, number in enumerate(part.features.numbers)}
    codes = rows.columns.texts("code") if part.kind != "dependencies" else rows.columns.texts("station")
    for error in told.as_dict()["errors"]:
        i = place.get(error["row"], -1)
        lon, lat = rows.where.get(i, (None, None))
        report.errors.append(
            {**error, "layer": part.name, "object": codes[i] if i >= 0 else None, "lon": lon, "lat": lat}
        )


def _build(session: Session, who: Who, utility: str, codes: set[str], report: NetworkReport) -> None:
    """The topology as it will be with the file, and what in it concerns the file."""
    before = session.execute(_LAST, {"utility": utility}).one_or_none()
    snap, reach = (before.snap_m, before.reach_m) if before else (SNAP_M, REACH_M)
    made = topology_actions.rebuild(session, who, utility, snap, reach)
    mine = [f for f in findings(session, made.id) if f["code"] in codes or f["other_code"] in codes]
    report.found += len(mine)
    report.findings += [{**f, "utility": utility} for f in mine[: SHOWN - len(report.findings)]]
    kinds = Counter(f["kind"] for f in mine)
    report.builds.append({
        "utility": utility, "pipelines": made.pipelines, "nodes": made.nodes, "sections": made.sections, "pieces": made.pieces,
        "length_m": made.length_m, "kinds": dict(sorted(kinds.items())),
    })  # fmt: skip


_LAST = text(
    "SELECT snap_m, reach_m FROM topology_build WHERE utility = :utility AND state = 'ready' ORDER BY id DESC LIMIT 1"
)


def _write_down(session: Session, who: Who, path: Path, report: NetworkReport) -> None:
    counts = {part["kind"]: part["added"] for part in report.parts} | {"refused": report.refused}
    batch = ImportBatch(
        kind="network",
        file_name=safe_name(path),
        sha256=sha256_of(path),
        at=who.now,
        user_id=who.user_id,
        counts=counts,
    )
    session.add(batch)
    session.flush()
    journal.write(session, who, "import", "import", batch.id, **{**counts, "kind": "network"})
    session.flush()

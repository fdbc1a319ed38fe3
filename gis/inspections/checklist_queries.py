"""What is asked about checklists: which there are, what phones get, which matters get which steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from gis.inspections.model import Checklist, ChecklistFile, FileContent, FormFile
from gis.inspections.rules import ChecklistKind, ChecklistState


def checklists(session: Session) -> list[Checklist]:
    """The active revision of every checklist."""
    asked = select(Checklist).where(Checklist.state == ChecklistState.ACTIVE).order_by(Checklist.code)
    return list(session.scalars(asked))


def on_phones(session: Session, unit_id: int | None) -> list[dict[str, Any]]:
    """What the phone of somebody of this unit carries: the bureau's lists and its own unit's, and which matters each is for."""
    question = text(
        """
        SELECT k.code, k.revision, k.name, k.kind, k.items, k.form,
               (SELECT array_agg(DISTINCT g.code ORDER BY g.code) FROM visit_rule r
                  JOIN category g ON g.code = r.category OR g.skill = r.skill
                 WHERE r.checklist_code = k.code) AS for_categories
          FROM checklist k
         WHERE k.state = 'active' AND k.unshown = '[]'::jsonb AND (k.unit_id IS NULL OR k.unit_id = :unit)
         ORDER BY k.code
        """
    )
    return [dict(row) | {"for_categories": row["for_categories"] or []}
            for row in session.execute(question, {"unit": unit_id}).mappings()]  # fmt: skip


_LISTED = text(
    """
    SELECT DISTINCT ON (k.code) k.code, k.revision, k.name, k.kind, k.state, k.source, k.unit_id, u.name AS unit, k.created_at,
           p.full_name AS created_by, jsonb_array_length(k.unshown) AS unshown, a.revision AS active,
           (SELECT count(*) FROM checklist n WHERE n.code = k.code) AS revisions,
           (SELECT count(*) FROM inspection i WHERE i.checklist_code = k.code) AS used,
           (SELECT count(*) FROM score_weight w WHERE w.checklist_code = k.code) AS weights
      FROM checklist k LEFT JOIN checklist a ON a.code = k.code AND a.state = 'active'
      LEFT JOIN unit u ON u.id = k.unit_id LEFT JOIN app_user p ON p.id = k.created_by
     ORDER BY k.code, k.revision DESC
    """
)


def listed(session: Session) -> Sequence[RowMapping]:
    """Every checklist with its newest revision, the one that phones have, and how often it was used."""
    return session.execute(_LISTED).mappings().all()


def one(session: Session, code: str, revision: int | None = None) -> Checklist | None:
    """A revision of a checklist, or its newest."""
    asked = select(Checklist).where(Checklist.code == code)
    asked = asked.where(Checklist.revision == revision) if revision is not None else asked
    return session.scalars(asked.order_by(Checklist.revision.desc()).limit(1)).one_or_none()


def revisions(session: Session, code: str) -> Sequence[RowMapping]:
    """Every revision of a checklist, newest first, and how many inspections keep it."""
    question = text(
        """
        SELECT k.revision, k.state, k.created_at, p.full_name AS created_by, jsonb_array_length(k.unshown) AS unshown,
               f.file_name, f.original IS NOT NULL AS has_file,
               (SELECT count(*) FROM inspection i WHERE i.checklist_code = k.code AND i.checklist_revision = k.revision) AS used
          FROM checklist k LEFT JOIN app_user p ON p.id = k.created_by
          LEFT JOIN checklist_file f ON f.code = k.code AND f.revision = k.revision
         WHERE k.code = :code ORDER BY k.revision DESC
        """
    )
    return session.execute(question, {"code": code}).mappings().all()


def file_of(session: Session, code: str, revision: int) -> ChecklistFile | None:
    """The workbook and the XForm of a revision."""
    return session.get(ChecklistFile, (code, revision))


def served(session: Session) -> Sequence[RowMapping]:
    """What ODK clients may fetch: the active revision of every checklist that has an XForm."""
    question = text(
        """
        SELECT k.code, k.revision, k.name, f.xform FROM checklist k JOIN checklist_file f ON f.code = k.code AND f.revision = k.revision
         WHERE k.state = 'active' ORDER BY k.code
        """
    )
    return session.execute(question).mappings().all()


_FORM_FILES = text(
    """
    SELECT f.name, f.sha256, c.md5, c.size_bytes, f.added_at, p.full_name AS added_by
      FROM form_file f JOIN file_content c ON c.sha256 = f.sha256 LEFT JOIN app_user p ON p.id = f.added_by
     WHERE f.code = :code AND f.revision = :revision ORDER BY f.name
    """
)


def form_files(session: Session, code: str, revision: int) -> Sequence[RowMapping]:
    """Which files lie beside a revision of a form?"""
    return session.execute(_FORM_FILES, {"code": code, "revision": revision}).mappings().all()


def form_file(session: Session, code: str, revision: int, name: str) -> bytes | None:
    """What a file beside a revision of a form holds."""
    asked = select(FileContent.data).join(FormFile, FormFile.sha256 == FileContent.sha256)
    return session.scalar(asked.where(FormFile.code == code, FormFile.revision == revision, FormFile.name == name))


def visit_rules(session: Session) -> Sequence[RowMapping]:
    """Which matters get which steps?"""
    question = text(
        """
        SELECT r.id, r.checklist_code, r.category, r.skill, g.name AS category_zh, g.name_en AS category_en,
               (SELECT name FROM checklist k WHERE k.code = r.checklist_code ORDER BY revision DESC LIMIT 1) AS checklist
          FROM visit_rule r LEFT JOIN category g ON g.code = r.category ORDER BY r.checklist_code, r.category, r.skill, r.id
        """
    )
    return session.execute(question).mappings().all()


def skills(session: Session) -> list[str]:
    """The skills that categories need."""
    return list(session.scalars(text("SELECT DISTINCT skill FROM category ORDER BY skill")))


def is_visit(session: Session, code: str) -> bool:
    """Is this a list of steps?"""
    asked = select(Checklist.code).where(Checklist.code == code, Checklist.kind == ChecklistKind.VISIT).limit(1)
    return session.scalar(asked) is not None

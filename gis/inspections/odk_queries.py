"""What is asked about submissions of ODK clients."""

from __future__ import annotations

from typing import Any

from lxml import etree
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.people.rules import Scope

_INSIDE = (
    "(CAST(:area AS bigint) IS NULL OR s.area_id = :area) AND (CAST(:unit AS bigint) IS NULL OR s.unit_id = :unit)"
)
_LISTED = text(
    f"""
    SELECT s.instance_id, s.code, s.revision, s.state, s.why, s.received_at, s.xml, s.inspection_id, s.wanted, k.name,
           p.full_name AS sender, a.name AS key_name,
           (SELECT array_agg(o.name ORDER BY o.name) FROM odk_part o WHERE o.instance_id = s.instance_id) AS files
      FROM odk_submission s LEFT JOIN checklist k ON k.code = s.code AND k.revision = s.revision
      LEFT JOIN app_user p ON p.id = s.user_id LEFT JOIN api_key a ON a.id = s.key_id
     WHERE {_INSIDE} ORDER BY s.received_at DESC, s.instance_id LIMIT 200
    """
)
_COUNTED = text(f"SELECT count(*) FROM odk_submission s WHERE {_INSIDE}")


def listed(session: Session, scope: Scope) -> list[dict[str, Any]]:
    """The newest submissions of this scope, each with what it said as pairs of name and text, and which files are missing."""
    found = session.execute(_LISTED, {"area": scope.area_id, "unit": scope.unit_id}).mappings()
    return [
        dict(row) | {"said": _said(row["xml"]), "missing": sorted(set(row["wanted"]) - set(row["files"] or ()))}
        for row in found
    ]


def counted(session: Session, scope: Scope) -> int:
    """How many submissions are there?"""
    return int(session.scalar(_COUNTED, {"area": scope.area_id, "unit": scope.unit_id}) or 0)


def _said(xml: str) -> list[tuple[str, str]]:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    root = etree.fromstring(xml.encode(), parser)
    return [(etree.QName(e).localname, e.text.strip()) for e in root.iter(etree.Element)
            if len(e) == 0 and (e.text or "").strip() and e.text]  # fmt: skip

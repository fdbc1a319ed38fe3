"""What is asked about inspections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis.dispatch.model import WorkOrder
from gis.inspections.model import CheckAnswer, Inspection
from gis.inspections.rules import Answer


def of_complaint(session: Session, complaint_id: int) -> list[Mapping[str, Any]]:
    """Which inspections were made on the orders of this complaint, and how many answers were no?"""
    no = select(func.count()).where(CheckAnswer.inspection_id == Inspection.id, CheckAnswer.answer == Answer.NO)
    asked = (
        select(Inspection.id, Inspection.finished_at, no.scalar_subquery().label("no_count"))
        .join(WorkOrder, WorkOrder.id == Inspection.order_id)
        .where(WorkOrder.complaint_id == complaint_id)
        .order_by(Inspection.finished_at, Inspection.id)
    )
    return [dict(row) for row in session.execute(asked).mappings()]

"""The watch over the time to accept, run as the worker runs it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from gis.dispatch.model import WorkOrder
from gis.journal import Who
from gis.settings import Settings
from tests.conftest import NOW
from tests.factories import make_complaint, make_crew, make_order
from webapp import dispatch_tasks, worker

LATE = Who(NOW + timedelta(minutes=15))


@pytest.fixture
def settled():
    def settle(**given):
        worker.settle(Settings(**given))

    yield settle
    worker._SETTINGS.clear()


def deferred(session):
    return session.scalars(
        text("SELECT args->'payload'->>'complaint_id' FROM procrastinate_jobs WHERE task_name = 'offer_again'")
    ).all()


def test_the_watch_tells_and_leaves_the_rest_to_the_dispatcher(session, settled):
    settled(accept_min=15)
    order = make_order(session)
    assert dispatch_tasks.watch_acceptance(session, Who(NOW + timedelta(minutes=14))) is False
    assert order.lapsed_at is None
    dispatch_tasks.watch_acceptance(session, LATE)
    assert order.lapsed_at == LATE.now and deferred(session) == []


def test_where_the_bureau_turned_it_on_the_next_best_crew_is_sent(session, settled):
    settled(reoffer=True)
    order = make_order(session, make_complaint(session, status="assigned"))
    other = make_crew(session)
    dispatch_tasks.watch_acceptance(session, LATE)
    assert deferred(session) == [str(order.complaint_id)]
    worker.TASKS["offer_again"].run(session, LATE, {"complaint_id": order.complaint_id})
    sent = session.query(WorkOrder).filter_by(complaint_id=order.complaint_id, status="assigned").one()
    assert sent.crew_id == other.id and (order.status, order.recall_reason) == ("recalled", "not_accepted")
    worker.TASKS["offer_again"].run(session, LATE, {"complaint_id": order.complaint_id})  # run again: nothing more
    assert session.query(WorkOrder).filter_by(complaint_id=order.complaint_id).count() == 2

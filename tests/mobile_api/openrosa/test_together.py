"""Clients that send the same at once: real transactions on a database of their own."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from gis.inspections import checklist_actions as checklists
from gis.inspections.checklist_actions import Added
from gis.inspections.model import Checklist, Inspection, InspectionPhoto, OdkSubmission
from gis.inspections.rules import ChecklistChanged, ChecklistKind, SameChecklist
from gis.journal import Who
from gis.people import actions
from gis.settings import Settings
from tests.conftest import NOW
from tests.factories import make_user
from tests.mobile_api.openrosa.client import OdkClient
from tests.mobile_api.openrosa.test_openrosa import BOOK
from tests.phones import picture
from webapp.app import create_app
from webapp.xlsform.reader import from_book

THREADS = 8


@pytest.fixture
def house(committed, tmp_path):
    url = committed.kw["bind"].url.render_as_string(hide_password=False)
    app = create_app(Settings(data_dir=tmp_path, database_url=url, threads=THREADS), clock=lambda: NOW)
    yield app
    app.extensions["engine"].dispose()


def _added():
    brought = from_book(BOOK, "boiler")
    return Added(brought.code, brought.title, ChecklistKind.FORM, brought.form, "test", brought.xform)


def _at_once(calls):
    barrier = Barrier(len(calls))

    def run(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_one_submission_from_eight_threads_is_one_inspection(committed, house):
    with committed() as session:
        checklists.add_revision(session, Who(NOW), _added())
        checklists.activate(session, Who(NOW), "boiler_room", 1)
        user = make_user(session, role="inspector")
        token, _device = actions.enrol(session, Who(NOW), actions.offer_enrolment(session, Who(NOW), user.id), "")
        session.commit()
    client = OdkClient(house.test_client(), token)
    xform = client.fetch(next(f for f in client.forms() if f.form_id == "boiler_room"))
    same = client.fill(xform, {"clean": "no", "dirt": "1.jpg"}, f"uuid:{uuid.uuid4()}")
    calls = [lambda: OdkClient(house.test_client(), token).submit(same, {"1.jpg": picture()}).status_code] * THREADS
    assert Counter(_at_once(calls)) == {201: THREADS}
    with committed() as session:
        for model in (Inspection, OdkSubmission, InspectionPhoto):
            assert session.scalar(select(func.count()).select_from(model)) == 1


def test_two_who_bring_the_next_revision_at_once_do_not_overwrite_each_other(committed):
    def bring():
        with committed() as session:
            try:
                checklists.add_revision(session, Who(NOW), _added())
                session.commit()
            except (ChecklistChanged, SameChecklist):  # at the same moment, or a moment later
                return "told"
            return "added"

    assert Counter(_at_once([bring, bring])) == {"added": 1, "told": 1}
    with committed() as session:
        assert session.scalars(select(Checklist.revision).where(Checklist.code == "boiler_room")).all() == [1]


def test_two_who_put_different_revisions_into_use_leave_one_in_use(committed):
    with committed() as session:
        checklists.add_revision(session, Who(NOW), _added())
        changed = _added()
        checklists.add_revision(
            session, Who(NOW), Added(changed.code, "改了名", changed.kind, changed.form, "test", changed.xform)
        )
        session.commit()

    def use(revision):
        def call():
            with committed() as session:
                try:
                    checklists.activate(session, Who(NOW), "boiler_room", revision)
                    session.commit()
                except ChecklistChanged:
                    return "changed"
                return "used"

        return call

    assert "used" in _at_once([use(1), use(2)])
    with committed() as session:
        active = select(Checklist.revision).where(Checklist.code == "boiler_room", Checklist.state == "active")
        assert len(session.scalars(active).all()) == 1

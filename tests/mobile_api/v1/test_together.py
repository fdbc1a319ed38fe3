"""Many phones at once, and one phone many times: real transactions on a database of its own."""

from __future__ import annotations

import copy
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from gis.dispatch.model import WorkOrder
from gis.inspections.model import Change, ChangeVariant, CheckAnswer, Inspection
from gis.journal import JournalEntry, Who
from gis.people import actions
from gis.settings import Settings
from tests.conftest import NOW
from tests.factories import make_complaint, make_crew, make_order, make_site, make_user
from tests.phones import change, submitting, visit
from webapp.app import create_app

THREADS = 8


@pytest.fixture
def house(committed, tmp_path):
    """The application on real connections, and `sync(token, *changes)`."""
    url = committed.kw["bind"].url.render_as_string(hide_password=False)
    app = create_app(Settings(data_dir=tmp_path, database_url=url, threads=THREADS), clock=lambda: NOW)

    def sync(token: str, *changes: Any) -> bytes:
        answer = app.test_client().post("/api/v1/sync", json={"queue_length": 0, "changes": list(changes)},
                                        headers={"Authorization": f"Bearer {token}"})  # fmt: skip
        assert answer.status_code == 200, answer.text
        return answer.data

    app.sync = sync
    yield app
    app.extensions["engine"].dispose()


def _token(session, **fields) -> str:
    user = make_user(session, **fields)
    return actions.enrol(session, Who(NOW), actions.offer_enrolment(session, Who(NOW), user.id), "")[0]


def _at_once(calls: list[Any]) -> list[Any]:
    barrier = Barrier(len(calls))

    def run(call: Any) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_the_same_change_from_eight_threads_is_applied_once_and_answered_with_the_same_bytes(committed, house):
    with committed.begin() as session:
        site, token = make_site(session), _token(session, role="inspector")
    for _ in range(10):
        sent = submitting(visit(site_id=site.id))
        answers = _at_once([lambda: house.sync(token, sent)] * THREADS)  # noqa: B023
        assert len(set(answers)) == 1 and b'"applied"' in answers[0]
    with committed() as session:
        for model, many in ((Change, 10), (Inspection, 10), (CheckAnswer, 330), (ChangeVariant, 0)):
            assert session.scalar(select(func.count()).select_from(model)) == many
        entries = select(func.count()).where(JournalEntry.thing == "inspection")
        assert session.scalar(entries) == 10


def test_two_contents_under_one_id_at_once_are_both_kept_and_one_is_applied(committed, house):
    with committed.begin() as session:
        site, tokens = make_site(session), [_token(session, role="inspector") for _ in range(2)]
    one = submitting(visit(site_id=site.id))
    other = copy.deepcopy(one)
    other["payload"]["note"] = "别的"
    answers = _at_once([lambda t=t, c=c: house.sync(t, c) for t in tokens for c in (one, other)] * 2)
    verdicts = Counter(b'"applied"' in a for a in answers)
    assert verdicts == {True: 4, False: 4}
    with committed() as session:
        kept, variant = session.scalars(select(Change)).one(), session.scalars(select(ChangeVariant)).one()
        assert {kept.body["payload"]["note"], variant.body["payload"]["note"]} == {"", "别的"}


def test_two_phones_of_a_crew_accept_one_order_at_once(committed, house):
    with committed.begin() as session:
        crew = make_crew(session)
        order = make_order(session, make_complaint(session, status="assigned"), crew)
        tokens = [_token(session, role="crew", crew_id=crew.id) for _ in range(2)]
    sent = [change("order.accept", order.id, base_version=1) for _ in tokens]
    answers = _at_once([lambda t=t, c=c: house.sync(t, c) for t, c in zip(tokens, sent, strict=True)])
    assert sorted(b'"applied"' in a for a in answers) == [False, True]
    assert any(b"stale_version" in a for a in answers)
    with committed() as session:
        order = session.get(WorkOrder, order.id)
        assert (order.status, order.version) == ("accepted", 2)


def test_a_change_that_breaks_in_the_middle_leaves_nothing_and_may_be_sent_again(committed, house, monkeypatch):
    from gis.inspections import actions

    with committed.begin() as session:
        site, token = make_site(session), _token(session, role="inspector")
    sent = [submitting(visit(site_id=site.id)) for _ in range(3)]

    keep = actions.submit_all

    def breaks(session: Any, who: Any, ready: Any, zone: Any) -> Any:
        kept = keep(session, who, ready, zone)
        if any(str(one.visit.id) == sent[1]["thing_id"] for one in ready):
            raise RuntimeError("the disk is on fire")
        return kept

    monkeypatch.setattr(actions, "submit_all", breaks)
    import json

    results = json.loads(house.sync(token, *sent))["results"]
    assert [(r["verdict"], r["retry"]) for r in results] == [("applied", False), ("refused", True), ("applied", False)]
    with committed() as session:
        assert session.scalar(select(func.count()).select_from(Inspection)) == 2
    monkeypatch.undo()
    again = json.loads(house.sync(token, *sent))["results"]
    assert [r["verdict"] for r in again] == ["applied"] * 3
    assert [again[0], again[2]] == [results[0], results[2]]

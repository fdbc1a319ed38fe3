"""Two at the same moment, in real transactions: one complaint, one use of a proof, an exact count, one acceptance."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gis.complaints.actions import receive, take_step
from gis.complaints.lines import add_line, earlier
from gis.complaints.model import Complaint
from gis.complaints.rules import SourceNumberTaken
from gis.journal import Who
from gis.places.queries import working_days
from gis.portal import actions
from gis.portal.model import CallerRating, PublicMeter, PublicReport, SpentProof
from gis.portal.proof import solve, unseal
from gis.portal.rules import Asked
from gis.settings import Settings
from tests.conftest import NOW
from tests.factories import make_complaint
from tests.webapp.test_public import said
from webapp.app import create_app
from webapp.filters import zone
from webapp.public_guard import key_for

MANY = 6


@pytest.fixture
def live(committed, tmp_path):
    """The application on a database of its own, with real transactions."""
    url = committed.kw["bind"].url.render_as_string(False)
    app = create_app(
        Settings(data_dir=tmp_path, database_url=url, public_proof_bits=1, public_proof_most_bits=2), clock=lambda: NOW
    )
    app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False)
    yield app
    app.extensions["engine"].dispose()


def at_once(act, count=MANY):
    """What each of several got, all let loose at the same moment."""
    gate = Barrier(count)

    def run(n):
        gate.wait()
        try:
            return act(n)
        except Exception as error:  # noqa: BLE001 - the kind of refusal is what is asked
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def proof(app):
    token = app.test_client().get("/public/challenge.json").json["token"]
    with app.app_context():
        answers = solve(unseal(key_for("proof"), token))
    return {"proof": token, "answers": ",".join(map(str, answers))}


def rows(sessions, model):
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(model))


def test_one_sending_that_arrives_six_times_at_once_is_one_complaint_with_one_number(live, committed):
    sent = said() | proof(live)
    told = at_once(lambda n: live.test_client().post("/public/report.json", data=sent))
    assert {r.status_code for r in told} == {200} and len({r.json["number"] for r in told}) == 1
    assert rows(committed, Complaint) == rows(committed, PublicReport) == rows(committed, SpentProof) == 1


def test_one_proof_with_six_reports_at_once_is_used_by_one(live, committed):
    solved = proof(live)
    told = at_once(lambda n: live.test_client().post("/public/report.json", data=said() | solved))
    assert sorted(r.status_code for r in told) == [200] + [409] * (MANY - 1)
    assert rows(committed, Complaint) == 1


def test_six_who_ask_at_once_are_counted_as_six(committed):
    def ask(n):
        with committed() as session:
            made = actions.count(session, Asked.REPORT, b"n" * 16, NOW)
            session.commit()
            return made

    assert sorted(at_once(ask)) == list(range(1, MANY + 1))
    with committed() as session:
        assert session.scalars(select(PublicMeter.count)).all() == [MANY]


def test_dissatisfied_six_times_at_once_reopens_once(committed):
    with committed() as session:
        complaint = make_complaint(session)
        take_step(session, Who(NOW), complaint, "answer", data={"answer": "好"})
        session.commit()
        complaint_id = complaint.id

    def judge(n):
        with committed() as session:
            mine = session.get_one(Complaint, complaint_id)
            done = actions.rate(session, Who(NOW), mine, uuid4(), satisfied=False, reason="not_fixed", note="")
            session.commit()
            return done

    told = at_once(judge)
    assert told.count(True) == 1 and {type(t).__name__ for t in told if t is not True} == {"NotAnswered"}
    with committed() as session:
        assert session.get_one(Complaint, complaint_id).reopen_count == 1
    assert rows(committed, CallerRating) == 1


def _take(session: Session, app, **given):
    with app.app_context():
        return receive(session, Who(NOW), category="heat.none", description="不热", place="文丰小区", lon=None, lat=None, zone=zone(),
                       calendar=working_days(session), **({"channel": "12345"} | given))  # fmt: skip


def test_the_same_number_of_a_channel_six_times_at_once_is_accepted_once(live, committed):
    def accept(n):
        with committed() as session:
            made = _take(session, live, source_no="12345-77")
            session.commit()
            return made.hotline_no

    told = at_once(accept)
    assert sum(isinstance(t, SourceNumberTaken) for t in told) == MANY - 1
    with committed() as session:
        assert earlier(session, "12345", None, "12345-77").hotline_no == next(t for t in told if isinstance(t, str))


def test_a_number_is_unique_in_its_channel_and_line_and_free_in_another(live, committed):
    with committed() as session:
        one, two = (add_line(session, Who(NOW), "heat_hotline", name, None, None) for name in ("兴平热线", "金泉热线"))
        for given in ({"channel": "12319"}, {"channel": "12345"}, {"channel": "heat_hotline"},
                      {"channel": "heat_hotline", "line_id": one.id}, {"channel": "heat_hotline", "line_id": two.id}):  # fmt: skip
            _take(session, live, source_no="7", **given)
        with pytest.raises(SourceNumberTaken):
            _take(session, live, source_no="7", channel="heat_hotline", line_id=one.id)

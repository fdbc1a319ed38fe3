"""Deliveries are made of the journal once, sent in order, tried again for a day, and given up into a list."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from gis import journal
from gis.complaints.actions import take_step
from gis.errors import Missing
from gis.journal import Who
from gis.people.rules import CITY, Scope
from gis.webhooks import actions, queries
from gis.webhooks.actions import Answer
from gis.webhooks.model import WebhookDelivery
from gis.webhooks.rules import EVENTS, GIVE_UP, TRIES, BadEvents, DeliveryStatus, NotDead
from tests.conftest import NOW
from tests.factories import make_area, make_complaint, make_unit, square

OK, FAILED, GONE = Answer(200, None, 5), Answer(None, "connection", 5), Answer(410, "status", 5)


def _hook(session, **fields):
    given = {"name": "供热公司", "url": "https://example.com/", "events": list(EVENTS), "secret": b"x", "unit_id": None}
    return actions.add(session, Who(NOW), **(given | fields))


def _at(**later):
    return Who(NOW + timedelta(**later))


@pytest.fixture
def feed(session, monkeypatch):
    """Read the journal of this test's own transaction, which the horizon would hide."""
    monkeypatch.setattr(
        journal, "_READ", text(journal._READ.text.replace("AND txid < pg_snapshot_xmin(pg_current_snapshot())", ""))
    )
    monkeypatch.setattr(
        journal, "_END", text(journal._END.text.replace("WHERE txid < pg_snapshot_xmin(pg_current_snapshot())", ""))
    )
    actions.feed(session, Who(NOW))
    return lambda: actions.feed(session, Who(NOW))


def _receive(session, **fields):
    complaint = make_complaint(session, **fields)
    journal.write(session, Who(NOW), "receive", "complaint", complaint.id, version=1, area_id=complaint.district_id,
                  unit_id=complaint.unit_id, channel=complaint.channel)  # fmt: skip
    return complaint


def _deliveries(session):
    return list(session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))


def test_an_event_becomes_one_delivery_for_each_webhook_that_asked(session, feed):
    all_of_it, receiving = _hook(session), _hook(session, events=["complaint.receive"])
    complaint = _receive(session)
    take_step(session, Who(NOW), complaint, "cancel", data={"reason": "mistake", "note": "张三 13800138000"})
    assert feed().made == 3
    told = [(d.webhook_id, d.type) for d in _deliveries(session)]
    assert sorted(told) == sorted([(all_of_it.id, "complaint.receive"), (receiving.id, "complaint.receive"),
                                   (all_of_it.id, "complaint.cancel")])  # fmt: skip
    assert feed().made == 0


def test_reading_the_journal_again_keeps_every_delivery_once(session, feed):
    _hook(session)
    _receive(session)
    before = session.scalar(text("SELECT cursor FROM webhook_feed"))
    feed()
    session.execute(text("UPDATE webhook_feed SET cursor = :c"), {"c": before})
    session.expire_all()
    feed()
    assert len(_deliveries(session)) == 1


def test_what_is_not_of_complaints_is_read_once(session, feed):
    _hook(session)
    for n in range(5):
        journal.write(session, Who(NOW), "sign_in", "user", n)
    session.flush()
    feed()
    last = session.execute(
        text("SELECT txid::text, seq FROM journal ORDER BY journal.txid DESC, seq DESC LIMIT 1")
    ).one()
    assert session.scalar(text("SELECT cursor FROM webhook_feed")) == f"{last.txid}.{last.seq}"


def test_what_is_told_holds_nothing_about_a_person(session, feed):
    _hook(session)
    complaint = _receive(session, place="红旗路 7 号", description="王五家不热 13912345678")
    take_step(session, Who(NOW), complaint, "cancel", data={"reason": "mistake", "note": "李四说的"})
    feed()
    for one in _deliveries(session):
        assert complaint.hotline_no in one.body
        for secret in ("红旗路", "王五", "13912345678", "李四", "note"):
            assert secret not in one.body


def test_a_company_hears_only_of_what_it_answers_for_and_an_area_only_of_its_own(session, feed):
    mine, other = make_unit(session, kind="heat_company"), make_unit(session, kind="heat_company")
    area = make_area(session, geom=square(119.9, 36.7, half=0.1))
    of_unit, of_area = _hook(session, unit_id=mine.id), _hook(session, area_id=area.id)
    whole = _hook(session, unit_id=make_unit(session, kind="bureau").id)
    _receive(session, unit_id=mine.id, at=(119.9, 36.7), district_id=area.id)
    _receive(session, unit_id=other.id)
    feed()
    assert sorted(d.webhook_id for d in _deliveries(session)) == sorted([of_unit.id, of_area.id, whole.id, whole.id])


def test_nobody_is_told_of_what_was_before_they_asked(session, feed):
    _receive(session)
    actions.add(
        session, _at(hours=1), name="n", url="https://e.com/", events=["complaint.receive"], secret=b"", unit_id=None
    )
    feed()
    assert _deliveries(session) == []


def _one(session, feed):
    hook = _hook(session)
    _receive(session)
    feed()
    return hook, _deliveries(session)[0]


def test_what_arrives_is_written_down(session, feed):
    hook, row = _one(session, feed)
    claimed = actions.claim(session, Who(NOW), hook.id)
    assert (claimed.id, claimed.event_id, claimed.url) == (row.id, row.event_id, hook.url)
    assert actions.record(session, Who(NOW), row.id, OK, 0) == DeliveryStatus.DELIVERED
    assert actions.claim(session, _at(days=1), hook.id) is None
    assert queries.health(session, hook.id).last_ok_at == NOW


def test_a_sender_that_dies_leaves_it_to_another_after_the_lease(session, feed):
    hook, row = _one(session, feed)
    assert actions.claim(session, Who(NOW), hook.id).id == row.id
    assert actions.claim(session, _at(seconds=30), hook.id) is None
    assert actions.claim(session, _at(minutes=3), hook.id).id == row.id


def test_it_is_tried_eight_times_over_a_day_and_then_in_the_dead_letters(session, feed):
    hook, row = _one(session, feed)
    at, tries = NOW, []
    while row.status == DeliveryStatus.WAITING:
        at = max(row.next_at, queries.health(session, hook.id).rests_until if tries else at)
        assert actions.claim(session, Who(at), hook.id)
        tries.append(at)
        actions.record(session, Who(at), row.id, FAILED, 0)
    assert len(tries) == TRIES
    assert timedelta(days=1) < at - NOW < GIVE_UP
    assert (row.status, row.next_at, len(row.log)) == (DeliveryStatus.DEAD, None, TRIES)
    assert queries.dead_count(session, CITY) == 1
    assert [name for _row, name in queries.dead(session, CITY)] == [hook.name]
    assert queries.dead_count(session, Scope(unit_id=-1)) == 0


def test_dead_letters_are_sent_again_one_or_all(session, feed):
    hook = _hook(session)
    for _ in range(3):
        _receive(session)
    feed()
    session.execute(text("UPDATE webhook_delivery SET status = 'dead', next_at = NULL, attempts = 8"))
    first = session.scalar(text("SELECT min(id) FROM webhook_delivery"))
    assert actions.resend(session, Who(NOW), CITY, hook, first) == 1
    with pytest.raises(NotDead):
        actions.resend(session, Who(NOW), CITY, hook, first)
    assert actions.resend(session, Who(NOW), CITY, hook, None) == 2
    assert actions.resend(session, Who(NOW), CITY, hook, None) == 0
    assert session.scalars(text("SELECT attempts FROM webhook_delivery WHERE status = 'waiting'")).all() == [0, 0, 0]


def test_a_receiver_that_fails_rests_as_a_whole_and_is_asked_again(session, feed):
    hook = _hook(session)
    for _ in range(2):
        _receive(session)
    feed()
    claimed = actions.claim(session, Who(NOW), hook.id)
    actions.record(session, Who(NOW), claimed.id, FAILED, 0)
    assert actions.claim(session, _at(seconds=4), hook.id) is None
    assert queries.due(session, _at(seconds=4).now) == []
    assert queries.due(session, _at(seconds=6).now) == [hook.id]
    assert actions.claim(session, _at(seconds=6), hook.id) is not None


def test_everything_of_a_receiver_that_was_silent_for_more_than_a_day_is_given_up(session, feed):
    hook, row = _one(session, feed)
    actions.claim(session, Who(NOW), hook.id)
    actions.record(session, Who(NOW), row.id, FAILED, 0)
    _receive(session)
    feed()
    assert actions.give_up(session, Who(NOW + GIVE_UP)) == 0
    assert actions.give_up(session, Who(NOW + GIVE_UP + timedelta(minutes=1))) == 2


def test_gone_is_believed(session, feed):
    hook, row = _one(session, feed)
    actions.claim(session, Who(NOW), hook.id)
    assert actions.record(session, Who(NOW), row.id, GONE, 0) == DeliveryStatus.DEAD
    assert not hook.active


def test_a_wait_the_receiver_asks_for_is_kept(session, feed):
    hook, row = _one(session, feed)
    actions.claim(session, Who(NOW), hook.id)
    actions.record(session, Who(NOW), row.id, Answer(503, "status", 5, retry_after_s=3600), 0)
    assert row.next_at == NOW + timedelta(hours=1)


def test_what_happens_while_paused_waits(session, feed):
    hook = _hook(session)
    actions.pause(session, Who(NOW), hook, False)
    _receive(session)
    assert feed().made == 1
    assert actions.claim(session, Who(NOW), hook.id) is None
    assert queries.due(session, NOW) == []
    actions.pause(session, Who(NOW), hook, True)
    assert actions.claim(session, Who(NOW), hook.id)


def test_a_changed_secret_signs_beside_the_old_one_for_a_day(session, feed):
    hook, _row = _one(session, feed)
    actions.rotate(session, Who(NOW), hook, b"new")
    claimed = actions.claim(session, _at(hours=1), hook.id)
    assert (claimed.secret, claimed.previous_secret) == (b"new", b"x")
    assert actions.claim(session, _at(days=2), hook.id).previous_secret is None


def test_two_workers_never_take_the_same_delivery(committed):
    with committed() as session:
        hook = _hook(session)
        actions.send_test(session, Who(NOW), hook, "a")
        session.commit()
    with committed() as one, committed() as two:
        assert actions.claim(one, Who(NOW), hook.id) is not None
        assert actions.claim(two, Who(NOW), hook.id) is None


def test_wrong_requests_are_refused(session):
    for wrong in ([], ["complaint.unmask"], ["user.add"]):
        with pytest.raises(BadEvents):
            _hook(session, events=wrong)
    with pytest.raises(Missing):
        _hook(session, unit_id=10**9)
    with pytest.raises(Missing):
        queries.webhook(session, Scope(area_id=1), _hook(session).id)

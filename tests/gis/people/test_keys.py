"""Keys of bodies: told once, counted by every process together, and dead when they are revoked or over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from gis import journal
from gis.errors import BadInput, Missing
from gis.journal import Who
from gis.people import keys
from gis.people.actions import digest
from gis.people.rules import CITY, BadKeyRights, KeyRefused, Scope, TooManyCalls
from tests.conftest import NOW
from tests.factories import make_unit


def make(session, **fields):
    given = {"name": "公众号", "rights": ["receive_complaint"]} | fields
    if "unit_id" not in given:
        given["unit_id"] = make_unit(session).id
    return keys.make_key(session, Who(NOW), **given)


def test_only_the_hash_of_a_key_is_kept_and_how_it_begins(session):
    secret, key = make(session)
    assert len(secret) - len(key.prefix) - 1 == 43
    assert secret.startswith(key.prefix)
    assert key.hash == digest(secret)
    [entry] = journal.timeline(session, "api_key", key.id)
    assert secret.removeprefix(key.prefix) not in str(entry)


def test_a_key_speaks_for_its_body(session):
    unit = make_unit(session)
    secret, key = make(session, unit_id=unit.id)
    caller = keys.use_key(session, secret, NOW)
    assert (caller.key_id, caller.scope, caller.rights) == (key.id, Scope(unit_id=unit.id), {"receive_complaint"})


def test_a_key_of_the_bureau_sees_the_city(session):
    secret, _ = make(session, unit_id=make_unit(session, kind="bureau").id)
    assert keys.use_key(session, secret, NOW).scope == CITY


@pytest.mark.parametrize("secret", ["", "x", "cmk_", "cmk_00000000_nothing", "cmk_" + "x" * 5000])
def test_an_unknown_key_is_refused(session, secret):
    with pytest.raises(KeyRefused):
        keys.use_key(session, secret, NOW)


def test_a_revoked_key_is_refused_and_revoking_twice_is_no_error(session):
    secret, key = make(session)
    keys.revoke_key(session, Who(NOW), CITY, key.id)
    keys.revoke_key(session, Who(NOW + timedelta(1)), CITY, key.id)
    assert key.revoked_at == NOW
    with pytest.raises(KeyRefused):
        keys.use_key(session, secret, NOW)


def test_a_key_of_another_area_cannot_be_revoked_from_here(session):
    _, key = make(session)
    with pytest.raises(Missing):
        keys.revoke_key(session, Who(NOW), Scope(area_id=1), key.id)


def test_a_key_ends_at_its_moment(session):
    secret, _ = make(session, expires_at=NOW + timedelta(hours=1))
    assert keys.use_key(session, secret, NOW + timedelta(minutes=59))
    with pytest.raises(KeyRefused):
        keys.use_key(session, secret, NOW + timedelta(hours=1))


def test_what_a_key_cannot_hold_is_refused_by_name(session):
    for rights in ([], ["administer"], ["see_complaints", "unmask_caller"]):
        with pytest.raises(BadKeyRights):
            make(session, rights=rights)


@pytest.mark.parametrize(
    "fields", [{"name": " "}, {"per_minute": 0}, {"expires_at": NOW}, {"name": "x" * 121}, {"name": "a\nb"}]
)
def test_a_key_that_makes_no_sense_is_not_made(session, fields):
    with pytest.raises(BadInput):
        make(session, **fields)


def test_a_body_that_is_not_there_gets_no_key(session):
    with pytest.raises(Missing):
        make(session, unit_id=999_999)


def test_the_minute_is_counted_and_a_new_minute_begins_again(session):
    secret, key = make(session, per_minute=3)
    for second in range(3):
        keys.use_key(session, secret, NOW + timedelta(seconds=second))
    with pytest.raises(TooManyCalls) as told:
        keys.use_key(session, secret, NOW + timedelta(seconds=20))
    assert told.value.params == {"limit": 3, "seconds": 40}
    assert keys.use_key(session, secret, NOW + timedelta(seconds=60))
    session.refresh(key)
    assert key.last_used_at == NOW + timedelta(seconds=60)
    assert key.version == 1


def test_eight_clients_together_get_no_more_than_the_limit(committed):
    with committed() as session:
        secret, _ = make(session, per_minute=50)
        session.commit()

    def call(_):
        with committed() as session:
            try:
                keys.use_key(session, secret, NOW)
                session.commit()
            except TooManyCalls:
                return 0
            return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(call, range(80))) == 50

"""The chain names the first row that was changed, deleted, inserted or moved, and the heads that no longer match."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from gis import journal
from gis.audit import actions, queries
from gis.audit.check import check, read_heads
from gis.audit.rules import COLUMNS, Damage, compare, pack, unpack
from gis.errors import BadInput
from gis.journal import JournalEntry, Who
from tests.conftest import NOW
from tests.gis.audit.sealing import seal_all

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = actions.public_bytes(KEY)


@pytest.fixture
def kept(committed):
    """A journal of 30 rows in 10 transactions, sealed in blocks of 7."""
    for n in range(10):
        with committed() as session:
            for k in range(3):
                journal.write(
                    session, Who(NOW, 1), "assign", "complaint", 3 * n + k, version=k, note=f"第{n}次", x=1.50
                )
            session.commit()
    seal_all(committed, limit=7)
    with committed() as session:
        actions.sign(session, Who(NOW), KEY)
        session.commit()
    return committed


def _check(sessions, keys=(PUBLIC,), held=()):
    with sessions() as session:
        return check(session, keys, held)


def _tamper(sessions, *statements):
    """As somebody who owns the tables and has switched the triggers off."""
    with sessions() as session:
        session.execute(text("ALTER TABLE journal DISABLE TRIGGER journal_is_kept"))
        session.execute(text("ALTER TABLE journal_seal DISABLE TRIGGER journal_is_kept"))
        session.execute(text("ALTER TABLE journal_head DISABLE TRIGGER journal_is_kept"))
        for statement in statements:
            session.execute(text(statement))
        session.commit()


def test_an_untouched_journal_is_as_it_was_sealed(kept):
    found = _check(kept)
    assert found.ok
    assert (found.rows, found.seals, found.heads, found.unsealed) == (30, 5, 1, 0)


@pytest.mark.parametrize(
    ("statement", "damage", "seq"),
    [
        ("UPDATE journal SET data = jsonb_set(data, '{note}', '\"x\"') WHERE seq = 12", "changed", 12),
        ("UPDATE journal SET at = at + interval '1 microsecond' WHERE seq IN (12, 20)", "changed", 12),
        ("UPDATE journal SET user_id = NULL WHERE seq = 30", "changed", 30),
        ("UPDATE journal SET thing_id = '999' WHERE seq = 1", "changed", 1),
        ("DELETE FROM journal WHERE seq = 17", "deleted", 17),
        ("DELETE FROM journal WHERE seq IN (1, 30)", "deleted", 1),
        ("UPDATE journal SET txid = (SELECT txid FROM journal WHERE seq = 25) WHERE seq = 4", "moved", 4),
        (
            "INSERT INTO journal (txid, at, verb, thing, thing_id) SELECT txid, at, 'assign', 'complaint', '7'"
            " FROM journal WHERE seq = 8",
            "inserted",
            31,
        ),
    ],
)
def test_the_first_broken_row_is_named(kept, statement, damage, seq):
    _tamper(kept, statement)
    found = _check(kept).as_dict()
    assert not found["ok"]
    assert (found["first"]["damage"], found["first"]["what"], found["first"]["number"]) == (damage, "row", seq)


def test_a_seal_made_to_fit_a_changed_row_breaks_the_seals_after_it_and_the_head(kept):
    _tamper(kept, "UPDATE journal SET verb = 'cancel' WHERE seq = 9")
    with kept() as session:
        rows = queries.rows_to_seal(session, "0", 0, 14)[7:]
        session.execute(text("UPDATE journal_seal SET digests = :d WHERE n = 2"), {"d": pack(rows)})
        session.commit()
    assert [(b.damage, b.number) for b in _check(kept).broken] == [(Damage.SEAL, 2)]


def test_a_journal_written_anew_does_not_lead_to_the_head_that_somebody_holds(kept):
    with kept() as session:
        held = queries.document(queries.last_head(session))
    _tamper(kept, "DELETE FROM journal_head", "DELETE FROM journal_seal", "UPDATE journal SET verb = 'x' WHERE seq = 3")
    seal_all(kept, limit=7)
    assert _check(kept).ok  # nothing inside can tell
    told = _check(kept, held=[held])
    assert [b.damage for b in told.broken] == [Damage.HEAD]
    assert "no longer leads to it" in told.broken[0].detail


def test_a_missing_seal_is_named(kept):
    _tamper(kept, "DELETE FROM journal_seal WHERE n = 3")
    assert (_check(kept).broken[0].damage, _check(kept).broken[0].number) == (Damage.SEAL, 3)


def test_seals_cut_off_at_the_end_are_told_by_the_head(kept):
    _tamper(kept, "DELETE FROM journal_seal WHERE n = 5", "DELETE FROM journal WHERE seq > 28")
    assert [b.damage for b in _check(kept).broken] == [Damage.HEAD]


def test_a_head_signed_by_another_or_changed_is_told(kept):
    assert [b.damage for b in _check(kept, keys=[bytes(32)]).broken] == [Damage.KEY]
    _tamper(kept, "UPDATE journal_head SET rows = 29")
    assert [b.damage for b in _check(kept).broken] == [Damage.SIGNATURE]


def test_newer_rows_are_told_as_not_sealed_yet(kept):
    with kept() as session:
        journal.write(session, Who(NOW), "receive", "complaint", 99)
        session.commit()
    found = _check(kept)
    assert found.ok
    assert found.unsealed == 1


def test_a_row_of_an_older_transaction_that_commits_late_is_sealed_in_its_place(committed):
    with committed() as early, committed() as late:
        journal.write(early, Who(NOW), "a", "thing", 1)
        early.flush()
        journal.write(late, Who(NOW), "b", "thing", 2)
        late.commit()
        with committed() as session:
            assert actions.seal(session, Who(NOW)).rows == 0
        early.commit()
    assert seal_all(committed) == 2
    assert _check(committed).ok


def test_every_column_of_the_journal_is_sealed():
    assert {c.name for c in JournalEntry.__table__.columns} == {"at" if c == "at_us" else c for c in COLUMNS}


def test_an_outsider_can_do_it_again_from_the_document(kept):
    """With nothing of ours but the description in the README."""
    import hashlib

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    with kept() as session:
        head = queries.document(queries.last_head(session))
        seals = [(s.n, bytes(s.digests)) for s in queries.all_seals(session)]
    before = bytes(32)
    for n, digests in seals:
        before = hashlib.sha256(before + n.to_bytes(8, "big") + digests).digest()
    assert before.hex() == head["hash"]
    message = json.dumps({k: v for k, v in head.items() if k != "signature"}, sort_keys=True, separators=(",", ":"))
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(head["public_key"]))
    key.verify(base64.b64decode(head["signature"]), message.encode())


def test_heads_are_read_as_one_document_a_list_or_lines():
    assert read_heads('{"a": 1}') == [{"a": 1}]
    assert read_heads('[{"a": 1}, {"a": 2}]') == [{"a": 1}, {"a": 2}]
    assert read_heads('{"a": 1}\n{"a": 2}\n') == [{"a": 1}, {"a": 2}]
    for wrong in ("hello", "[1]", "7"):
        with pytest.raises(BadInput):
            read_heads(wrong)


ROWS = st.lists(st.integers(1, 60), min_size=1, max_size=20, unique=True)


def _rows(seqs):
    return [["1", seq, 0, None, None, "v", "t", "1", None, None, None, "{}"] for seq in seqs]


@given(ROWS)
def test_packing_keeps_order_and_numbers(seqs):
    assert [seq for seq, _ in unpack(pack(_rows(seqs)))] == seqs
    assert compare(pack(_rows(seqs)), pack(_rows(seqs))) == []


@given(ROWS, ROWS)
def test_any_difference_is_told(one, other):
    assert bool(compare(pack(_rows(one)), pack(_rows(other)))) == (one != other)

"""Prepared questions: planned once per connection, whatever becomes of the transaction they were prepared in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.prepared import Prepared

ADD = Prepared("SELECT :a + 1 AS more, '100%' AS share, :at::date AS day", a="integer", at="timestamptz")
AT = datetime(2009, 11, 17, tzinfo=UTC)


def test_the_values_are_given_by_name_and_the_rest_of_the_text_is_left_alone(session: Session):
    (row,) = ADD.rows(session, a=41, at=AT, unused="x")
    assert (row.more, row.share, row.day) == (42, "100%", AT.date())


def test_it_is_planned_once_and_outlives_a_rollback(session: Session):
    question = Prepared("SELECT :a * 2 AS twice", a="integer")
    with pytest.raises(ZeroDivisionError), session.begin_nested():
        question.rows(session, a=1)
        raise ZeroDivisionError
    assert question.rows(session, a=21)[0].twice == 42
    named = text("SELECT count(*) FROM pg_prepared_statements WHERE name = :name")
    assert session.scalar(named, {"name": question.key}) == 1


def test_one_plan_serves_all_values(session: Session):
    question = Prepared("SELECT :a * 3 AS thrice", a="integer")
    for i in range(3):
        question.rows(session, a=i)
    plans = text("SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = :name")
    assert session.execute(plans, {"name": question.key}).one() == (3, 0)


def test_a_parameter_without_a_type_is_refused():
    with pytest.raises(ValueError, match="no type for b"):
        Prepared("SELECT :b")

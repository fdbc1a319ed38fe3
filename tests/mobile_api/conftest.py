"""The phone of a crew."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests.factories import make_crew
from tests.phones import Phone


@pytest.fixture
def crew_phone(session: Session, phone_of: Callable[..., Phone]) -> Phone:
    crew = make_crew(session)
    return phone_of("crew", crew_id=crew.id)

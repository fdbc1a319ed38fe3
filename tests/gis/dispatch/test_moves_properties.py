"""Whatever is done in whatever order: nobody is booked twice, a complaint has one order, what is locked stays where it is."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gis.complaints.model import Complaint
from gis.complaints.rules import ASSIGNABLE, WITH_CREW
from gis.dispatch import acceptance, actions, moves, queries, together
from gis.dispatch.model import WorkOrder
from gis.dispatch.rules import Terms
from gis.errors import ChengmaiError
from gis.journal import Who
from gis.people.rules import CITY
from tests.conftest import NOW
from tests.factories import make_complaint, make_crew, make_user

TERMS = Terms(ZoneInfo("Asia/Shanghai"), reoffer=True)
CREWS, COMPLAINTS = 3, 4
VERBS = (
    "assign",
    "move",
    "lock",
    "unlock",
    "take_back",
    "undo",
    "accept",
    "return",
    "arrive",
    "resolve",
    "lapse",
    "all",
)
deeds = st.lists(
    st.tuples(
        st.sampled_from(VERBS), st.integers(0, COMPLAINTS - 1), st.integers(0, CREWS - 1),
        st.one_of(st.none(), st.integers(0, 30).map(lambda n: n * 10)), st.integers(0, 400),
    ),
    min_size=4, max_size=25,
)  # fmt: skip

_OVERLAPS = text(
    "SELECT count(*) FROM work_order a JOIN work_order b ON a.crew_id = b.crew_id AND a.id < b.id AND a.during && b.during"
    " WHERE a.status IN ('assigned','accepted','arrived') AND b.status IN ('assigned','accepted','arrived')"
)
_DOUBLE = text(
    "SELECT count(*) FROM (SELECT FROM work_order WHERE status IN ('assigned','accepted','arrived')"
    " GROUP BY complaint_id HAVING count(*) > 1) twice"
)


class World:
    """Three crews, four complaints, one dispatcher, and a clock that only goes forward."""

    def __init__(self, session):
        self.session, self.now = session, NOW
        self.crews = [make_crew(session, at=(119.96 + 0.01 * n, 36.78)) for n in range(CREWS)]
        self.phones = {crew.id: make_user(session, role="crew", crew_id=crew.id).id for crew in self.crews}
        self.rows = [make_complaint(session) for _ in range(COMPLAINTS)]
        self.user = make_user(session).id

    def do(self, verb, row, crew, start, seconds):
        self.now += timedelta(seconds=seconds)
        who, s = Who(self.now, self.user), self.session
        complaint, at = self.rows[row], None if start is None else self.now + timedelta(minutes=start)
        order = queries.open_order(s, complaint.id)
        if verb == "assign":
            actions.assign(
                s, who, complaint, self.crews[crew], base_version=None, terms=TERMS, start=at, override_reason="是"
            )
        elif verb == "all":
            wish = together.Wish("assign", CITY, TERMS, self.crews[crew] if start else None)
            together.all_or_none(s, who, wish, [together.Item(c.id) for c in self.rows])
        elif verb == "lapse":
            for complaint_id in acceptance.tell_lapsed(s, Who(self.now), TERMS):
                acceptance.offer_again(s, Who(self.now), complaint_id, TERMS)
        elif verb == "undo":
            latest = s.query(WorkOrder).filter_by(complaint_id=complaint.id).order_by(WorkOrder.id.desc()).first()
            if latest is not None:
                moves.undo(s, who, latest, terms=TERMS)
        elif order is not None:
            phone = Who(self.now, self.phones[order.crew_id])
            {
                "move": lambda: moves.move(s, who, order, self.crews[crew], start=at, terms=TERMS, override_reason="是"),
                "lock": lambda: moves.lock(s, who, order), "unlock": lambda: moves.lock(s, who, order, False),
                "take_back": lambda: moves.take_back(s, who, order), "accept": lambda: actions.accept(s, phone, order),
                "return": lambda: actions.return_order(s, phone, order, "no_skill"),
                "arrive": lambda: actions.arrive(s, phone, order), "resolve": lambda: actions.resolve(s, phone, order),
            }[verb]()  # fmt: skip

    def locked(self):
        found = (
            self.session.query(WorkOrder).filter_by(locked=True).filter(WorkOrder.status.in_(("assigned", "accepted")))
        )
        return {order.id: (order.crew_id, order.during) for order in found}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds)
def test_no_sequence_of_verbs_books_twice_doubles_an_order_or_moves_what_is_locked(session, sequence):
    outer = session.begin_nested()
    world = World(session)
    for verb, row, crew, start, seconds in sequence:
        locked = world.locked()
        try:
            with session.begin_nested():
                world.do(verb, row, crew, start, seconds)
        except ChengmaiError:
            session.expire_all()
        assert session.scalar(_OVERLAPS) == 0
        assert session.scalar(_DOUBLE) == 0
        for order_id, (crew_id, during) in locked.items():
            order = session.get_one(WorkOrder, order_id, populate_existing=True)
            assert (order.crew_id, order.during) == (crew_id, during), verb
            assert order.status != "recalled" or not order.locked, verb
        for complaint in world.rows:
            open_order = queries.open_order(session, complaint.id)
            status = session.get_one(Complaint, complaint.id).status
            assert (status in WITH_CREW) == (open_order is not None), (verb, status)
            assert status in WITH_CREW or status in ASSIGNABLE or status == "resolved"
    outer.rollback()

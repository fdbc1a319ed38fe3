"""The worker's part in webhooks: read the journal, send what is due, give up what nobody takes."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from gis import jobs
from gis.db import unit_of_work
from gis.journal import Who
from gis.webhooks import actions, queries
from gis.webhooks.actions import Answer, Claimed
from gis.webhooks.rules import Allowed, DeliveryStatus
from webapp.clock import clock_of, utc_now
from webapp.webhook_secrets import SecretLost, opened
from webapp.webhook_send import send
from webapp.worker import follow, periodic, settings, task

AT_ONCE = 200  # deliveries of one job at most; the rest is the next job's


@follow("feed_webhooks", every_s=1)
def feed_webhooks(session: Session, who: Who) -> bool:
    """Keep deliveries of what the journal tells, and have every webhook with something due be served by one job."""
    fed = actions.feed(session, who)
    for webhook_id in queries.due(session, who.now):
        jobs.defer(session, "send_webhooks", {"webhook_id": webhook_id}, lock=f"webhook:{webhook_id}")
    return fed.more


@task("send_webhooks", sessions=True)
def send_webhooks(sessions: sessionmaker[Session], who: Who, payload: dict[str, Any]) -> None:
    """Send what is due for one webhook, oldest first, until one fails: nobody is asked again at once who did not answer."""
    clock = clock_of(settings())
    for _ in range(AT_ONCE):
        with unit_of_work(sessions) as session:
            claimed = actions.claim(session, Who(clock()), payload["webhook_id"])
        if claimed is None:
            return
        answer = _try(claimed)  # no transaction is open while somebody else is waited for
        with unit_of_work(sessions) as session:
            became = actions.record(session, Who(clock()), claimed.id, answer, random.random())
        if became != DeliveryStatus.DELIVERED:
            return


def _try(claimed: Claimed) -> Answer:
    place = settings().data_dir
    try:
        secrets = [opened(place, kept) for kept in (claimed.secret, claimed.previous_secret) if kept is not None]
    except SecretLost as error:
        return Answer(None, error.code, 0)
    # receivers hold the timestamp against their own clock: it is the real one, whatever the house's clock shows
    return send(claimed, secrets, Allowed.read(settings().webhook_allow), int(utc_now().timestamp()))


@periodic("*/5 * * * *", "bury_webhooks")
def bury_webhooks(session: Session, who: Who, payload: dict[str, Any]) -> None:
    """Put into the dead-letter list what was not taken for more than a day, and forget what arrived long ago."""
    actions.give_up(session, who)
    actions.forget(session, who)

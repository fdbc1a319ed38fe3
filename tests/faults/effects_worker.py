"""A worker with one task whose effect is a row; run by `test_killed_worker.py` as a process of its own, to be killed."""

import sys
import time

from sqlalchemy import text

from gis.settings import Settings
from webapp import work, worker


@worker.task("count_me")
def count_me(session, who, payload):
    session.execute(text("INSERT INTO effect (n, at) VALUES (:n, :at)"), {"n": payload["n"], "at": who.now})
    time.sleep(0.02)


class SlowToTell(worker.Bench):
    """Leaves time to be killed in the worst moment: the effect is committed, the queue has not been told."""

    def run(self, name, job_id, payload):
        done = super().run(name, job_id, payload)
        time.sleep(0.03)
        return done


if __name__ == "__main__":
    worker.Bench = SlowToTell
    worker.FOLLOWERS.clear()
    print("working", flush=True)
    work.work(Settings(), sys.argv[1], stalled_s=1.2)

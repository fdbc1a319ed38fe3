"""The product's own worker with short patience, run by `test_killed_webhooks.py` as a process of its own, to be killed."""

from datetime import timedelta

from gis.settings import Settings
from gis.webhooks import actions
from webapp import work

if __name__ == "__main__":
    actions.LEASE = timedelta(seconds=4)  # longer than a busy machine makes one delivery wait
    print("working", flush=True)
    settings = Settings()
    work.work(settings, settings.database_url, stalled_s=1.2)

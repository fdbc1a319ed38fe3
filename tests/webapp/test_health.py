"""Health tells whether a worker lives and how long jobs wait; metrics the same in numbers."""

from sqlalchemy import text

from gis import jobs


def test_without_a_worker_it_is_degraded_and_with_one_it_is_ok(client, session):
    assert client.get("/health.json").json["status"] == "degraded"
    session.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    told = client.get("/health.json").json
    assert (told["status"], told["worker"], told["database"]) == ("ok", "alive", "ok")
    session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = clock_timestamp() - interval '1 minute'"))
    assert client.get("/health.json").json["worker"] == "missing"


def test_a_job_that_waits_too_long_is_told(client, session):
    session.execute(text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    jobs.defer(session, "x")
    session.execute(text("UPDATE procrastinate_events SET at = clock_timestamp() - interval '5 minutes'"))
    told = client.get("/health.json").json
    assert told["status"] == "degraded"
    assert told["queue_lag_s"] > 290


def test_the_numbers_are_for_this_machine_alone(client, session):
    jobs.defer(session, "x")
    told = client.get("/metrics").text
    assert 'chengmai_jobs{state="waiting"} 1.0' in told
    assert "chengmai_worker_heard_seconds -1.0" in told
    assert "chengmai_journal_unsealed_rows" in told
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "10.0.0.1"}).status_code == 403

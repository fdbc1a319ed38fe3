"""Readings over a real broker: nothing is lost when the database, the broker or we are away, and twice is once."""

import contextlib
import json
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import paho.mqtt.client as paho
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import sessionmaker

from gis.db import make_engine
from gis.settings import Settings
from tests.brokers import Broker
from tests.conftest import NOW
from tests.measured import make_point
from webapp import mqtt
from webapp.mqtt import BadBroker, Subscriber, readings_in

WAIT_S = 60
LATER = datetime(2009, 11, 17, 12, tzinfo=UTC)


@pytest.fixture
def broker(tmp_path):
    made = Broker(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def database(new_database):
    made = make_engine(new_database())
    yield sessionmaker(made, expire_on_commit=False)
    made.dispose()


@pytest.fixture
def committed(database):
    """One database for all of them, emptied of what they measure."""
    with database.begin() as session:
        session.execute(text("TRUNCATE reading, reading_fault, measuring_point CASCADE"))
        session.execute(text("DELETE FROM station"))
    return database


@pytest.fixture
def points(committed):
    with committed.begin() as session:
        return [make_point(session, code=code).code for code in ("A", "B")]


@contextlib.contextmanager
def subscribed(broker, sessions, **more):
    """A subscriber at work, ready to receive; stopped at the end."""
    settings = Settings(**({"mqtt_url": broker.url} | more))
    made = Subscriber(settings, sessions, lambda: LATER)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        until(lambda: made.line > 0)
        yield made
    finally:
        made.stop()
        thread.join(WAIT_S)
        assert not thread.is_alive()


def until(true):
    """Wait for a condition; the test fails where it never comes."""
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def publish(broker, *messages, username=None, password=None, tls=None):
    """Messages (topic, body), each acknowledged by the broker before this returns."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    if username:
        client.username_pw_set(username, password)
    if tls:
        client.tls_set(str(tls))
    client.connect("localhost" if tls else "127.0.0.1", broker.port)
    client.loop_start()
    for told in [
        client.publish(topic, body if isinstance(body, bytes) else json.dumps(body), qos=1) for topic, body in messages
    ]:
        told.wait_for_publish(WAIT_S)
        assert told.is_published()
    client.disconnect()
    client.loop_stop()


def count(sessions):
    with sessions() as session:
        return session.scalar(text("SELECT count(*) FROM reading"))


def reading(point, n):
    return {"point": point, "at": (NOW + timedelta(seconds=n)).isoformat(), "value": 50 + n / 100}


def test_messages_become_readings_and_what_is_none_becomes_a_fault(broker, committed, points):
    with subscribed(broker, committed):
        publish(
            broker,
            ("chengmai/readings/all", {"readings": [reading("A", 1), reading("B", 1)]}),
            ("chengmai/readings/A", {"at": NOW.isoformat(), "value": 49.5}),
            ("chengmai/readings/B", 51.25),
            ("chengmai/readings/A", b"\xff{"),
            ("chengmai/readings/A", {"at": NOW.isoformat(), "value": 49.5}),
            ("chengmai/readings/nowhere", [reading("X", 1)]),
            ("somewhere/else", [reading("A", 99)]),
        )
        until(lambda: count(committed) == 4)

        def faults():
            with committed() as session:
                return sorted(
                    map(tuple, session.execute(text("SELECT object, kind, came_by, times FROM reading_fault")))
                )

        until(lambda: len(faults()) == 2)
        assert faults() == [("X", "unknown_point", "mqtt", 1), ("chengmai/readings/A", "unreadable", "mqtt", 1)]


def test_what_comes_while_we_are_away_and_while_the_broker_restarts_is_kept(broker, committed, points):
    with subscribed(broker, committed):
        publish(broker, ("chengmai/readings/x", [reading("A", 0)]))
        until(lambda: count(committed) == 1)
    publish(broker, *(("chengmai/readings/x", [reading("A", n)]) for n in range(1, 40)))
    broker.stop()
    broker.start()
    with subscribed(broker, committed) as subscriber:
        until(lambda: count(committed) == 40)
        broker.stop()
        broker.start()
        until(lambda: subscriber.line == 2)
        publish(broker, ("chengmai/readings/x", [reading("A", n) for n in range(30, 50)]))
        until(lambda: count(committed) == 50)


def test_nothing_is_acknowledged_before_it_is_committed(broker, committed, points, monkeypatch):
    monkeypatch.setattr(mqtt, "SHORTEST_S", 0.05)
    tried, down = [], threading.Event()
    down.set()

    def sessions():
        if down.is_set():
            tried.append(1)
            raise OperationalError("away", None, Exception())
        return committed()

    with subscribed(broker, sessions):
        publish(broker, *(("chengmai/readings/x", [reading("B", n)]) for n in range(30)))
        until(lambda: len(tried) >= 3)
    assert count(committed) == 0  # it left with everything unacknowledged
    with subscribed(broker, sessions) as subscriber:
        until(lambda: len(tried) >= 5)
        assert subscriber.waiting.qsize() <= mqtt.IN_FLIGHT
        down.clear()
        until(lambda: count(committed) == 30)


def test_a_message_that_the_database_refuses_does_not_hold_up_the_others(broker, committed, points, monkeypatch):
    from psycopg2.errors import DataError
    from sqlalchemy.exc import DBAPIError

    real = mqtt.keep

    def keep(session, who, scope, rows, *rest, **more):
        if any(row.get("value") == 66 for row in rows):
            raise DBAPIError("no", None, DataError())
        return real(session, who, scope, rows, *rest, **more)

    monkeypatch.setattr(mqtt, "keep", keep)
    with subscribed(broker, committed):
        publish(
            broker,
            *(
                ("chengmai/readings/A", {"at": (NOW + timedelta(seconds=n)).isoformat(), "value": v})
                for n, v in enumerate((50, 66, 51))
            ),
        )
        until(lambda: count(committed) == 2)
        with committed() as session:
            until(lambda: session.rollback() or session.scalar(text("SELECT kind FROM reading_fault")) == "unreadable")


def test_a_broker_with_tls_and_a_password(tmp_path, committed, points):
    authority = certificate(tmp_path)
    subprocess.run(
        ["mosquitto_passwd", "-b", "-c", str(tmp_path / "people"), "heat", "p@ss word"], check=True, capture_output=True
    )
    made = Broker(
        tmp_path,
        f"allow_anonymous false\npassword_file {tmp_path}/people\ncertfile {tmp_path}/server.pem\nkeyfile {tmp_path}/key.pem\n",
    )
    made.start()
    try:
        url = f"mqtts://heat:{quote('p@ss word')}@localhost:{made.port}"
        with subscribed(made, committed, mqtt_url=url, mqtt_ca=authority):
            publish(made, ("chengmai/readings/A", 50.5), username="heat", password="p@ss word", tls=authority)
            until(lambda: count(committed) == 1)
    finally:
        made.stop()


def certificate(place):
    """A certificate for localhost that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(today - timedelta(days=1)).not_valid_after(today + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (place / "server.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (place / "key.pem").write_bytes(key.private_bytes(*plain))
    return place / "server.pem"


@pytest.mark.parametrize("url", ["", "http://x", "mqtt://", "localhost:1883"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(BadBroker):
        Subscriber(Settings(mqtt_url=url), None, lambda: NOW)


@pytest.mark.parametrize(
    "payload", [b"", b"{", b'"x"', b"[[1]]", b"true", b"[" * 100_000, b"9" * 5_000, json.dumps([1] * 20_001).encode()]
)
def test_what_is_no_reading_is_told(payload):
    with pytest.raises(ValueError):
        readings_in("a/b", payload, NOW)

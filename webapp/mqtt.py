"""Readings from a broker: a subscriber that loses nothing and holds little.

At least once, from end to end: QoS 1, a session that the broker keeps while we are away, and a message is acknowledged only
after the readings in it are committed. What comes twice is the same row. Memory is bounded by the protocol itself: we tell
the broker how many messages may be under way (`IN_FLIGHT`), and it holds the others. When the database or the broker is
away we wait, longer each time, and nothing is acknowledged meanwhile.

A message is JSON: one reading, a list of them, or {"readings": […]}, as the interface takes them. A reading without a
`point` is of the point that the topic's last level names; a bare number is its value now.
"""

from __future__ import annotations

import json
import queue
import ssl
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from gis.db import unit_of_work
from gis.errors import BadInput
from gis.journal import Who
from gis.network.reading_actions import keep
from gis.network.reading_rules import FromWhere
from gis.people.rules import CITY
from gis.settings import Settings

IN_FLIGHT = 1_000  # messages that the broker gives us before we acknowledge some
READINGS_MOST = 20_000  # of one commit, and of one message
BYTES_MOST = 4 << 20  # of one message
GATHER_S = 0.05
SHORTEST_S, LONGEST_S = 1, 60
SESSION_S = 7 * 24 * 3600  # how long the broker keeps what comes while we are away
PORTS = {"mqtt": 1883, "mqtts": 8883}
log = structlog.get_logger()

Came = tuple[int, paho.MQTTMessage]  # the connection it came by, and the message


class BadBroker(BadInput):
    """CHENGMAI_MQTT_URL names no broker; it is mqtt://user:password@host:1883, or mqtts:// with TLS."""

    code = "bad_broker"


class Subscriber:
    """One subscription. `run` works in the calling thread until `stop`; the line has a thread of its own."""

    def __init__(self, settings: Settings, sessions: sessionmaker[Session], clock: Callable[[], datetime]) -> None:
        self.settings, self.sessions, self.clock = settings, sessions, clock
        self.waiting: queue.Queue[Came] = queue.Queue()  # never more than IN_FLIGHT: see the module
        self.line = 0  # which connection this is: a message is acknowledged on the one it came by, or never
        self.over = threading.Event()
        self.kept = 0
        self.client = self._client()

    def _client(self) -> paho.Client:
        url = urlsplit(self.settings.mqtt_url or "")
        if url.scheme not in PORTS or not url.hostname:
            raise BadBroker()
        client = paho.Client(
            CallbackAPIVersion.VERSION2, self.settings.mqtt_client_id, protocol=paho.MQTTv5, manual_ack=True
        )
        if url.username:
            client.username_pw_set(unquote(url.username), unquote(url.password or ""))
        if url.scheme == "mqtts":
            ca = str(self.settings.mqtt_ca) if self.settings.mqtt_ca else None
            client.tls_set(ca, cert_reqs=ssl.CERT_REQUIRED)
        client.reconnect_delay_set(SHORTEST_S, LONGEST_S)
        client.on_connect, client.on_disconnect, client.on_message = self._connected, self._disconnected, self._came
        properties = Properties(PacketTypes.CONNECT)
        properties.ReceiveMaximum, properties.SessionExpiryInterval = IN_FLIGHT, SESSION_S
        properties.MaximumPacketSize = BYTES_MOST
        client.connect_async(
            url.hostname, url.port or PORTS[url.scheme], keepalive=30, clean_start=False, properties=properties
        )
        return client

    # --- in the line's thread ----------------------------------------------------------------------------------------
    def _connected(self, client: paho.Client, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.warning("the broker refuses us", reason=str(reason))
            return
        self.line += 1
        if flags.session_present:  # whatever is waiting here comes again: holding both would have no bound
            self.waiting = queue.Queue()
        log.info("connected to the broker", resumed=bool(flags.session_present))
        client.subscribe(self.settings.mqtt_topic, qos=1)

    def _disconnected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not self.over.is_set():
            log.warning("the line to the broker broke; connecting again", reason=str(reason))

    def _came(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self.waiting.put((self.line, message))

    # --- in the calling thread ---------------------------------------------------------------------------------------
    def run(self) -> None:
        """Keep what comes until `stop`; then finish what is under way and leave. The broker keeps our place."""
        self.client.loop_start()
        try:
            while not self.over.is_set():
                messages = self._gather()
                if messages:
                    self._keep_until_kept(messages)
        finally:
            self.client.disconnect()
            self.client.loop_stop()

    def stop(self) -> None:
        """Leave soon."""
        self.over.set()

    def _gather(self) -> list[Came]:
        """What is there, up to a commit's worth; waits a moment for the first."""
        try:
            found = [self.waiting.get(timeout=0.2)]
        except queue.Empty:
            return []
        size, until = len(found[0][1].payload), time.monotonic() + GATHER_S
        while size < BYTES_MOST and len(found) < IN_FLIGHT:
            try:
                found.append(self.waiting.get(timeout=max(0.0, until - time.monotonic())))
            except queue.Empty:
                break
            size += len(found[-1][1].payload)
        return found

    def _keep_until_kept(self, messages: list[Came]) -> None:
        """Commit, then acknowledge. Without a database wait and try again: meanwhile the broker holds what follows."""
        wait = float(SHORTEST_S)
        while True:
            try:
                self._keep(messages)
                break
            except (OperationalError, InterfaceError) as error:
                log.warning("readings cannot be kept now; trying again", reason=type(error).__name__, wait_s=wait)
                if self.over.wait(wait):
                    return  # not acknowledged: they come again
                wait = min(LONGEST_S, wait * 2)
            except DBAPIError as error:
                if len(messages) == 1:
                    self._keep_as_fault(messages[0][1], type(error).__name__)
                    break
                for message in messages:  # one of them is what the database refuses: the others are kept
                    self._keep_until_kept([message])
                return
        for line, message in messages:
            if line == self.line:  # else its number may mean another message by now; this one comes again, harmlessly
                self.client.ack(message.mid, message.qos)

    def _keep(self, messages: list[Came]) -> None:
        rows: list[Any] = []
        unreadable: list[tuple[str, str]] = []
        now = self.clock()
        for _line, message in messages:
            try:
                rows += readings_in(message.topic, message.payload, now)
            except ValueError as error:
                unreadable.append((message.topic, f"{error}: {message.payload[:80]!r}"))
        ahead = timedelta(seconds=self.settings.reading_ahead_s)
        for first in range(0, max(1, len(rows)), READINGS_MOST):
            with unit_of_work(self.sessions) as session:
                part = rows[first : first + READINGS_MOST]
                keep(session, Who(now), CITY, part, FromWhere.MQTT, ahead=ahead, unreadable=unreadable)
            unreadable = []
        self.kept += len(rows)

    def _keep_as_fault(self, message: paho.MQTTMessage, reason: str) -> None:
        log.error("the database refuses a message", topic=message.topic, reason=reason)
        with unit_of_work(self.sessions) as session:
            said = [(message.topic, f"{reason}: {message.payload[:80]!r}")]
            keep(session, Who(self.clock()), CITY, [], FromWhere.MQTT, ahead=timedelta(), unreadable=said)


def readings_in(topic: str, payload: bytes, now: datetime) -> list[dict[str, Any]]:
    """The readings of a message. Raises ValueError where it is none."""
    try:
        said = json.loads(payload)
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError(type(error).__name__) from None
    if isinstance(said, dict) and "readings" in said:
        said = said["readings"]
    if not isinstance(said, list):
        said = [said]
    if len(said) > READINGS_MOST:
        raise ValueError(f"more than {READINGS_MOST} readings")
    point = topic.rsplit("/", 1)[-1]
    found = []
    for one in said:
        if isinstance(one, int | float) and not isinstance(one, bool):
            one = {"value": one, "at": now.isoformat()}
        if not isinstance(one, dict):
            raise ValueError("no reading")
        found.append(one if "point" in one else {"point": point, **one})
    return found


def run(settings: Settings, sessions: sessionmaker[Session], clock: Callable[[], datetime]) -> None:
    """Subscribe until SIGTERM or SIGINT."""
    import signal

    subscriber = Subscriber(settings, sessions, clock)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: subscriber.stop())
    subscriber.run()


def main() -> None:
    """For `chengmai up`: the database's URL comes from CHENGMAI_DATABASE_URL."""
    import gis.models  # noqa: F401 - every table
    from gis.db import make_engine, make_sessions
    from webapp import logs
    from webapp.clock import clock_of

    logs.init()
    settings = Settings()
    engine = make_engine(settings.database_url or "", pool_size=1, max_overflow=1)
    try:
        run(settings, make_sessions(engine), clock_of(settings))
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()

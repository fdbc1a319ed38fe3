"""Sending one webhook: to an address that was checked, and to no other.

The name is resolved once; every address it leads to must be open; the connection is made to the very address that was
checked, so that a name which answers differently a moment later (DNS rebinding) leads nowhere. Redirects are not
followed, no proxy is asked, and the whole exchange has a deadline.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable

from gis.errors import ChengmaiError
from gis.webhooks.actions import Answer, Claimed
from gis.webhooks.rules import Address, Allowed, HostUnknown, Target, choose, signatures, target

CONNECT_S = 5.0
WHOLE_S = 15.0
READ = 4096

Resolve = Callable[[str, int], list[Address]]


def resolve(host: str, port: int) -> list[Address]:
    """Every address the name leads to. Numbers in any notation (decimal, octal, hexadecimal) come out as addresses."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise HostUnknown(host=host) from None
    return list(dict.fromkeys(ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in found))


def check(url: str, allowed: Allowed, find: Resolve = resolve) -> tuple[Target, Address]:
    """Where a webhook leads. Raises BadTarget, PrivateTarget or HostUnknown; asked when it is saved and at every sending."""
    where = target(url)
    return where, choose(where, find(where.host, where.port), allowed)


class _Plain(http.client.HTTPConnection):
    """A connection to the address that was checked, whatever the name."""

    def __init__(self, where: Target, address: Address) -> None:
        super().__init__(where.host, where.port, timeout=CONNECT_S)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((str(self._address), self.port), CONNECT_S)


class _Secure(_Plain):
    """The same with TLS: the certificate must be for the name."""

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context()
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


def send(claimed: Claimed, secrets: list[str], allowed: Allowed, timestamp: int, find: Resolve = resolve) -> Answer:
    """One try. Never raises: what went wrong is told as a short code, without anything the other side wrote."""
    started = time.monotonic()

    def took() -> int:
        return round((time.monotonic() - started) * 1000)

    try:
        where, address = check(claimed.url, allowed, find)
    except ChengmaiError as error:
        return Answer(None, error.code, took())
    connection = (_Secure if where.scheme == "https" else _Plain)(where, address)
    late = threading.Event()
    deadline = threading.Timer(WHOLE_S, _cut, [connection, late])
    deadline.daemon = True
    deadline.start()
    try:
        headers = {
            "Content-Type": "application/json", "User-Agent": "Chengmai-Webhooks/1", "webhook-id": claimed.event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signatures(secrets, claimed.event_id, timestamp, claimed.body),
        }  # fmt: skip
        connection.request("POST", where.path, claimed.body.encode(), headers)
        reply = connection.getresponse()
        reply.read(READ)
        if late.is_set():  # cut off in the middle of the headers, which reads like their end
            return Answer(None, "timeout", took())
        error = "redirect" if 300 <= reply.status < 400 else None if 200 <= reply.status < 300 else "status"
        return Answer(reply.status, error, took(), _seconds(reply.headers.get("Retry-After")))
    except TimeoutError:
        return Answer(None, "timeout", took())
    except ssl.SSLError:
        return Answer(None, "tls", took())
    except (OSError, http.client.HTTPException, ValueError):
        return Answer(None, "timeout" if late.is_set() else "connection", took())
    finally:
        deadline.cancel()
        connection.close()


def _cut(connection: _Plain, late: threading.Event) -> None:
    """The deadline: whoever sends byte by byte is cut off."""
    late.set()
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


def _seconds(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 7 else None

"""What can be told, how it is signed, when it is tried again, and which addresses it may be sent to.

Signing follows the Standard Webhooks specification 1.0.0: headers webhook-id, webhook-timestamp and webhook-signature.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from gis.complaints.rules import STEPS
from gis.errors import BadInput, Conflict

TEST = "webhook.test"
# Everything that can be asked for: a complaint that is received, and every step of its life.
EVENTS: tuple[str, ...] = ("complaint.receive", *(f"complaint.{verb}" for verb in STEPS))

SECRET_BEGINS = "whsec_"
SECRET_BYTES = 32
# Waits before the second, third … try; source: Standard Webhooks, "Retries with exponential backoff", fitted to one day.
WAITS = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18_000, 28_800, 32_400))
TRIES = len(WAITS) + 1
JITTER = 0.2  # a wait is up to this much longer, so that many that failed at once do not come back at once
GIVE_UP = timedelta(hours=30)  # longer than all waits together: older events of a body that never answers are given up
KEPT = timedelta(days=30)  # so long the log of what arrived is kept
LONGEST_REST = timedelta(minutes=10)  # a body that does not answer is not asked again and again for other events
LEASE = timedelta(minutes=2)  # a delivery whose worker died is tried again after this
ROTATION = timedelta(days=1)  # both secrets sign for so long
URL_MAX, NAME_MAX = 500, 120
PORTS = (443, 8443)


class DeliveryStatus(StrEnum):
    """How a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class BadTarget(BadInput):
    """This address cannot be used for a webhook: %(reason)s"""

    code = "bad_target"


class PrivateTarget(BadInput):
    """%(host)s is an address inside a network (%(address)s); webhooks go only to public ones, or to those in CHENGMAI_WEBHOOK_ALLOW."""

    code = "private_target"


class HostUnknown(BadInput):
    """The host %(host)s is not known."""

    code = "host_unknown"


class BadEvents(BadInput):
    """Choose at least one event; there are: %(possible)s."""

    code = "bad_events"


class NotDead(Conflict):
    """This delivery is not in the dead-letter list any more."""

    code = "not_dead"


# --- signing ---------------------------------------------------------------------------------------------------------
def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """`v1,<base64 of HMAC-SHA256>` over id, timestamp and body."""
    key = base64.b64decode(secret.removeprefix(SECRET_BEGINS))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signatures(secrets: Sequence[str], message_id: str, timestamp: int, body: str) -> str:
    """One signature a secret, as the header wants them: while a secret is being changed both are valid."""
    return " ".join(signature(secret, message_id, timestamp, body) for secret in secrets)


# --- trying again ----------------------------------------------------------------------------------------------------
def wait_after(attempts: int, luck: float) -> timedelta | None:
    """How long after the n-th failed try the next one comes; None: no more. `luck` is a number from 0 to 1."""
    if attempts >= TRIES:
        return None
    return WAITS[max(0, attempts - 1)] * (1 + JITTER * luck)


def rest_after(failures: int) -> timedelta:
    """How long a body that failed so often in a row is left alone: 5, 10, 20 … seconds, at most ten minutes."""
    return min(timedelta(seconds=5) * 2 ** min(failures - 1, 20), LONGEST_REST)


# --- where to --------------------------------------------------------------------------------------------------------
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Not private by the registries, but no place of the public either.
_CLOSED = tuple(
    ipaddress.ip_network(net)
    for net in (
        "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32",  # the last: a cloud's own service to its machines
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",  # protocols, documentation, IPv4 inside IPv6
    )
)  # fmt: skip
_OPEN_6 = ipaddress.ip_network("2000::/3")  # the only part of IPv6 that is given out to the public


def is_public(address: Address) -> bool:
    """Is this an address of the open internet: not private, loopback, link-local, multicast, reserved, or a disguise of one?"""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if isinstance(address, ipaddress.IPv6Address) and address not in _OPEN_6:
        return False
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    return not any(address in net for net in _CLOSED if net.version == address.version)


@dataclass(frozen=True)
class Allowed:
    """Hosts and networks inside that the bureau itself allows, from CHENGMAI_WEBHOOK_ALLOW."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    @classmethod
    def read(cls, text: str) -> Allowed:
        """From a list separated by commas: host names, addresses and networks such as 10.20.0.0/16."""
        hosts, networks = set(), []
        for part in filter(None, (one.strip().lower() for one in text.split(","))):
            try:
                networks.append(ipaddress.ip_network(part, strict=False))
            except ValueError:
                hosts.add(part)
        return cls(frozenset(hosts), tuple(networks))

    def host(self, name: str) -> bool:
        return name.lower() in self.hosts

    def address(self, address: Address) -> bool:
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in net for net in self.networks if net.version == address.version)


@dataclass(frozen=True)
class Target:
    """A webhook's address, taken apart."""

    scheme: str
    host: str
    port: int
    path: str


def target(url: str) -> Target:
    """Take an address apart. Raises BadTarget for what no allowance makes good."""
    if (
        not url
        or len(url) > URL_MAX
        or not url.isprintable()
        or not url.isascii()
        or any(c in url for c in ' <>"\\^`{|}')
    ):
        raise BadTarget(reason="url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadTarget(reason="url") from None
    if parts.scheme not in ("https", "http"):
        raise BadTarget(reason="https://")
    if parts.username is not None or parts.password is not None:
        raise BadTarget(reason="user:password@")
    if not parts.hostname or parts.fragment or port == 0:
        raise BadTarget(reason="url")
    path = parts.path or "/"
    return Target(parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80),
                  f"{path}?{parts.query}" if parts.query else path)  # fmt: skip


def choose(where: Target, resolved: Sequence[Address], allowed: Allowed) -> Address:
    """The address to connect to. Raises PrivateTarget when any that the name leads to is not open, BadTarget for a port."""
    if not resolved:
        raise HostUnknown(host=where.host)
    inside = allowed.host(where.host)
    for address in resolved:
        if inside or allowed.address(address):
            continue
        if not is_public(address):
            raise PrivateTarget(host=where.host, address=str(address))
        if where.scheme != "https" or where.port not in PORTS:
            raise BadTarget(reason=f"https, {' / '.join(str(port) for port in PORTS)}")
    return resolved[0]

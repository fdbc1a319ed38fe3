"""Signatures the public library verifies; waits that cover a day; addresses that are open to nobody but the public."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from gis.webhooks.rules import (
    JITTER,
    TRIES,
    WAITS,
    Allowed,
    BadTarget,
    HostUnknown,
    PrivateTarget,
    choose,
    is_public,
    rest_after,
    signatures,
    target,
    wait_after,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
BODY = '{"type": "complaint.assign", "data": {"number": "诉求 1"}}'


def _headers(secrets, body=BODY):
    now = int(datetime.now(UTC).timestamp())
    return {
        "webhook-id": "evt_1_2",
        "webhook-timestamp": str(now),
        "webhook-signature": signatures(secrets, "evt_1_2", now, body),
    }


def test_the_public_library_verifies_our_signature():
    assert Verifier(SECRET).verify(BODY, _headers([SECRET]))["type"] == "complaint.assign"


def test_while_a_secret_is_changed_both_verify_and_a_stranger_does_not():
    headers = _headers([SECRET, OTHER])
    Verifier(SECRET).verify(BODY, headers)
    Verifier(OTHER).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier("whsec_" + "A" * 32).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(BODY + " ", headers)


def test_the_specifications_own_example():
    assert signatures(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                      '{"test": 2432232314}') == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="  # fmt: skip


@given(st.floats(0, 1))
def test_waits_grow_cover_a_day_and_end(luck):
    waits = [wait_after(n, luck) for n in range(1, TRIES)]
    assert waits == sorted(waits)
    assert timedelta(days=1) < sum(waits, timedelta()) < timedelta(days=1.3)
    assert all(one <= wait <= one * (1 + JITTER) for one, wait in zip(WAITS, waits, strict=True))
    assert wait_after(TRIES, luck) is None


def test_a_receiver_that_does_not_answer_is_left_alone_longer_each_time():
    assert [rest_after(n).total_seconds() for n in (1, 2, 3, 9, 1000)] == [5, 10, 20, 600, 600]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
     "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "192.0.2.1", "198.18.0.1", "203.0.113.1", "224.0.0.1",
     "239.255.255.250", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254",
     "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b:1::1",
     "2002:7f00:1::1", "2001:0:7f00:1::", "::127.0.0.1", "2001:db8::1", "192.88.99.1"],
)  # fmt: skip
def test_addresses_inside_are_not_public(address):
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(PrivateTarget):
        choose(target("https://example.com/"), [ipaddress.ip_address(address)], Allowed())


@pytest.mark.parametrize("address", ["8.8.8.8", "110.242.68.66", "2400:3200::1", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address):
    assert is_public(ipaddress.ip_address(address))


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    both = [ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address("10.0.0.1")]
    with pytest.raises(PrivateTarget):
        choose(target("https://example.com/"), both, Allowed())


@pytest.mark.parametrize(
    "url",
    ["", "ftp://example.com/", "file:///etc/passwd", "//example.com", "https://", "https://user@example.com/",
     "https://user:x@example.com/", "https://example.com/#a", "https://example.com:0/", "https://example.com:99999/",
     "https://exa mple.com/", "https://example.com\\@127.0.0.1/", "javascript:alert(1)", "https://example.com/\n", "https://例子.中国/",
     "gopher://example.com/", "https://[::1", "https://example.com/" + "a" * 500],
)  # fmt: skip
def test_addresses_that_are_none_are_refused(url):
    with pytest.raises(BadTarget):
        target(url)


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://example.com:22/", "https://example.com:5432/", "http://example.com:443/"]
)
def test_outside_only_https_on_its_ports(url):
    with pytest.raises(BadTarget):
        choose(target(url), [ipaddress.ip_address("8.8.8.8")], Allowed())
    choose(target("https://example.com:8443/a?b=c"), [ipaddress.ip_address("8.8.8.8")], Allowed())


def test_the_bureau_can_allow_hosts_and_networks_inside():
    allowed = Allowed.read(" Web.Intra, 10.20.0.0/16 ,fd00::/8,")
    inside = ipaddress.ip_address("10.20.3.4")
    assert choose(target("http://web.intra:8000/"), [ipaddress.ip_address("192.168.1.1")], allowed)
    assert choose(target("http://a.example:81/"), [inside], allowed) == inside
    assert choose(target("http://a.example/"), [ipaddress.ip_address("::ffff:10.20.3.4")], allowed)
    assert choose(target("http://a.example/"), [ipaddress.ip_address("fd00::5")], allowed)
    with pytest.raises(PrivateTarget):
        choose(target("http://a.example/"), [ipaddress.ip_address("10.21.0.1")], allowed)
    with pytest.raises(HostUnknown):
        choose(target("http://a.example/"), [], allowed)

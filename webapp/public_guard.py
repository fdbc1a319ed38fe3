"""What protects the public pages: the network as a keyed hash, the throttle, the proof of work, signed references."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from datetime import timedelta
from typing import Any

from flask import current_app, g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from gis.journal import Who
from gis.portal import actions, queries
from gis.portal.proof import Challenge, difficulty, is_solved, seal, unseal
from gis.portal.rules import (
    PROOF_MIN,
    PROOF_PARTS,
    Asked,
    ProofExpired,
    ProofMissing,
)
from webapp.access import db, now

USUAL_REPORTS = 5  # from a network in one window, before its sums get harder


def key_for(purpose: str) -> bytes:
    """A key of its own for each purpose, from the one secret of this house."""
    secret = current_app.config["SECRET_KEY"]
    return hmac.new(secret, b"public " + purpose.encode(), hashlib.sha256).digest()


def network() -> bytes:
    """Who asks, as far as it is kept: the keyed hash of the network's prefix (/24, or /48 of IPv6)."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "0.0.0.0")
    except ValueError:
        address = ipaddress.ip_address("0.0.0.0")
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    prefix = ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False)
    return hashed("network", str(prefix))


def hashed(purpose: str, text: str) -> bytes:
    """A keyed hash of something that must not be kept itself."""
    return hmac.new(key_for(purpose), text.encode(), hashlib.sha256).digest()[:16]


def citizen() -> Who:
    """Who acts on a public page: nobody that we know, even where somebody is signed in at the desk."""
    return Who(now())


def meter(kind: Asked, key: bytes | None = None) -> int:
    """Count this request, for good, and refuse it where there were too many."""
    made = actions.count(db(), kind, key or network(), now())
    db().commit()  # a refusal is counted too
    actions.check_count(db(), kind, made)
    return made


# --- proof of work ---------------------------------------------------------------------------------------------------
def new_challenge() -> dict[str, Any]:
    """A challenge for this network: harder when much was reported from there lately."""
    settings = current_app.config["SETTINGS"]
    lately = queries.load(db(), Asked.REPORT, network(), now())
    bits = difficulty(lately, USUAL_REPORTS, settings.public_proof_bits, settings.public_proof_most_bits)
    expires_s = int((now() + timedelta(minutes=PROOF_MIN)).timestamp())
    made = Challenge(secrets.token_hex(16), bits, PROOF_PARTS, expires_s)
    return {"token": seal(key_for("proof"), made), "nonce": made.nonce, "bits": bits, "parts": made.parts,
            "seconds": PROOF_MIN * 60}  # fmt: skip


def proved(token: str, answers: str) -> Challenge:
    """The challenge that was solved. Raises ProofMissing or ProofExpired; spending it is the caller's."""
    challenge = unseal(key_for("proof"), token)
    if challenge is None:
        raise ProofMissing()
    given = [part for part in answers.split(",") if part]
    if len(given) > 64 or not all(part.isascii() and part.isdigit() and len(part) < 17 for part in given):
        raise ProofMissing()
    if challenge.expires_s < now().timestamp():
        raise ProofExpired()
    if not is_solved(challenge, [int(part) for part in given]):
        raise ProofMissing()
    return challenge


# --- signed references -----------------------------------------------------------------------------------------------
def sign(purpose: str, value: Any) -> str:
    """A reference that only we can have written, for a while."""
    return URLSafeTimedSerializer(key_for(purpose)).dumps(value)


def signed(purpose: str, text: str, minutes: int) -> Any:
    """What was signed, or None for anything else and after its time."""
    try:
        return URLSafeTimedSerializer(key_for(purpose)).loads(text[:500], max_age=minutes * 60)
    except BadSignature:
        return None


def choose_language() -> None:
    """`?language=en` switches the language of a public page; no form, no account."""
    wanted = request.args.get("language")
    if wanted in current_app.config["LANGUAGES"]:
        g.language = g.chosen_language = wanted


def keep_language(answer: Any) -> Any:
    """And keeps it in a cookie that holds nothing else."""
    if "chosen_language" in g:
        answer.set_cookie("language", g.chosen_language, max_age=31536000, samesite="Lax",
                          secure=current_app.config["SESSION_COOKIE_SECURE"])  # fmt: skip
    return answer

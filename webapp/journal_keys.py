"""The key that signs the journal's heads: made once, kept beside the data with mode 0600, its public half written down.

Public keys of earlier keys stay in `keys/journal-keys.pub`, one a line, so that old heads can still be verified.
"""

from __future__ import annotations

import base64
import contextlib
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from gis.audit.actions import public_bytes
from gis.errors import Conflict


class NotASigningKey(Conflict):
    """The file %(path)s holds no Ed25519 key; put the right one back, or move it away to have a new one made."""

    code = "not_a_signing_key"


def _private(data_dir: Path) -> Path:
    return data_dir / "keys" / "journal-key.pem"


def _public(data_dir: Path) -> Path:
    return data_dir / "keys" / "journal-keys.pub"


def signing_key(data_dir: Path) -> Ed25519PrivateKey:
    """The key of this data directory; two processes that start at once agree on one."""
    path = _private(data_dir)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        fresh.write_bytes(pem)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except ValueError as error:
        raise NotASigningKey(path=str(path)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise NotASigningKey(path=str(path))
    if public_bytes(key) not in _written_down(data_dir):
        with _public(data_dir).open("a") as file:
            file.write(base64.b64encode(public_bytes(key)).decode() + "\n")
    return key


def _written_down(data_dir: Path) -> list[bytes]:
    path = _public(data_dir)
    if not path.exists():
        return []
    return [base64.b64decode(line) for line in path.read_text().split()]


def known_keys(data_dir: Path) -> list[bytes]:
    """Public keys whose heads are ours: the present one and the ones before it."""
    signing_key(data_dir)
    return _written_down(data_dir)


def renew(data_dir: Path) -> bytes:
    """Make a new key; the old private half is gone for good, its public half stays known. Returns the new public key."""
    signing_key(data_dir)
    _private(data_dir).unlink()
    return public_bytes(signing_key(data_dir))

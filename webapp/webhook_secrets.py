"""Secrets of webhooks: made here, told once, kept encrypted with a key that lies beside the data and not in the database."""

from __future__ import annotations

import base64
import contextlib
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from gis.errors import Unavailable
from gis.webhooks.rules import SECRET_BEGINS, SECRET_BYTES


class SecretLost(Unavailable):
    """The key that opens this webhook's secret is not here any more; change the secret."""

    code = "secret_lost"


def _box(data_dir: Path) -> Fernet:
    path = data_dir / "keys" / "webhook-key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_bytes(Fernet.generate_key())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)  # two processes starting at once must agree on one key
        fresh.unlink()
    return Fernet(path.read_bytes())


def new_secret(data_dir: Path) -> tuple[str, bytes]:
    """A new secret: as it is told once, and as it is kept."""
    secret = SECRET_BEGINS + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    return secret, _box(data_dir).encrypt(secret.encode())


def opened(data_dir: Path, kept: bytes) -> str:
    """A kept secret. Raises SecretLost when the key beside the data is another one."""
    try:
        return _box(data_dir).decrypt(kept).decode()
    except InvalidToken as error:
        raise SecretLost() from error

"""Small things about cells: how headers are compared, and how much of a value an error may repeat."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

SHOWN = 40
# What our own error column is called in a file that went back; it is stepped over when the file comes again.
HEADINGS = {"zh": "导入问题", "en": "Import problems"}
_DIGITS = re.compile(r"\d(?:[ -]?\d){6,}")


def key(text: str) -> str:
    """A header or a word as it is compared: full-width, case, stars and spaces do not matter."""
    return re.sub(r"[\s*_]+", "", unicodedata.normalize("NFKC", text)).casefold()


def shown(text: object) -> str:
    """A value as an error may repeat it: short, and with long runs of digits (telephone numbers) masked."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in str(text)[: SHOWN * 2]).split())
    flat = _DIGITS.sub(lambda m: f"{m[0][:3]}****{m[0][-2:]}", flat)
    return flat if len(flat) <= SHOWN else f"{flat[: SHOWN - 1]}…"


def safe_name(path: Path) -> str:
    """The file's own name without its directories, as it may be kept and shown."""
    name = "".join(c for c in path.name if c.isprintable()) or "file"
    return name if len(name) <= 255 else f"{name[:200]}…{name[-50:]}"

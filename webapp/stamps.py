"""The stamp on a photo of an inspection, as the phone draws it: when, where, which order, by whom, on an upright copy.

The original is never touched. The facts are those that were sent with the photo, so the stamp needs nothing of its own; it
says the beginning of the original's SHA-256, by which the two belong together.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from PIL import Image, ImageDraw, ImageFont

HASH_SHOWN = 16


def lines(visit: Mapping[str, Any], photo: Mapping[str, Any], zone: tzinfo) -> list[str]:
    """What the stamp says."""
    order = _("Order %(no)s", no=visit["order_no"]) if visit["order_no"] else ""
    place = (
        _("no position") if photo["lon"] is None
        else f"{photo['lat']:.6f}, {photo['lon']:.6f}" + (f" ±{photo['accuracy_m']:.0f} m" if photo["accuracy_m"] is not None else "")
    )  # fmt: skip
    told = [
        f"{photo['taken_at'].astimezone(zone):%Y-%m-%d %H:%M:%S}",
        " · ".join(filter(None, (visit["place"], order))), place,
        " · ".join(filter(None, (visit["inspector"], f"SHA-256 {photo['sha256'][:HASH_SHOWN]}…"))),
    ]  # fmt: skip
    return [line for line in told if line]


def stamped(upright: Path, text: Sequence[str]) -> bytes:
    """A JPEG of an upright picture with the lines on a dark band at its lower edge."""
    with Image.open(upright, formats=("JPEG",)) as opened:
        picture = opened.convert("RGB")
    width, height = picture.size
    size = max(13, round(min(width, height) * 0.034))
    edge, font = round(size * 0.6), chinese_font(size)
    rows = [row for line in text for row in _wrapped(font, line, width - 2 * edge)]
    band = min(height, round(len(rows) * size * 1.35) + 2 * edge)
    dark = picture.crop((0, height - band, width, height)).point(lambda value: round(value * 0.38))
    picture.paste(dark, (0, height - band))
    pen = ImageDraw.Draw(picture)
    for i, row in enumerate(rows):
        pen.text((edge, height - band + edge + i * size * 1.35), row, fill="white", font=font, anchor="lt")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()


def _wrapped(font: Any, line: str, room: float) -> list[str]:
    rows = [""]
    for sign in line:
        if rows[-1] and font.getlength(rows[-1] + sign) > room:
            rows.append("")
        rows[-1] += sign
    return rows


@lru_cache(maxsize=16)
def chinese_font(size: int) -> Any:
    """A font with Chinese letters, found as the papers' fonts are: by fontconfig. Without one, Pillow's own."""
    found = _chinese()
    return ImageFont.truetype(found[0], size, index=found[1]) if found else ImageFont.load_default(size)


@lru_cache(maxsize=1)
def _chinese() -> tuple[str, int] | None:
    tool = shutil.which("fc-match")
    if tool is None:
        return None
    asked = [tool, "-f", "%{file}\n%{index}", "sans-serif:lang=zh-cn"]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False).stdout.splitlines()
    return (told[0], int(told[1])) if len(told) == 2 and Path(told[0]).exists() else None

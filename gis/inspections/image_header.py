"""What kind of picture some bytes are, and how large it would be: read from the header alone, nothing is decoded.

A picture of 17 KB can claim, and unpack to, hundreds of megabytes; so its size is known before any decoder sees it.
"""

from __future__ import annotations

from dataclasses import dataclass

HEADER_BYTES = 4 << 20  # a JPEG may carry megabytes of metadata before its size


@dataclass(frozen=True)
class Header:
    """A picture as its own header tells it."""

    mime: str
    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height


def read(data: bytes) -> Header | None:
    """The header of a JPEG, PNG or WebP picture; `None` when it is none of them or is cut short."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png(data)
    if data[:3] == b"\xff\xd8\xff":
        return _jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return None


def is_heic(data: bytes) -> bool:
    """Is this the format that some phones write by themselves (HEIC/HEIF/AVIF)? It is refused by name."""
    return data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heif", b"avif")


def _sized(mime: str, width: int, height: int) -> Header | None:
    return Header(mime, width, height) if width > 0 and height > 0 else None


def _png(data: bytes) -> Header | None:
    if len(data) < 33 or data[8:16] != b"\x00\x00\x00\rIHDR":
        return None
    return _sized("image/png", int.from_bytes(data[16:20]), int.from_bytes(data[20:24]))


def _jpeg(data: bytes) -> Header | None:
    """Walk the segments to the frame header (SOF0-SOF15 without DHT, JPG and DAC)."""
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:  # stands alone
            at += 2
            continue
        if marker in (0xD8, 0xD9, 0xDA):  # image data before any frame header
            return None
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = int.from_bytes(data[at + 5 : at + 7]), int.from_bytes(data[at + 7 : at + 9])
            return _sized("image/jpeg", width, height)
        length = int.from_bytes(data[at + 2 : at + 4])
        if length < 2:
            return None
        at += 2 + length
    return None


def _webp(data: bytes) -> Header | None:
    chunk = data[12:16]
    if chunk == b"VP8X" and len(data) >= 30:
        width, height = int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    elif chunk == b"VP8L" and len(data) >= 25 and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif chunk == b"VP8 " and len(data) >= 30 and data[23:26] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(data[i : i + 2], "little") & 0x3FFF for i in (26, 28))
    else:
        return None
    return _sized("image/webp", width, height)

"""Photos in pieces: tus 1.0.0 (https://tus.io/protocols/resumable-upload) with creation (also with the first piece in it),
checksum and expiration.

An upload is named by the sha256 of the whole photo, which is announced in `Upload-Metadata`: two phones, or one after a new
start, go on with the same upload. With its last byte the photo is checked and kept as by `PUT /photos/<sha256>`.
"""

from __future__ import annotations

import base64
import binascii
import io
from datetime import datetime
from pathlib import Path
from typing import Any
from wsgiref.handlers import format_date_time

from apiflask import APIBlueprint
from flask import Response, current_app, request, url_for
from werkzeug.exceptions import ClientDisconnected

from gis.errors import BadInput
from gis.inspections import actions, partials, photo_store, queries
from gis.inspections.partials import Partial
from gis.inspections.rules import PHOTO_MAX_BYTES
from mobile_api.v1.auth import db, needs, now, public, who

api = APIBlueprint("phone_uploads", __name__, tag="uploads")
VERSION = "1.0.0"
CHECKSUMS = ("sha1", "sha256")
PIECE = "application/offset+octet-stream"
# A photo of so many bytes that comes whole with its announcement is not kept in part first: its hash is its checksum.
AT_ONCE = 256 << 10


class WrongTusVersion(BadInput):
    """This server speaks tus %(version)s; the header Tus-Resumable must say so."""

    code, status = "wrong_tus_version", 412


class WrongPieceType(BadInput):
    """A piece must be sent as application/offset+octet-stream."""

    code, status = "wrong_piece_type", 415


class BadHeader(BadInput):
    """The header %(header)s cannot be read."""

    code, status = "bad_header", 400


@api.route("/uploads", methods=["OPTIONS"], provide_automatic_options=False)
@public
def can() -> Response:
    """What this server can do."""
    answer = _answer(204)
    answer.headers.update({
        "Tus-Version": VERSION, "Tus-Extension": "creation,creation-with-upload,checksum,expiration", "Tus-Max-Size": str(PHOTO_MAX_BYTES),
        "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
    })  # fmt: skip
    return answer


@api.post("/uploads")
@needs("use_phone")
@api.doc(responses={201: "announced, or found again: go on at `Location`"})
def begin() -> Response:
    """Announce a photo: `Upload-Length`, and `Upload-Metadata` with its `sha256` and `filename`; its first piece may follow."""
    _speaks_tus()
    told = _metadata(request.headers.get("Upload-Metadata", ""))
    sha256 = told.get("sha256", "")
    if not photo_store.is_sha256(sha256):
        raise BadHeader(header="Upload-Metadata: sha256")
    length, name = _number("Upload-Length"), photo_store.clean_name(told.get("filename"))
    # Only of a photo whose file is there can there be a row to ask for; most are sent once, and are not asked for at all.
    photo = queries.photo(db(), sha256) if photo_store.path_of(_files(), sha256).exists() else None
    if photo is not None:
        answer = _answer(201, offset=photo.size_bytes)
    else:
        partial = _begun(sha256, length, name)
        answer = _answer(201, partial.offset, partial.expires_at)
    answer.headers["Location"] = url_for("phone_uploads.add", sha256=sha256)
    return answer


def _begun(sha256: str, length: int, name: str) -> Partial:
    """An upload with the piece that came with its announcement. A small photo that is whole at once is kept at once."""
    checksum, read = _checksum(), _arriving
    comes = request.mimetype == PIECE
    if comes and length <= AT_ONCE:
        data = b"".join(iter(lambda: _arriving(AT_ONCE), b""))
        if len(data) == length:
            stored = photo_store.keep(_files(), sha256, io.BytesIO(data).read, _most_pixels())
            actions.add_photo(db(), who(), stored, name)
            return Partial(sha256, length, length, name, now())
        read = io.BytesIO(data).read  # the line was cut: what arrived stays
    partial = partials.begin(_files(), sha256, length, name, now())
    if comes and partial.offset == 0:
        partial = partials.add(_files(), sha256, 0, read, now(), checksum)
    if partial.offset == partial.length:
        _keep(partial)
    return partial


@api.route("/uploads/<sha256>", methods=["HEAD"], provide_automatic_options=False)
@needs("use_phone")
def offset(sha256: str) -> Response:
    """How much of it is here?"""
    _speaks_tus()
    photo = queries.photo(db(), sha256) if photo_store.is_sha256(sha256) else None
    if photo is not None:
        answer = _answer(200, photo.size_bytes)
        answer.headers["Upload-Length"] = str(photo.size_bytes)
        return answer
    partial = _find(sha256)
    answer = _answer(200, partial.offset, partial.expires_at)
    answer.headers["Upload-Length"] = str(partial.length)
    return answer


@api.patch("/uploads/<sha256>")
@needs("use_phone")
@api.doc(responses={204: "added; `Upload-Offset` says how much is here"})
def add(sha256: str) -> Response:
    """Add a piece at `Upload-Offset`, held against `Upload-Checksum` where that is sent; with the last one it is kept."""
    _speaks_tus()
    if request.mimetype != PIECE:
        raise WrongPieceType()
    at, checksum = _number("Upload-Offset"), _checksum()
    photo = queries.photo(db(), sha256) if photo_store.is_sha256(sha256) else None
    if photo is not None:
        if at != photo.size_bytes:
            raise partials.WrongOffset(offset=photo.size_bytes)
        return _answer(204, photo.size_bytes)
    partial = _find(sha256)
    if partial.offset < partial.length or at != partial.offset:
        partial = partials.add(_files(), sha256, at, _arriving, now(), checksum)
    if partial.offset < partial.length:
        return _answer(204, partial.offset, partial.expires_at)
    _keep(partial)
    return _answer(204, partial.length)


def _keep(partial: Partial) -> None:
    """The last byte is here. The partial goes only after the photo is written down: a server killed in between goes on."""
    stored = partials.finish(_files(), partial, _most_pixels())
    actions.add_photo(db(), who(), stored, partial.name)
    db().commit()
    partials.drop(_files(), partial.sha256)


def _find(sha256: str) -> Partial:
    if not photo_store.is_sha256(sha256):
        raise partials.NoUpload()
    return partials.find(_files(), sha256, now())


def _files() -> Path:
    files: Path = current_app.config["SETTINGS"].files_dir
    return files


def _arriving(size: int) -> bytes:
    """What of the body comes; a line that breaks is its end, so that what came before stays."""
    try:
        return request.stream.read(size)
    except ClientDisconnected:
        return b""


def _most_pixels() -> int:
    most: int = current_app.config["SETTINGS"].max_photo_pixels
    return most


def _speaks_tus() -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise WrongTusVersion(version=VERSION)


def _answer(status: int, offset: int | None = None, expires_at: datetime | None = None) -> Response:
    answer = Response(status=status)
    answer.headers["Tus-Resumable"], answer.headers["Cache-Control"] = VERSION, "no-store"
    if request.method in ("HEAD", "PATCH") or expires_at is not None:
        # This link takes no photo whole. When a line that was used before breaks, a browser sends its request again by
        # itself, all of the piece; on a fresh line it does not, and asks how much arrived.
        answer.headers["Connection"] = "close"
    if offset is not None:
        answer.headers["Upload-Offset"] = str(offset)
    if expires_at is not None:
        answer.headers["Upload-Expires"] = format_date_time(expires_at.timestamp())
    return answer


def _number(header: str) -> int:
    value = request.headers.get(header, "")
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        raise BadHeader(header=header)
    return int(value)


def _metadata(sent: str) -> dict[str, str]:
    """`name base64,name base64` as a dictionary."""
    told = {}
    for pair in filter(None, (part.strip() for part in sent.split(","))):
        name, _, value = pair.partition(" ")
        try:
            told[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise BadHeader(header="Upload-Metadata") from error
    return told


def _checksum() -> tuple[str, bytes] | None:
    sent = request.headers.get("Upload-Checksum")
    if sent is None:
        return None
    name, _, value = sent.partition(" ")
    try:
        digest: Any = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadHeader(header="Upload-Checksum") from error
    if name not in CHECKSUMS:
        raise BadHeader(header="Upload-Checksum")
    return name, digest

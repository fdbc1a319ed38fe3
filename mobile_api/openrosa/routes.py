"""The routes of OpenRosa: which forms there are, one form with the files beside it, and what was filled in."""

from __future__ import annotations

import hashlib
import io
import mimetypes
from typing import Any

from flask import Blueprint, Response, current_app, request, url_for
from flask_babel import gettext
from lxml import etree
from werkzeug.datastructures import FileStorage

from gis.errors import Missing, TooLarge
from gis.inspections import checklist_queries, form_files, image_header, odk_actions, photo_store, xforms
from gis.inspections.model import Checklist
from gis.inspections.rules import BadSubmission
from mobile_api.openrosa.speaker import ACCEPTED_BYTES, needs, said, speaker
from mobile_api.v1.auth import db

api = Blueprint("openrosa", __name__)
LIST = "http://openrosa.org/xforms/xformsList"
MANIFEST = "http://openrosa.org/xforms/xformsManifest"
XML_PART = "xml_submission_file"
MOST_FILES = 100
MOST_OTHER_BYTES = 10 << 20


class NotMultipart(BadSubmission):
    """A submission is sent as multipart/form-data with a part called xml_submission_file."""

    code, status = "not_multipart", 415


@api.get("/formList")
@needs("submit_forms")
def form_list() -> Response:
    """The forms that can be fetched, each with its version and the hash of what will be served. `?formID=` asks for one."""
    root = etree.Element(f"{{{LIST}}}xforms", nsmap={None: LIST})
    wanted = request.args.get("formID")
    for row in checklist_queries.served(db()):
        if wanted not in (None, "", row["code"]):
            continue
        made = xforms.stamped(row["xform"], row["code"], row["revision"], row["name"])
        form = etree.SubElement(root, f"{{{LIST}}}xform")
        address = url_for("openrosa.form", code=row["code"], revision=row["revision"], _external=True)
        said = [
            ("formID", row["code"]), ("name", row["name"]), ("version", str(row["revision"])), ("hash", xforms.md5(made)),
            ("descriptionText", row["name"]), ("downloadUrl", address),
        ]  # fmt: skip
        if form_files.named(row["xform"]):  # only these: a client asks for a manifest wherever it is named one
            beside = url_for("openrosa.manifest", code=row["code"], revision=row["revision"], _external=True)
            said.append(("manifestUrl", beside))
        for tag, text in said:
            etree.SubElement(form, f"{{{LIST}}}{tag}").text = text
    return _xml(root)


@api.get("/forms/<code>/<int:revision>.xml")
@needs("submit_forms")
def form(code: str, revision: int) -> Response:
    """The XForm of a revision, also of one that is no longer given out: somebody may be filling it in."""
    checklist = _checklist(code, revision)
    file = checklist_queries.file_of(db(), code, checklist.revision)
    if file is None:
        raise Missing(thing="checklist", id=f"{code}-{revision}")
    made = xforms.stamped(file.xform, checklist.code, checklist.revision, checklist.name)
    return Response(made, content_type="text/xml; charset=utf-8")


@api.get("/forms/<code>/<int:revision>/manifest")
@needs("submit_forms")
def manifest(code: str, revision: int) -> Response:
    """The files that lie beside a form, each with its MD5: a client fetches those that it has not, or has otherwise."""
    checklist = _checklist(code, revision)
    root = etree.Element(f"{{{MANIFEST}}}manifest", nsmap={None: MANIFEST})
    for row in checklist_queries.form_files(db(), checklist.code, checklist.revision):
        file = etree.SubElement(root, f"{{{MANIFEST}}}mediaFile")
        address = url_for(
            "openrosa.form_file", code=code, revision=checklist.revision, name=row["name"], _external=True
        )
        for tag, text in (("filename", row["name"]), ("hash", f"md5:{row['md5']}"), ("downloadUrl", address)):
            etree.SubElement(file, f"{{{MANIFEST}}}{tag}").text = text
    return _xml(root)


@api.get("/forms/<code>/<int:revision>/files/<name>")
@needs("submit_forms")
def form_file(code: str, revision: int, name: str) -> Response:
    """One of these files, as it was put beside the form."""
    checklist = _checklist(code, revision)
    data = checklist_queries.form_file(db(), checklist.code, checklist.revision, name)
    if data is None:
        raise Missing(thing="form_file", id=name)
    return Response(data, content_type=form_files.mime_of(name))


def _checklist(code: str, revision: int) -> Checklist:
    found = checklist_queries.one(db(), code, min(revision, 2**31 - 1))
    if found is None:
        raise Missing(thing="checklist", id=f"{code}-{revision}")
    return found


@api.route("/submission", methods=["HEAD"], provide_automatic_options=False)
@needs("submit_forms")
def may_submit() -> Response:
    """Where to send to, and how much at once: a client asks before its first submission."""
    answer = Response(status=204)
    answer.headers["Location"] = url_for("openrosa.submission", _external=True)
    return answer


@api.post("/submission")
@needs("submit_forms")
def submission() -> Response:
    """Take a submission, or a part of one. 201 it is complete, 202 files are still to come, 409 the id has other content."""
    if request.content_length is not None and request.content_length > ACCEPTED_BYTES:
        raise TooLarge(limit=f"{ACCEPTED_BYTES >> 20} MB")
    if request.mimetype != "multipart/form-data":
        raise NotMultipart()
    request.max_content_length = ACCEPTED_BYTES
    request.max_form_parts = MOST_FILES + 20
    xml = _instance_bytes()
    instance = xforms.instance_of(xml)
    who, sender = speaker().who, speaker().sender
    kept = odk_actions.take(db(), who, sender, instance, xml)
    for file in _files():
        odk_actions.add_file(db(), who, kept, file)
    more = request.form.get("*isIncomplete*", "").strip().lower() == "yes"
    if not odk_actions.settle(db(), who, sender, kept, instance, more=more):
        return said(gettext("Received; files of this submission are still to come."), 202)
    return said(gettext("Received and kept."), 201)


def _instance_bytes() -> bytes:
    file = request.files.get(XML_PART)
    if file is not None:
        return file.stream.read(xforms.MOST_XML + 1)
    text = request.form.get(XML_PART)
    if text is None:
        raise NotMultipart()
    return text.encode()


def _files() -> list[odk_actions.File]:
    """The files that came along, safely on the disk where they are pictures."""
    sent = [f for key, f in request.files.items(multi=True) if key != XML_PART]
    if len(sent) > MOST_FILES:
        raise TooLarge(limit=f"{MOST_FILES} files")
    return [_file(file) for file in sent]


def _file(sent: FileStorage) -> odk_actions.File:
    name = photo_store.clean_name(sent.filename or sent.name)
    data = sent.stream.read()
    sha256 = hashlib.sha256(data).hexdigest()
    mime = sent.mimetype or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if not name:
        raise BadSubmission(reason="a file without a name")
    if image_header.read(data[: image_header.HEADER_BYTES]) is not None:
        settings = current_app.config["SETTINGS"]
        stored = photo_store.keep(settings.files_dir, sha256, io.BytesIO(data).read, settings.max_photo_pixels)
        return odk_actions.File(name, stored.mime, sha256, len(data), stored=stored)
    if len(data) > MOST_OTHER_BYTES:
        raise TooLarge(limit=f"{MOST_OTHER_BYTES >> 20} MB")
    return odk_actions.File(name, mime, sha256, len(data), data=data)


def _xml(root: Any) -> Response:
    body = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return Response(body, content_type="text/xml; charset=utf-8")

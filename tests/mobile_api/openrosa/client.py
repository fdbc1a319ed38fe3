"""An ODK client, written from the OpenRosa specification alone (https://docs.getodk.org/openrosa), for the tests.

It knows nothing of this house: it asks for the list, fetches what is listed, checks each hash, fills the form's own primary
instance in, and sends it in as many parts as the server said it takes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from urllib.parse import urlsplit

LIST = "{http://openrosa.org/xforms/xformsList}"
RESPONSE = "{http://openrosa.org/http/response}"
XFORMS = "{http://www.w3.org/2002/xforms}"
XHTML = "{http://www.w3.org/1999/xhtml}"


@dataclass
class Listed:
    form_id: str
    name: str
    version: str
    hash: str
    url: str


class OdkClient:
    def __init__(self, http, secret: str, base: str = "/api/openrosa"):
        self.http, self.base = http, base
        self.headers = {"X-OpenRosa-Version": "1.0"}
        if secret:
            self.headers["Authorization"] = "Basic " + base64.b64encode(f"me:{secret}".encode()).decode()

    def _checked(self, answer):
        """Requirements of the protocol on every answer."""
        assert answer.headers["X-OpenRosa-Version"] == "1.0"
        assert answer.headers["Date"].endswith("GMT")
        assert int(answer.headers["X-OpenRosa-Accept-Content-Length"]) > 0
        return answer

    def forms(self) -> list[Listed]:
        answer = self._checked(self.http.get(f"{self.base}/formList", headers=self.headers))
        assert answer.status_code == 200, answer.text
        assert answer.content_type.split(";")[0] == "text/xml"
        root = ET.fromstring(answer.data)
        assert root.tag == f"{LIST}xforms"
        found = []
        for form in root:
            assert form.tag == f"{LIST}xform"
            said = {child.tag.removeprefix(LIST): child.text for child in form}
            assert {"formID", "name", "hash", "downloadUrl"} <= said.keys()
            assert said["hash"].startswith("md5:")
            found.append(Listed(said["formID"], said["name"], said["version"], said["hash"], said["downloadUrl"]))
        return found

    def fetch(self, listed: Listed) -> bytes:
        answer = self._checked(self.http.get(urlsplit(listed.url).path, headers=self.headers))
        assert answer.status_code == 200
        assert f"md5:{hashlib.md5(answer.data).hexdigest()}" == listed.hash
        instance = ET.fromstring(answer.data).find(f"./{XHTML}head/{XFORMS}model/{XFORMS}instance")[0]
        assert (instance.get("id"), instance.get("version")) == (listed.form_id, listed.version)
        return answer.data

    def fill(self, xform: bytes, answers: dict[str, str], instance_id: str | None = None) -> bytes:
        instance = ET.fromstring(xform).find(f"./{XHTML}head/{XFORMS}model/{XFORMS}instance")[0]
        left = dict(answers)
        for element in instance.iter():
            name = element.tag.rpartition("}")[2]
            if name == "instanceID":
                element.text = instance_id or f"uuid:{uuid.uuid4()}"
            elif name in left:
                element.text = left.pop(name)
        assert not left, left
        return ET.tostring(instance, encoding="utf-8", xml_declaration=True)

    def head(self):
        return self._checked(self.http.head(f"{self.base}/submission", headers=self.headers))

    def submit(self, xml: bytes, files: dict[str, bytes] | None = None, *, incomplete: bool = False):
        parts = {"xml_submission_file": (io.BytesIO(xml), "submission.xml", "text/xml")}
        for name, data in (files or {}).items():
            parts[name] = (io.BytesIO(data), name, "image/jpeg" if name.endswith("jpg") else "application/octet-stream")
        if incomplete:
            parts["*isIncomplete*"] = "yes"
        answer = self.http.post(
            f"{self.base}/submission", headers=self.headers, data=parts, content_type="multipart/form-data"
        )
        self._checked(answer)
        root = ET.fromstring(answer.data)
        assert root.tag == f"{RESPONSE}OpenRosaResponse"
        assert root.find(f"{RESPONSE}message").text
        return answer

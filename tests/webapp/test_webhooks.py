"""Webhooks from the page to a real receiver: signed, kept in order, refused inside, never followed elsewhere."""

import ipaddress
import json
import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import select, text
from standardwebhooks.webhooks import Webhook as Verifier

from gis import journal
from gis.db import unit_of_work
from gis.journal import Who
from gis.settings import Settings
from gis.webhooks import actions
from gis.webhooks.actions import Claimed
from gis.webhooks.model import Webhook, WebhookDelivery
from gis.webhooks.rules import EVENTS, Allowed, PrivateTarget
from tests.conftest import NOW
from tests.factories import make_complaint
from webapp import webhook_send, webhook_tasks, worker
from webapp.webhook_secrets import new_secret, opened

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
LOOPBACK = Allowed.read("127.0.0.1")


class Receiver:
    """A program of a body: keeps what it was sent, answers what it is told to."""

    def __init__(self):
        self.seen, self.answers, self.headers = [], [], {}
        self.hold = threading.Event()
        self.hold.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.seen.append((self.path, dict(self.headers), body))
                outer.hold.wait(120)
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/in?a=1"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.hold.set()
    made.server.shutdown()
    made.server.server_close()


def _claimed(url, body='{"type": "complaint.assign"}'):
    return Claimed(1, "evt_7_8", body, url, b"", None)


def _send(url, allowed=LOOPBACK, **given):
    return webhook_send.send(_claimed(url), [SECRET], allowed, int(time.time()), **given)


# --- sending ---------------------------------------------------------------------------------------------------------
def test_what_arrives_is_verified_by_the_public_library(receiver):
    answer = _send(receiver.url)
    assert (answer.status, answer.error, answer.ok) == (204, None, True)
    path, headers, body = receiver.seen[0]
    assert path == "/in?a=1"
    assert Verifier(SECRET).verify(body, headers) == {"type": "complaint.assign"}
    assert headers["webhook-id"] == "evt_7_8"


def test_a_redirect_is_not_followed(receiver):
    receiver.answers, receiver.headers = [302], {"Location": receiver.url}
    assert _send(receiver.url).error == "redirect"
    assert len(receiver.seen) == 1


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "https://localhost/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/",
     "https://127.1/", "https://0/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
     "https://169.254.169.254/latest/meta-data/", "https://10.0.0.1/", "https://[fe80::1]/", "https://0.0.0.0/"],
)  # fmt: skip
def test_no_way_leads_inside(url):
    with pytest.raises(PrivateTarget):
        webhook_send.check(url, Allowed())
    assert _send(url, Allowed()).error == "private_target"


def test_a_name_is_resolved_once_and_connected_to_what_was_checked(receiver, monkeypatch):
    """A name server that answers a public address first and a private one then gets nobody inside."""
    asked, connected = [], []

    def rebinding(host, port):
        asked.append(host)
        return [ipaddress.ip_address("8.8.8.8" if len(asked) == 1 else "127.0.0.1")]

    def connect(address, timeout=None):
        connected.append(address)
        raise OSError("no")

    monkeypatch.setattr(socket, "create_connection", connect)
    assert _send("https://rebind.example/", Allowed(), find=rebinding).error == "connection"
    assert (asked, connected) == (["rebind.example"], [("8.8.8.8", 443)])
    assert _send("https://rebind.example/", Allowed(), find=rebinding).error == "private_target"
    assert len(connected) == 1


def test_a_receiver_that_is_not_there_or_too_slow_or_talks_nonsense(receiver, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert _send(f"http://127.0.0.1:{port}/").error == "connection"
    assert _send(receiver.url.replace("http:", "https:")).error in ("tls", "connection")
    monkeypatch.setattr(webhook_send, "WHOLE_S", 0.3)
    receiver.hold.clear()  # it takes the message, and says nothing before this test is over
    assert _send(receiver.url).error == "timeout"


def test_byte_by_byte_is_cut_off_too(monkeypatch):
    monkeypatch.setattr(webhook_send, "WHOLE_S", 0.5)
    cut_off = []
    listener = socket.create_server(("127.0.0.1", 0))

    def drip():
        one, _ = listener.accept()
        with one:
            one.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(2400):  # two minutes, unless the other side hangs up
                try:
                    one.sendall(b"a")
                except OSError:
                    cut_off.append(True)
                    return
                time.sleep(0.05)

    thread = threading.Thread(target=drip)
    thread.start()
    answer = _send(f"http://127.0.0.1:{listener.getsockname()[1]}/")
    thread.join()
    listener.close()
    assert answer.error == "timeout"
    assert cut_off, "it was heard to the end"


def test_how_long_to_wait_is_read(receiver):
    receiver.answers, receiver.headers = [503, 503], {"Retry-After": "120"}
    assert _send(receiver.url).retry_after_s == 120
    receiver.headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert _send(receiver.url).retry_after_s is None


# --- the worker's way ------------------------------------------------------------------------------------------------
@pytest.fixture
def place(tmp_path, monkeypatch):
    settings = Settings(data_dir=tmp_path, webhook_allow="127.0.0.1")
    monkeypatch.setattr(worker, "_SETTINGS", [settings])
    return settings


def _subscribe(sessions, place, url, **fields):
    secret, kept = new_secret(place.data_dir)
    with unit_of_work(sessions) as session:
        given = {"name": "公司", "url": url, "events": list(EVENTS), "secret": kept, "unit_id": None}
        made = actions.add(session, Who(NOW), **(given | fields))
    return made.id, secret


def _until_fed(sessions, count):
    """The journal's horizon is the whole server's: other tests may hold it for a while."""
    deadline = time.monotonic() + 60
    while True:
        with unit_of_work(sessions) as session:
            webhook_tasks.feed_webhooks(session, Who(worker_now()))
            have = session.scalar(text("SELECT count(*) FROM webhook_delivery"))
        if have == count:
            return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def worker_now():
    from webapp.clock import utc_now

    return utc_now()


def _receive(sessions, count=1):
    with unit_of_work(sessions) as session:
        for _ in range(count):
            complaint = make_complaint(session)
            journal.write(session, Who(worker_now()), "receive", "complaint", complaint.id, version=1)


def test_from_the_journal_to_the_receiver_in_order_and_once(committed, place, receiver):
    with unit_of_work(committed) as session:
        actions.feed(session, Who(NOW))
    hook, secret = _subscribe(committed, place, receiver.url)
    _receive(committed, 5)
    _until_fed(committed, 5)
    for _ in range(2):
        webhook_tasks.send_webhooks(committed, Who(worker_now()), {"webhook_id": hook})
    ids = [headers["webhook-id"] for _path, headers, _body in receiver.seen]
    assert len(ids) == len(set(ids)) == 5
    numbers = [Verifier(secret).verify(body, headers)["data"]["id"] for _path, headers, body in receiver.seen]
    assert numbers == sorted(numbers)


def test_one_job_serves_a_webhook_at_a_time(committed, place, receiver):
    with unit_of_work(committed) as session:
        actions.feed(session, Who(NOW))
    _subscribe(committed, place, receiver.url)
    _receive(committed, 3)
    _until_fed(committed, 3)
    with unit_of_work(committed) as session:
        webhook_tasks.feed_webhooks(session, Who(worker_now()))
        assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 1


def test_after_a_failure_the_others_wait(committed, place, receiver):
    with unit_of_work(committed) as session:
        actions.feed(session, Who(NOW))
    hook, _ = _subscribe(committed, place, receiver.url)
    _receive(committed, 3)
    _until_fed(committed, 3)
    receiver.answers = [500]
    webhook_tasks.send_webhooks(committed, Who(worker_now()), {"webhook_id": hook})
    assert len(receiver.seen) == 1
    with committed() as session:
        rows = session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).all()
    assert [(r.status, r.attempts) for r in rows] == [("waiting", 1), ("waiting", 0), ("waiting", 0)]
    assert rows[0].log[0]["status"] == 500


def test_a_lost_key_is_told_and_sends_nothing(committed, place, receiver):
    hook, _ = _subscribe(committed, place, receiver.url, secret=b"of another key")
    with unit_of_work(committed) as session:
        actions.send_test(session, Who(NOW), session.get(Webhook, hook), "t")
    webhook_tasks.send_webhooks(committed, Who(worker_now()), {"webhook_id": hook})
    assert receiver.seen == []
    with committed() as session:
        assert session.scalars(select(WebhookDelivery)).one().log[0]["error"] == "secret_lost"


# --- the pages -------------------------------------------------------------------------------------------------------
@pytest.fixture
def admin(app, sign_in):
    app.config["SETTINGS"] = app.config["SETTINGS"].model_copy(update={"webhook_allow": "127.0.0.1"})
    return sign_in("administrator")


def _add(client, **fields):
    given = {"name": "供热公司系统", "url": "http://127.0.0.1:9/", "events": ["complaint.assign", "complaint.receive"]}
    return client.post("/webhooks", data=given | fields)


def _shown(answer):
    return re.search(r"data-made-secret[^>]*>(whsec_[^<]+)<", answer.text)[1]


def test_the_secret_is_shown_once_and_kept_closed(admin, app, session):
    answer = _add(admin)
    assert answer.status_code == 200
    secret = _shown(answer)
    hook = session.scalars(select(Webhook)).one()
    assert secret.encode() not in hook.secret
    assert opened(app.config["SETTINGS"].data_dir, hook.secret) == secret
    assert hook.events == ["complaint.receive", "complaint.assign"]
    for page in (admin.get("/webhooks"), admin.get(f"/webhooks/{hook.id}")):
        assert page.status_code == 200
        assert "whsec_" not in page.text


def test_an_address_inside_is_refused_with_a_sentence(admin, session):
    for url in ("https://10.0.0.1/", "https://[::1]/", "http://2852039166/"):
        answer = _add(admin, url=url)
        assert answer.status_code == 422
        assert "内网地址" in answer.text
        assert f'value="{url}"' in answer.text
    assert _add(admin, url="https://user:x@example.com/").status_code == 422
    assert _add(admin, events=[]).status_code == 422
    assert session.scalars(select(Webhook)).all() == []


def test_change_pause_rotate_test_and_resend(admin, session):
    _add(admin)
    hook = session.scalars(select(Webhook)).one()
    where = f"/webhooks/{hook.id}"
    changed = {"url": "http://127.0.0.1:8/", "events": ["complaint.cancel"], "base_version": hook.version}
    assert admin.post(where, data=changed).status_code == 303
    assert admin.post(where, data=changed).status_code == 412
    assert admin.post(where, data=changed | {"url": "https://192.168.0.1/", "base_version": ""}).status_code == 422
    session.refresh(hook)
    assert (hook.url, hook.events) == ("http://127.0.0.1:8/", ["complaint.cancel"])
    assert _shown(admin.post(f"{where}/secret")).startswith("whsec_")
    session.refresh(hook)
    assert hook.previous_secret is not None
    admin.post(f"{where}/active", data={"active": "0"})
    session.refresh(hook)
    assert not hook.active
    admin.post(f"{where}/active", data={"active": "1"})
    assert admin.post(f"{where}/test").status_code == 303
    row = session.scalars(select(WebhookDelivery)).one()
    assert json.loads(row.body)["type"] == "webhook.test"
    row.status, row.next_at = "dead", None
    session.commit()
    assert "推送失败" in admin.get(f"{where}?status=dead").text
    assert admin.post(f"{where}/resend", data={"delivery_id": row.id}).status_code == 303
    session.refresh(row)
    assert row.status == "waiting"
    assert admin.post(f"{where}/resend", data={"delivery_id": row.id}).status_code == 409
    verbs = session.scalars(text("SELECT verb FROM journal WHERE thing = 'webhook' ORDER BY seq")).all()
    assert verbs == ["add", "change", "rotate", "pause", "resume", "test", "resend"]


def test_the_pages_in_english(admin, session):
    _add(admin)
    hook = session.scalars(select(Webhook)).one()
    admin.set_cookie("language", "en")
    admin.user.language = "en"
    session.commit()
    assert "Add a webhook" in admin.get("/webhooks").text
    assert "Send a test" in admin.get(f"/webhooks/{hook.id}").text


def test_dead_letters_wait_in_the_worklist_for_who_can_send_them_again(admin, sign_in, session):
    _add(admin)
    hook = session.scalars(select(Webhook)).one()
    admin.post(f"/webhooks/{hook.id}/test")
    session.execute(text("UPDATE webhook_delivery SET status = 'dead', next_at = NULL"))
    session.commit()
    kinds = {row["kind"]: row for row in admin.get("/worklist.json").json["kinds"]}
    assert (kinds["webhook_dead"]["count"], kinds["webhook_dead"]["page"]) == (1, "/webhooks")
    assert "/webhooks" in admin.get("/worklist").text
    other = sign_in("supervisor").get("/worklist.json").json["kinds"]
    assert next(row["count"] for row in other if row["kind"] == "webhook_dead") == 0


def test_a_webhook_is_removed_with_its_dead_letters(admin, session):
    _add(admin)
    hook = session.scalars(select(Webhook)).one()
    admin.post(f"/webhooks/{hook.id}/test")
    assert admin.post(f"/webhooks/{hook.id}/remove").status_code == 303
    assert session.scalar(text("SELECT count(*) FROM webhook_delivery")) == 0
    assert admin.get(f"/webhooks/{hook.id}").status_code == 404
    assert session.scalar(text("SELECT count(*) FROM journal WHERE thing = 'webhook' AND verb = 'remove'")) == 1

"""Signing in, out, and being throttled."""

from gis.journal import Who
from gis.people import actions
from gis.people.rules import THROTTLE_ATTEMPTS
from tests.conftest import NOW


def _person(session, name="zhang"):
    actions.add_user(session, Who(NOW), name, "dispatcher", "a long password")
    session.commit()


def test_the_right_password_opens_the_console(client, session):
    _person(session)
    answer = client.post("/login", data={"name": "zhang", "password": "a long password"})
    assert answer.status_code == 302
    assert client.get("/").status_code == 200


def test_a_wrong_password_is_told_in_chinese(client, session):
    _person(session)
    answer = client.post("/login", data={"name": "zhang", "password": "wrong"})
    assert answer.status_code == 401
    assert "用户名或密码不正确" in answer.text


def test_many_wrong_passwords_are_slowed_down(client, session):
    _person(session)
    for _ in range(THROTTLE_ATTEMPTS):
        client.post("/login", data={"name": "zhang", "password": "wrong"})
    answer = client.post("/login", data={"name": "zhang", "password": "a long password"})
    assert answer.status_code == 429


def test_a_page_sends_a_stranger_to_sign_in_and_back(client):
    answer = client.get("/")
    assert answer.status_code == 302
    assert answer.location.startswith("/login")
    assert "next=/" in answer.location.replace("%2F", "/")


def test_the_way_back_never_leads_to_another_site(client, session):
    _person(session)
    for evil in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        answer = client.post("/login", data={"name": "zhang", "password": "a long password", "next": evil})
        assert answer.location == "/"
        client.post("/logout")


def test_the_language_switch_is_remembered(client):
    client.post("/language", data={"language": "en"})
    assert "Sign in" in client.get("/login").text

"""The server starts, and somebody signs in through the real form."""

import pytest


@pytest.mark.browser
def test_a_dispatcher_signs_in(live, page):
    live.sign_in(page, "dispatcher")
    assert page.url == f"{live.url}/"

"""What a live stream is sent, and what becomes of a screen that does not read."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from gis.journal import News
from gis.people.rules import CITY
from tests.conftest import NOW
from webapp.live_hub import WAITING, Opening, Stream, event, tell

ROW = {
    "seq": 7,
    "at": NOW,
    "user_id": 3,
    "verb": "receive",
    "thing": "complaint",
    "thing_id": "5",
    "version": 1,
    "txid": "9",
}
OPENING = Opening(3, "dispatcher", None, None, CITY, None)


def parsed(stream: str) -> list[tuple[str, str, str]]:
    """`(event, data, id)` as the standard says a browser reads it (WHATWG, server-sent events, 9.2.6)."""
    found, kind, data, last = [], "", "", ""
    for line in stream.split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            if data:
                found.append((kind or "message", data.removesuffix("\n"), last))
            kind = data = ""
        elif name == "event":
            kind = value
        elif name == "data":
            data += value + "\n"
        elif name == "id":
            last = value
    return found


def test_rows_of_one_look_are_one_event_with_one_cursor():
    said = tell(News([ROW, ROW], "10:10:", reload=False), [ROW, ROW], 3, hello=False, beat=True)
    ((kind, data, last),) = parsed(said)
    assert (kind, last, data.count('"seq":7'), data.count('"mine":true')) == ("change", "10:10:", 2, 2)


def test_nothing_of_interest_says_nothing_until_it_is_time_for_a_beat():
    nothing = News([ROW], "10:10:", reload=False)
    assert tell(nothing, [], 1, hello=False, beat=False) == ""
    assert parsed(tell(nothing, [], 1, hello=False, beat=True)) == [("beat", "{}", "10:10:")]
    assert [kind for kind, _, _ in parsed(tell(nothing, [], 1, hello=True, beat=True))] == ["hello"]


def test_whoever_missed_too_much_loads_anew_from_the_new_cursor():
    assert parsed(tell(News((), "10:10:", reload=True), [], 1, hello=False, beat=False)) == [("reload", "{}", "10:10:")]


def test_words_with_line_ends_stay_one_event():
    assert parsed(event("change", ["a\nb\n\nid: 1"], "1:1:")) == [("change", '["a\\nb\\n\\nid: 1"]', "1:1:")]


def test_a_screen_that_does_not_read_is_let_go_and_not_kept_in_memory():
    async def run() -> str:
        never = asyncio.Event()
        stuck = asyncio.create_task(never.wait())  # a connection that takes nothing more
        stream = Stream(OPENING, stuck)
        for n in range(WAITING):
            stream.tell(str(n))
        await asyncio.sleep(0)
        assert not stuck.done()
        stream.tell("one more")
        await asyncio.gather(stuck, return_exceptions=True)
        return "cancelled" if stuck.cancelled() else "alive"

    with ThreadPoolExecutor(1) as beside:  # a thread of its own: a browser's driver may hold this one's loop
        assert beside.submit(lambda: asyncio.run(run())).result() == "cancelled"

"""What a page is on paper: as it stands between `beforeprint` and `afterprint`, within the margins of A4."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

A4_PX = {"width": 718, "height": 1045}  # within the usual margins of 1 cm
COLOURS = """(canvas) => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


@contextmanager
def on_paper(page: Page) -> Iterator[None]:
    """The page as it is laid out for A4; afterwards as it was."""
    before = page.viewport_size
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.set_viewport_size(A4_PX)  # type: ignore[arg-type]
    yield
    assert before is not None
    page.set_viewport_size(before)
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")

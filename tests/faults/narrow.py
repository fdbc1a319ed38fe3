"""A link as in the field: so many bytes a second, and, when it flaps, cut every few kilobytes. Counts what goes up."""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import suppress

_PIECE = 4096


class Narrow:
    """A TCP proxy in front of the live server; `sent` is how many bytes went up through it, heads and all."""

    def __init__(self, port: int, bytes_per_s: int) -> None:
        self.upstream, self.rate = port, bytes_per_s
        self.flap: random.Random | None = None
        self.sent = self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.lock = threading.Lock()
        self.free_at = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                down, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(down,), daemon=True).start()

    def _carry(self, down: socket.socket) -> None:
        try:
            up = socket.create_connection(("127.0.0.1", self.upstream), timeout=60)
        except OSError:
            return down.close()
        threading.Thread(target=self._pump, args=(up, down, False), daemon=True).start()
        self._pump(down, up, True)

    def _pump(self, source: socket.socket, target: socket.socket, upwards: bool) -> None:
        """Carry bytes at the link's pace until one side ends; what goes up is counted, and may be cut."""
        left = 0
        with suppress(OSError):
            while data := source.recv(_PIECE):
                if upwards:
                    self._pace(len(data))
                    self.sent += len(data)
                    if self.flap is not None:
                        left = left or self.flap.randrange(10_000, 80_000)
                        left -= len(data)
                        if left <= 0:
                            self.cuts += 1
                            break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _pace(self, size: int) -> None:
        with self.lock:
            now = time.monotonic()
            self.free_at = max(now, self.free_at) + size / self.rate
            wait = self.free_at - now
        time.sleep(wait)

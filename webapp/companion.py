"""The worker, and the line to a broker, beside the server: started when it is ready, again when they die, stopped with it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time

from rich.console import Console

STOP_S = 30  # a little more than the worker gives its running jobs
LONGEST_PAUSE_S = 60.0
STEADY_S = 120.0  # a worker that lived so long is not counted as failing again and again
PR_SET_PDEATHSIG = 1  # from Linux's prctl.h


def start_child(module: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a module of ours that is told to stop should this process be killed: nobody else would tell it.

    It is told between fork and exec, so that not even a process that is still loading its modules is left behind.
    """
    parent = os.getpid()

    def end_with_parent() -> None:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(0)

    before = end_with_parent if sys.platform == "linux" else None
    return subprocess.Popen([sys.executable, "-m", module], env=environment, stdout=sys.stderr, preexec_fn=before)


class Companion:
    """One process, kept running."""

    def __init__(self, environment: dict[str, str], module: str = "webapp.work") -> None:
        self.environment, self.module = environment, module
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.deaths = 0

    def keep_running(self) -> None:
        """Start it unless it runs; after deaths in a row wait longer each time."""
        if self.process is not None:
            if self.process.poll() is None:
                return
            lived = time.monotonic() - self.started
            self.deaths = 0 if lived > STEADY_S else self.deaths + 1
            Console(stderr=True).print(f"{self.module} stopped (exit {self.process.returncode}); starting it again.")
            self.process = None
        if self.deaths and time.monotonic() - self.started < min(2.0**self.deaths, LONGEST_PAUSE_S):
            return
        self.started = time.monotonic()
        self.process = start_child(self.module, self.environment)

    def stop(self) -> None:
        """Let it finish what it is doing; its jobs are taken over by the next one when it does not."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

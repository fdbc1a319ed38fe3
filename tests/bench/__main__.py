"""`python -m tests.bench [NAME …] [--out FILE]`: measure everything, or the modules named; print a table and write it."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import tempfile
import traceback
from pathlib import Path
from types import ModuleType

import tests.bench
from tests.bench.report import Bench


def modules(names: list[str]) -> dict[str, ModuleType]:
    """The bench modules that measure, all or those named; an unknown name is wrong usage."""
    found = {
        m.name: importlib.import_module(f"tests.bench.{m.name}")
        for m in pkgutil.iter_modules(tests.bench.__path__)
        if m.name != "__main__"
    }
    measuring = {name: module for name, module in found.items() if hasattr(module, "run")}
    if unknown := set(names) - set(measuring):
        raise SystemExit(f"no such bench: {', '.join(sorted(unknown))}; there are: {', '.join(measuring)}")
    return {name: module for name, module in measuring.items() if not names or name in names}


def main() -> None:
    """Timings never fail; a module that breaks is told, and the others are measured all the same."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the figures of Chengmai.")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("bench-results.json"))
    given = parser.parse_args()
    chosen = modules(given.names)
    with tempfile.TemporaryDirectory(prefix="chengmai-bench-") as place:
        os.chmod(place, 0o755)
        bench = Bench(Path(place))
        try:
            for name, module in chosen.items():
                bench.say(f"{name}: {(module.__doc__ or '').splitlines()[0]}")
                try:
                    module.run(bench)
                except Exception as error:  # noqa: BLE001 — one broken module must not hide the figures of the others
                    traceback.print_exc()
                    bench.failed[name] = f"{type(error).__name__}: {error}".splitlines()[0]
        finally:
            bench.write(given.out)
            if "cluster" in bench.__dict__:
                bench.cluster.stop()


if __name__ == "__main__":
    main()

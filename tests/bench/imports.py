"""A million complaints from CSV through the real command: seconds, and the command's own largest memory."""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import create_engine, text

from gis.complaints.categories import CATEGORIES
from tests.bench.report import Bench

ROWS = 1_000_000
ROUNDS = 3
SECONDS, MEGABYTES = 60, 500
# As many districts as Shandong has, each drawn with about as many points as the official ones.
_DISTRICTS = """
    INSERT INTO area (code, name, level, geom)
    SELECT format('37%s', lpad(n::text, 4, '0')), format('区%s', n), 'district',
           ST_Multi(ST_Buffer(ST_Point(115.6 + n % 17 * 0.37, 34.9 + n / 17 * 0.33, 4326), 0.18, 28))
      FROM generate_series(0, 135) n
"""
HEADER = ("工单编号", "受理时间", "来源渠道", "类别", "诉求内容", "地址", "经度", "纬度", "状态", "办结时间",
          "来电人", "来电电话", "门牌号")  # fmt: skip
SAID = ("家里暖气不热，已经三天了，请尽快安排人处理", "楼道里暖气管漏水", "整栋楼停热，无人通知", "路灯不亮，夜间行走不便",
        "自来水爆管，路面积水严重", "室温只有十五度，要求测温", "施工后路面没有恢复平整")  # fmt: skip


def run(bench: Bench) -> None:
    """A fresh table each time, indexes live, 136 districts to file under; then the same file again, which adds nothing."""
    url = bench.database("imports")
    path = bench.place / "complaints.csv"
    make_file(path)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(_DISTRICTS))
    took, memory = [], []
    for _ in range(ROUNDS):
        with engine.connect() as connection:
            connection.execute(text("TRUNCATE complaint CASCADE"))
            connection.execute(text("CHECKPOINT"))
        seconds, megabytes, report = import_once(path, url)
        if report["added"] != ROWS:
            raise RuntimeError(f"added {report['added']}")
        took.append(seconds)
        memory.append(megabytes)
    note = f"{path.stat().st_size / 1e6:.0f} MB of CSV, validated, 136 districts, 600,000 callers apart, real command"
    bench.figure("import of 1,000,000 complaints", took, unit="s", target=SECONDS, judge="median", note=note)
    bench.figure("import of 1,000,000 complaints: memory", memory, unit="MB", target=MEGABYTES, judge="max",
                 note="largest resident memory of the command")  # fmt: skip
    seconds, megabytes, report = import_once(path, url)
    bench.figure(
        "the same file again", seconds, unit="s", judge="median", note=f"{report['unchanged']:,} unchanged, 0 added"
    )
    engine.dispose()
    path.unlink()


def make_file(path: Path, rows: int = ROWS, seed: int = 8319) -> None:
    """A file in our own template: three years, a province, nine of ten closed, three of five with a caller."""
    rng = np.random.default_rng(seed)
    names = [c.name for c in CATEGORIES]
    start = datetime(2016, 1, 1)  # noqa: DTZ001 (a template's local time)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for first in range(0, rows, 50_000):
            count = min(50_000, rows - first)
            second = np.sort(rng.integers(0, 60 * 86_400, count)) + first // 50_000 * 55 * 86_400
            took = rng.integers(600, 5 * 86_400, count)
            # Towns: nine of ten complaints lie around one of 400 centres.
            centre = rng.integers(0, 400, count)
            lon = (
                115.5
                + (centre % 20) * 0.3
                + rng.normal(0, 0.02, count)
                + (rng.random(count) < 0.1) * rng.normal(0, 0.1, count)
            )
            lat = 34.8 + (centre // 20) * 0.13 + rng.normal(0, 0.02, count)
            kind, said = rng.integers(0, len(names), count), rng.integers(0, len(SAID), count)
            closed, caller = rng.random(count) < 0.9, rng.random(count) < 0.6
            phone = rng.integers(13_000_000_000, 18_999_999_999, count)
            for i in range(count):
                at = start + timedelta(seconds=int(second[i]))
                done = at + timedelta(seconds=int(took[i]))
                writer.writerow((
                    f"B{first + i:09}", at, "12345热线", names[kind[i]], SAID[said[i]],
                    f"第{centre[i]}街道{i % 97}号小区{i % 31}号楼", f"{lon[i]:.6f}", f"{lat[i]:.6f}",
                    "办结" if closed[i] else "受理", done if closed[i] else "",
                    *(("张先生", phone[i], f"{i % 6 + 1}单元{i % 20 + 101}") if caller[i] else ("", "", "")),
                ))  # fmt: skip


def import_once(path: Path, database_url: str) -> tuple[float, float, dict[str, object]]:
    """Seconds, peak megabytes and the report of one real `chengmai import complaints`."""
    command = [sys.executable, "-m", "webapp.cli", "import", "complaints", str(path), "--json"]
    start = time.perf_counter()
    child = subprocess.Popen(command, env={**os.environ, "CHENGMAI_DATABASE_URL": database_url}, stdout=subprocess.PIPE)
    assert child.stdout is not None
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    seconds = time.perf_counter() - start
    if child.returncode:
        raise RuntimeError(said.decode()[:2000])
    return seconds, peak_mb(usage), json.loads(said)


def peak_mb(usage: resource.struct_rusage) -> float:
    """Linux tells kilobytes."""
    return usage.ru_maxrss / 1024

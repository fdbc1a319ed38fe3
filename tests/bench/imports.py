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

from gis.complaints.rules import CATEGORIES

ROWS = 1_000_000
HEADER = ("工单编号", "受理时间", "来源渠道", "类别", "诉求内容", "地址", "经度", "纬度", "状态", "办结时间",
          "来电人", "来电电话", "门牌号")  # fmt: skip
SAID = ("家里暖气不热，已经三天了，请尽快安排人处理", "楼道里暖气管漏水", "整栋楼停热，无人通知", "路灯不亮，夜间行走不便",
        "自来水爆管，路面积水严重", "室温只有十五度，要求测温", "施工后路面没有恢复平整")  # fmt: skip


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

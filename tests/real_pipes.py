"""The real networks of the shared data as arrays, read apart from the product's own readers; valves are drawn by a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyogrio

from gis.network.trace import Pipes

NETWORKS = ("Net3.inp", "ky4.inp", "gas_schutterwald.gpkg", "heat_schutterwald.gpkg")


def read(path: Path, seed: int | None) -> Pipes:
    """One network. With a seed every eighth node is a valve; of those a tenth is closed, and a fifth out of reach."""
    names, edges, lengths, sources, needs = (_epanet if path.suffix == ".inp" else _geopackage)(path)
    n = len(names)
    draw = np.random.default_rng(seed)
    valve = (draw.random(n) < 0.125) & (seed is not None)
    valve[sources] = False
    valve[np.unique(np.array(needs, np.int64).reshape(-1))] = False
    is_open = ~valve | (draw.random(n) > 0.1)
    reach = ~valve | (draw.random(n) > 0.2)
    source = np.isin(np.arange(n), sources)
    ends = np.array(edges, np.int64)
    return Pipes(
        ends[:, 0].copy(), ends[:, 1].copy(), np.array(lengths, float), valve, is_open, reach, source,
        np.array(needs, np.int64).reshape(-1, 2),
    )  # fmt: skip


def _epanet(path: Path):
    parts: dict[str, list[list[str]]] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        line = line.split(";")[0].strip()
        if line.startswith("["):
            part = parts.setdefault(line.strip("[]").upper(), [])
        elif line and parts:
            part.append(line.split())
    number: dict[str, int] = {}
    for kind in ("JUNCTIONS", "RESERVOIRS", "TANKS"):
        for row in parts[kind]:
            number[row[0]] = len(number)
    pipes = [(row[1], row[2], float(row[3])) for row in parts["PIPES"]]
    pipes += [(row[1], row[2], 1.0) for kind in ("PUMPS", "VALVES") for row in parts.get(kind, [])]
    edges = [(number[a], number[b]) for a, b, _ in pipes]
    return list(number), edges, [metres for *_, metres in pipes], [number[r[0]] for r in parts["RESERVOIRS"]], []


def _geopackage(path: Path):
    layers = {name for name, _ in pyogrio.list_layers(path)}
    joints = pyogrio.read_dataframe(path, layer="junction", read_geometry=False)["jid"].tolist()
    number = {jid: i for i, jid in enumerate(joints)}
    edges, lengths = [], []
    for layer in layers & {"pipe", "valve"}:
        rows = pyogrio.read_dataframe(path, layer=layer, read_geometry=False)
        for row in rows.to_dict("records"):
            edges.append((number[row["from_junction"]], number[row["to_junction"]]))
            lengths.append(row.get("length_km", 0.001) * 1000)
    needs = []
    if "heat_consumer" in layers:  # what returns comes through the consumer: its return side needs the supply side
        rows = pyogrio.read_dataframe(path, layer="heat_consumer", read_geometry=False)
        needs = [(number[r["to_junction"]], number[r["from_junction"]]) for r in rows.to_dict("records")]
    sources = []
    for layer, field in (("source", "junction"), ("circ_pump_pressure", "flow_junction"), ("ext_grid", "junction")):
        if layer in layers:
            sources += [number[j] for j in pyogrio.read_dataframe(path, layer=layer, read_geometry=False)[field]]
    if not sources:  # the heat network begins where its feeder valves stand
        rows = pyogrio.read_dataframe(path, layer="valve", read_geometry=False)
        sources = [number[j] for j in sorted(set(rows["from_junction"]))]
    return joints, edges, lengths, sources, needs

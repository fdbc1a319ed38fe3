"""Which asset explains the calls: 1,000 simulated failures of a city of 33,500 households and 91 stations, and the time of one."""

from __future__ import annotations

import time

import numpy as np

from gis.network.asset_rules import CALL_RATES
from gis.network.explain import Rates
from tests.bench.report import Bench
from tests.explain_city import HOUSEHOLDS, STATIONS, City, evening, make

FAILURES, FALSE_CALLS, CALL_RATE = 1_000, 0.02, 0.2
OTHER_RATES = (0.1, 0.15, 0.3, 0.4)
LEAST, CAUSES, OTHERS = 0.0, 6, 2


def run(bench: Bench) -> None:
    """Assets fail one at a time, each kind as often as every other; then 2 % of all 33,500 households call for nothing."""
    began = time.perf_counter()
    city = make()
    explainer = city.explainer()
    bench.figure("failure sets of every asset of the city", time.perf_counter() - began, unit="s",
                 note=f"{city.supply.nodes:,} nodes, {sum(len(f) for f in city.families):,} assets; once per change of a network")  # fmt: skip
    for rate in (CALL_RATE, *OTHER_RATES):
        first, three, panel, took = simulate(city, explainer, rate)
        main = rate == CALL_RATE
        note = (
            f"{rate:.0%} of those without service call, {FALSE_CALLS:.0%} of all households falsely; equal sets are one"
        )
        name = "the failed asset is first" if main else f"the failed asset is first, call rate {rate:.0%}"
        bench.figure(
            name,
            first,
            unit="%",
            target=90.0 if main else None,
            judge="median",
            better="more",
            note=f"n = {FAILURES}; {note}",
        )
        name = name.replace("first", "among the first three", 1)
        bench.figure(
            name, three, unit="%", target=98.0 if main else None, judge="median", better="more", note=f"n = {FAILURES}"
        )
        bench.figure(name.replace("among the first three", "told first on the dispatcher's page"), panel, unit="%", judge="median",
                     better="more", note=f"n = {FAILURES}; what is no likelier than chance is not told there")  # fmt: skip
        if main:
            bench.figure(
                f"one explanation, {HOUSEHOLDS:,} households, {STATIONS} stations", took, target=1_000.0, judge="max"
            )


def simulate(city: City, explainer, rate: float) -> tuple[float, float, float, list[float]]:  # type: ignore[no-untyped-def]
    """In how many % the asset is first, among the first three, and first on the page; and the milliseconds of each."""
    rng = np.random.default_rng(20091117)
    rates = Rates(np.array(CALL_RATES), np.ones(len(CALL_RATES)))
    served = np.concatenate([family.sums(city.households) for family in city.families])
    kinds = np.concatenate([city.kinds[city.things], np.full(len(city.families[1]), "segment")])
    able = {kind: np.flatnonzero((kinds == kind) & (served > 0)) for kind in np.unique(kinds)}
    able = {kind: which for kind, which in able.items() if which.size}
    first = three = panel = 0
    took = []
    for _ in range(FAILURES):
        failed = int(rng.choice(able[str(rng.choice(sorted(able)))]))
        heard = evening(city, explainer.members(failed), rate, FALSE_CALLS, rng)
        ranking = explainer.rank(heard, rates, 3)
        first += bool(ranking) and failed in ranking[0].things
        three += any(failed in one.things for one in ranking)
        began = time.perf_counter()
        causes = explainer.causes(heard, rates, least=LEAST, causes=CAUSES, others=OTHERS)
        took.append((time.perf_counter() - began) * 1000)
        panel += bool(causes) and failed in causes[0][0].things
    return 100 * first / FAILURES, 100 * three / FAILURES, 100 * panel / FAILURES, took

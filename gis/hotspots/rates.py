"""Per household, not per crowd: rates, and how far small numbers are to be believed.

Three complaints among twelve households are no sign of a bad place. Each rate is drawn towards the whole city's the more,
the fewer households stand behind it (empirical Bayes, Marshall 1991).
"""

from __future__ import annotations

import numpy as np

from gis.hotspots.density import Floats


def shrunk(events: Floats, households: Floats) -> Floats:
    """The rate of each area, drawn towards the mean by what its number of households is worth. NaN without households."""
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = np.where(households > 0, events / households, np.nan)
    lived = households > 0
    base = float(households[lived].sum())
    if base <= 0:
        return raw
    mean = float(events[lived].sum()) / base
    spread = float((households[lived] * (raw[lived] - mean) ** 2).sum()) / base
    real = max(spread - mean / (base / int(lived.sum())), 0.0)  # what differs more than counting alone explains
    if mean == 0:
        return raw
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(lived, real / (real + mean / households), np.nan)
    return np.asarray(weight * raw + (1.0 - weight) * mean, np.float64)

"""What calls say about the networks: which categories speak of lost service, and how an explanation is put."""

from __future__ import annotations

from gis.errors import BadInput, Conflict

# Categories whose callers have no service, or too little of it. Fees, tests, noise and new connections say nothing of a failure.
TELLING = frozenset(
    {"heat.cold", "heat.none", "heat.outage", "heat.pressure", "heat.leak", "water.none", "water.burst", "gas.none"}
)
# Of these the caller sees the place of the damage: such a call leads an incident before all others of its utility.
SEEN_AT = frozenset({"water.burst", "heat.leak", "gas.leak"})
# A call belongs to the building it came from; where none is drawn, to the nearest customer of its utility within this.
WITHIN_M = 120.0

LEAST_ODDS = 0.0  # from here on a failure is likelier than chance
CAUSES, OTHERS = 6, 2
NAMED = 4  # so many things of which calls cannot tell one from another are named
HOURS = (1, 2, 3, 6, 12, 24)


class NothingExplained(Conflict):
    """The calls of these hours no longer speak for this; look at the list again."""

    code = "nothing_explained"


class AssetTaken(Conflict):
    """There is already an open incident for this; add the calls to it."""

    code = "asset_taken"


class NotANetwork(BadInput):
    """No topology was built yet, so no asset can explain the calls."""

    code = "not_a_network"

"""Words, levels and limits of hotspots."""

from __future__ import annotations

from enum import StrEnum

from gis.errors import BadInput, Conflict


class Measure(StrEnum):
    """What a planner's map shows: is it more than chance, how much, for how many households, since when. One at a time."""

    SIGNIFICANCE = "significance"
    DENSITY = "density"
    RATE = "rate"
    COURSE = "course"


class CellShape(StrEnum):
    """What the ground is cut into."""

    SQUARE = "square"
    HEXAGON = "hexagon"
    COMMUNITY = "community"


class Chance(StrEnum):
    """What a z is held against: the normal curve, or the same complaints thrown about the cells again and again."""

    NORMAL = "normal"
    PERMUTED = "permuted"


class Course(StrEnum):
    """How a place went on over the weeks of the period."""

    EMERGING = "emerging"
    PERSISTENT = "persistent"
    FADING = "fading"
    SPORADIC = "sporadic"
    NONE = "none"


class WorkKind(StrEnum):
    """What a finding can become."""

    VISIT = "visit"
    SPECIAL_WEEK = "special_week"
    INCIDENT = "incident"


class Outcome(StrEnum):
    """What became of a place after something was done about it."""

    WAITING = "waiting"
    COOLED = "cooled"
    STILL_HOT = "still_hot"
    UNKNOWN = "unknown"


class Ground(StrEnum):
    """Which cells are compared. Over fields and mountains every town is a hotspot; among lived-in cells it is not."""

    SETTLED = "settled"
    ALL = "all"


class Label(StrEnum):
    """What a cell is called: gathered (hot) or thinned out (cold), and how sure that is."""

    HOT_99 = "hot_99"
    HOT_95 = "hot_95"
    HOT_90 = "hot_90"
    NONE = "none"
    COLD_90 = "cold_90"
    COLD_95 = "cold_95"
    COLD_99 = "cold_99"
    NO_DATA = "no_data"


# Highest false discovery rate at which a cell is called, weakest first.
# source: the 90/95/99 % convention of Gi* maps (Ord & Getis 1995), with Benjamini & Hochberg 1995 instead of bare p
LEVELS: tuple[float, ...] = (0.10, 0.05, 0.01)

# -3..3 as `density.confidence` gives them, in words.
CONFIDENCE: dict[int, Label] = {
    3: Label.HOT_99, 2: Label.HOT_95, 1: Label.HOT_90, 0: Label.NONE,
    -1: Label.COLD_90, -2: Label.COLD_95, -3: Label.COLD_99,
}  # fmt: skip

CELL_SIZES_M: tuple[int, ...] = (100, 250, 500, 1000, 2000)
CELL_M = 250
CELL_MIN_M, CELL_MAX_M = 20, 20_000
REACHES_CELLS: tuple[int, ...] = (2, 3, 5)
REACH_CELLS = 3  # the distance band of Gi* and the bandwidth of the density, in cell sides
MAX_CELLS = 4_000_000  # about 0.4 GB while it is computed
DRAWN_MAX = 6_000  # more shapes than this make a browser slow; a larger cell says the same


PERMUTATIONS, SEED = 999, 8319  # the seed is fixed: the same question gives the same answer
STEP_DAYS = 7
FEWEST_STILL_HOT = 3  # where so few complain that one call stands out, fewer than this are no gathering
K_PUBLIC = 5  # source: the house's rule for what anybody may read, as in the open data of `/ogc`
FEWEST_STEPS, MOST_STEPS = 4, 60


class TooManyCells(BadInput):
    """This area has %(cells)s cells of %(cell_m)s m; at most %(most)s can be computed: choose larger cells or a smaller area."""

    code = "too_many_cells"


class BadCell(BadInput):
    """A cell has a side of %(least)s to %(most)s m, not %(cell_m)s."""

    code = "bad_cell"


class BadReach(BadInput):
    """The radius is between one and ten cells, not %(reach)s m."""

    code = "bad_reach"


class AlreadyAnswered(Conflict):
    """Somebody has made the same of this finding already."""

    code = "already_answered"


class NoSuchCell(BadInput):
    """There is no cell %(number)s in this view any more: the complaints have changed meanwhile."""

    code = "no_such_cell"


class TooFewSteps(BadInput):
    """How places go on is told by weeks: choose a period of %(least)s to %(most)s weeks, not of %(weeks)s."""

    code = "too_few_steps"


class NoTracts(BadInput):
    """The bureau has no communities here yet: choose squares or hexagons, or import the communities."""

    code = "no_tracts"


class BadPeriod(BadInput):
    """This is not a period: %(reason)s"""

    code = "bad_period"

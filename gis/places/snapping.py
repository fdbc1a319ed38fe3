"""The nearest piece of street to a place, compiled: a packed tree of boxes over straight segments. Metres in, metres out.

Thousands of crews are snapped for one answer, so a call into a general geometry library for each is too slow (20 to 40
microseconds a place; this takes 1 to 2).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.places.paths import Floats, Ints

FAN = 16
_STACK = 1024  # depth × fan of any tree that fits into memory


@njit(cache=True, nogil=True)
def _box_distance2(box: Floats, x: float, y: float) -> float:  # pragma: no cover - compiled
    dx = max(box[0] - x, 0.0, x - box[2])
    dy = max(box[1] - y, 0.0, y - box[3])
    return float(dx * dx + dy * dy)


@njit(cache=True, nogil=True)
def _nearest_segments(  # pragma: no cover - compiled
    boxes: Floats, level_start: NDArray[np.int64], segments: Floats, rank: Ints, px: Floats, py: Floats, limit: float,
    found: NDArray[np.int64], along: Floats, away: Floats,
) -> None:  # fmt: skip
    """For each place the nearest segment within `limit`, the share of it before the foot, and the distance.

    Levels run from the root (0) to the leaves; child c of box i is box i * FAN + c of the next level, and of the last
    level the segment of that number. Equally near segments: the one of the lowest `rank`.
    """
    stack_level = np.empty(_STACK, np.int64)
    stack_index = np.empty(_STACK, np.int64)
    stack_d2 = np.empty(_STACK)
    last = len(level_start) - 2
    for p in range(len(px)):
        x, y = px[p], py[p]
        best_d2, best, best_t = limit * limit, -1, 0.0
        stack_level[0], stack_index[0], stack_d2[0] = 0, 0, 0.0
        depth = 1
        while depth > 0:
            depth -= 1
            if stack_d2[depth] > best_d2:
                continue
            level, index = stack_level[depth], stack_index[depth]
            first = index * FAN
            if level == last:
                for s in range(first, min(first + FAN, len(segments))):
                    ax, ay = segments[s, 0], segments[s, 1]
                    dx, dy = segments[s, 2] - ax, segments[s, 3] - ay
                    square = dx * dx + dy * dy
                    t = 0.0 if square == 0.0 else ((x - ax) * dx + (y - ay) * dy) / square
                    t = min(1.0, max(0.0, t))
                    ex, ey = ax + t * dx - x, ay + t * dy - y
                    d2 = ex * ex + ey * ey
                    if d2 < best_d2 or (d2 == best_d2 and (best < 0 or rank[s] < rank[best])):
                        best_d2, best, best_t = d2, s, t
                continue
            here = depth
            offset = level_start[level + 1]
            count = level_start[level + 2] - offset
            for child in range(first, min(first + FAN, count)):
                d2 = _box_distance2(boxes[offset + child], x, y)
                if d2 > best_d2:
                    continue
                at = depth  # keep the nearest child on top
                while at > here and stack_d2[at - 1] < d2:
                    stack_level[at] = stack_level[at - 1]
                    stack_index[at] = stack_index[at - 1]
                    stack_d2[at] = stack_d2[at - 1]
                    at -= 1
                stack_level[at], stack_index[at], stack_d2[at] = level + 1, child, d2
                depth += 1
        found[p], along[p] = best, best_t
        away[p] = np.sqrt(best_d2) if best >= 0 else np.inf


class SegmentTree:
    """Straight segments (x1, y1, x2, y2), each with a rank that breaks ties."""

    def __init__(self, segments: Floats, rank: Ints) -> None:
        self.order = _packed(segments)
        self.segments, self.rank = np.ascontiguousarray(segments[self.order]), rank[self.order].astype(np.int32)
        levels: list[Floats] = []
        boxes = np.column_stack([
            np.minimum(self.segments[:, 0], self.segments[:, 2]), np.minimum(self.segments[:, 1], self.segments[:, 3]),
            np.maximum(self.segments[:, 0], self.segments[:, 2]), np.maximum(self.segments[:, 1], self.segments[:, 3]),
        ])  # fmt: skip
        while len(boxes) > 1 or not levels:
            starts = np.arange(0, len(boxes), FAN)
            low = np.minimum.reduceat(boxes[:, :2], starts) if len(boxes) else np.zeros((0, 2))
            high = np.maximum.reduceat(boxes[:, 2:], starts) if len(boxes) else np.zeros((0, 2))
            boxes = np.column_stack([low, high])
            levels.append(boxes)
        levels.reverse()
        self.boxes = np.ascontiguousarray(np.concatenate(levels))
        self.level_start = np.concatenate([[0], np.cumsum([len(level) for level in levels])]).astype(np.int64)

    def nearest(self, x: Floats, y: Floats, limit_m: float) -> tuple[NDArray[np.int64], Floats, Floats]:
        """For each place: the number of its nearest segment (-1: none within the limit), the share before it, metres."""
        found, along, away = np.full(len(x), -1, np.int64), np.zeros(len(x)), np.full(len(x), np.inf)
        if len(self.segments):
            _nearest_segments(self.boxes, self.level_start, self.segments, self.rank, x, y, limit_m, found, along, away)
            hit = found >= 0
            found[hit] = self.order[found[hit]]
        return found, along, away


def _packed(segments: Floats) -> NDArray[np.int64]:
    """An order in which neighbours in number are neighbours in place: slices by x, each sorted by y."""
    n = len(segments)
    x, y = (segments[:, 0] + segments[:, 2]) / 2, (segments[:, 1] + segments[:, 3]) / 2
    by_x = np.argsort(x, kind="stable")
    slices = max(1, int(np.ceil(np.sqrt(n / FAN))))
    slice_of = np.empty(n, np.int64)
    slice_of[by_x] = np.arange(n) // max(1, -(-n // slices))
    return np.lexsort((y, slice_of))

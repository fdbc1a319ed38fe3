"""The ground of the demo city: streets, blocks, compounds and buildings, from one seed. Pure: metres and names only.

Streets lie on a slightly turned and shaken grid; every third one is a main road. Blocks between them become residential
compounds, institutions, or stay open. Names are made of common words; none is meant to be a real place, but for
文丰小区, which the source names, and the district itself, whose boundary is real.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon

COLUMNS, ROWS, STEP_M = 25, 22, 250.0
TURN_DEG, SHAKE_M = 4.0, 12.0
COMPOUNDS, INSTITUTIONS, STATIONS = 113, 84, 91
HOUSEHOLDS, PEOPLE = 33_500, 104_300
DIRECT_SHARE = 0.6
SOURCE = (
    "sources/pingdu-2009: 84 institutions, 113 compounds, 91 stations, 33,500 households, 104,300 people, 60 % direct"
)

_ROADS_EW = [
    "人民路",
    "红旗路",
    "青岛路",
    "杭州路",
    "北京路",
    "天津路",
    "胶东路",
    "常州路",
    "福州路",
    "厦门路",
    "南京路",
    "苏州路",
    "扬州路",
    "泰州路",
    "无锡路",
    "徐州路",
    "淮安路",
    "盐城路",
    "镇江路",
    "宿迁路",
    "海州路",
    "莱州路",
]
_ROADS_NS = [
    "郑州路",
    "洛阳路",
    "开封路",
    "安阳路",
    "许昌路",
    "南阳路",
    "商丘路",
    "信阳路",
    "周口路",
    "濮阳路",
    "焦作路",
    "鹤壁路",
    "新乡路",
    "漯河路",
    "平东路",
    "平西路",
    "学府路",
    "文化路",
    "教育路",
    "建设路",
    "工业路",
    "商贸路",
    "园林路",
    "体育路",
    "迎宾路",
]
_FIRST = [
    "阳光",
    "锦绣",
    "御景",
    "龙泉",
    "金色",
    "翡翠",
    "绿城",
    "东方",
    "幸福",
    "和谐",
    "盛世",
    "华府",
    "紫荆",
    "凤凰",
    "玉兰",
    "海棠",
    "银杏",
    "翠湖",
    "天润",
    "福泰",
    "祥和",
    "康居",
    "明珠",
    "佳苑",
    "怡景",
    "春晖",
    "秋实",
    "静雅",
    "兰亭",
    "云山",
]
_LAST = ["花园", "小区", "家园", "新村", "嘉苑", "公寓", "名邸"]
_INSTITUTIONS = [
    "第一中学",
    "实验小学",
    "人民医院",
    "中医院",
    "市图书馆",
    "文化馆",
    "市政府办公楼",
    "税务局",
    "邮政局",
    "供电公司",
    "纺织厂",
    "机械厂",
    "食品厂",
    "印刷厂",
    "客运站",
    "百货大楼",
    "农贸市场",
    "信用社",
    "幼儿园",
    "敬老院",
    "体育馆",
]
_SUFFIX = ["东区", "西区", "南区", "北区", "一分部", "二分部", "三分部"]
STREETS = ("李园街道", "同和街道", "凤台街道", "白沙河街道", "东阁街道")


@dataclass(frozen=True)
class Road:
    """A stretch between two junctions; `main` roads are wider and faster."""

    a: int
    b: int
    name: str
    highway: str
    oneway: bool
    line: LineString


@dataclass
class Block:
    """A named block: a compound (with households) or an institution."""

    name: str
    ground: Polygon
    buildings: list[Polygon]
    households: int = 0
    people: int = 0
    direct: bool = True
    company: int = 0
    station: int = -1


@dataclass
class City:
    """Everything that stands still, in metres."""

    nodes: np.ndarray
    roads: list[Road]
    compounds: list[Block]
    institutions: list[Block]
    stations: list[Point] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)


def build(centre: tuple[float, float], rng: Generator) -> City:
    """The whole ground around `centre` (metres)."""
    nodes = _nodes(centre, rng)
    roads = _roads(nodes, rng)
    compounds, institutions = _blocks(nodes, rng)
    city = City(nodes, roads, compounds, institutions)
    _share_households(compounds, rng)
    _place_stations(city, rng)
    city.sources = [_node(1, ROWS // 2), _node(COLUMNS - 2, ROWS // 3)]
    return city


def _node(column: int, row: int) -> int:
    return row * COLUMNS + column


def _nodes(centre: tuple[float, float], rng: Generator) -> np.ndarray:
    columns, rows = np.meshgrid(np.arange(COLUMNS), np.arange(ROWS))
    x = (columns.ravel() - (COLUMNS - 1) / 2) * STEP_M
    y = (rows.ravel() - (ROWS - 1) / 2) * STEP_M
    turn = np.radians(TURN_DEG)
    shake = rng.uniform(-SHAKE_M, SHAKE_M, (2, len(x)))
    return np.column_stack((
        centre[0] + x * np.cos(turn) - y * np.sin(turn) + shake[0],
        centre[1] + x * np.sin(turn) + y * np.cos(turn) + shake[1],
    ))  # fmt: skip


def _roads(nodes: np.ndarray, rng: Generator) -> list[Road]:
    """Main roads are whole; one in ten small stretches is missing, one small street in eight is one-way."""
    found = []
    for row in range(ROWS):
        oneway = row % 3 == 1 and rng.random() < 0.35
        for column in range(COLUMNS - 1):
            found.append((_node(column, row), _node(column + 1, row), _ROADS_EW[row], row, oneway))
    for column in range(COLUMNS):
        oneway = column % 3 == 1 and rng.random() < 0.35
        for row in range(ROWS - 1):
            found.append((_node(column, row), _node(column, row + 1), _ROADS_NS[column], column, oneway))
    roads = []
    for a, b, name, index, oneway in found:
        main = index % 3 == 0
        if not main and not oneway and rng.random() < 0.1:
            continue
        highway = ("primary" if index in (9, 12) else "secondary") if main else "residential"
        roads.append(Road(a, b, name, highway, oneway and not main, LineString(nodes[[a, b]])))
    return roads


def _blocks(nodes: np.ndarray, rng: Generator) -> tuple[list[Block], list[Block]]:
    """The nearer to the middle, the likelier a block is built up."""
    cells = [(c, r) for r in range(ROWS - 1) for c in range(COLUMNS - 1)]
    off = np.array([[c - COLUMNS / 2, r - ROWS / 2] for c, r in cells])
    weight = np.exp(-(off**2).sum(1) / 90.0)
    chosen = rng.choice(len(cells), COMPOUNDS + INSTITUTIONS, replace=False, p=weight / weight.sum())
    grounds = [Polygon(nodes[[_node(c, r), _node(c + 1, r), _node(c + 1, r + 1), _node(c, r + 1)]]).buffer(-16, join_style=2)
               for c, r in (cells[i] for i in chosen)]  # fmt: skip
    names = ["文丰小区", *(f"{a}{b}" for a in _FIRST for b in _LAST)]
    names[1:] = [names[1:][i] for i in rng.permutation(len(names) - 1)]
    compounds = [Block(names[i], ground, _rows_of_houses(ground)) for i, ground in enumerate(grounds[:COMPOUNDS])]
    plain = [*_INSTITUTIONS, *(f"{a}{b}" for b in _SUFFIX for a in _INSTITUTIONS)]
    institutions = [Block(f"平度市{plain[i]}", g, [affinity.scale(g, 0.55, 0.3)])
                    for i, g in enumerate(grounds[COMPOUNDS:])]  # fmt: skip
    return compounds, institutions


def _rows_of_houses(ground: Polygon) -> list[Polygon]:
    """Slab houses in rows, as such compounds are built."""
    x, y = ground.centroid.coords[0]
    house = Polygon([(-38, -7), (38, -7), (38, 7), (-38, 7)])
    placed = [affinity.rotate(affinity.translate(house, x + dx, y + dy), TURN_DEG, origin=(x, y))
              for dy in (-80, -40, 0, 40, 80) for dx in (-48, 48)]  # fmt: skip
    return [one for one in placed if ground.contains(one)]


def share(total: int, weights: np.ndarray) -> np.ndarray:
    """Whole numbers in proportion to the weights that add up exactly."""
    exact = weights / weights.sum() * total
    whole = np.floor(exact).astype(int)
    whole[np.argsort(whole - exact, kind="stable")[: total - whole.sum()]] += 1
    return whole


def _share_households(compounds: list[Block], rng: Generator) -> None:
    households = share(HOUSEHOLDS, rng.gamma(4.0, 1.0, len(compounds)) + 0.5)
    people = share(PEOPLE, households * rng.uniform(0.9, 1.1, len(compounds)))
    direct = set(rng.permutation(len(compounds))[: round(len(compounds) * DIRECT_SHARE)].tolist()) | {0}
    while len(direct) > round(len(compounds) * DIRECT_SHARE):
        direct.remove(max(direct - {0}))
    middle = np.median([b.ground.centroid.x for b in compounds])
    for i, block in enumerate(compounds):
        block.households, block.people, block.direct = int(households[i]), int(people[i]), i in direct
        block.company = int(block.ground.centroid.x > middle)
    compounds[0].company = 1  # the source: 金泉热力 serves 文丰小区


def _place_stations(city: City, rng: Generator) -> None:
    """A station for every compound, but neighbours of one operator and company share until 91 are left."""
    groups = [[i] for i in range(len(city.compounds))]
    while len(groups) > STATIONS:
        pairs = [(_apart(city, a, b), i, j) for i, a in enumerate(groups) for j, b in enumerate(groups)
                 if i < j and len(a) + len(b) <= 3 and _alike(city, a, b)]  # fmt: skip
        _, i, j = min(pairs)
        groups[i] += groups.pop(j)
    for number, group in enumerate(groups):
        block = city.compounds[group[0]]
        west, south, east, north = block.ground.bounds
        city.stations.append(Point(west + (east - west) * 0.52 + rng.uniform(-4, 4), south + (north - south) * 0.07))
        for i in group:
            city.compounds[i].station = number
    stations = np.array([[p.x, p.y] for p in city.stations])
    for block in city.institutions:
        centre = np.array(block.ground.centroid.coords[0])
        block.station = int(np.argmin(((stations - centre) ** 2).sum(1)))


def _alike(city: City, a: list[int], b: list[int]) -> bool:
    one, other = city.compounds[a[0]], city.compounds[b[0]]
    return one.direct == other.direct and one.company == other.company


def _apart(city: City, a: list[int], b: list[int]) -> float:
    return float(city.compounds[a[0]].ground.centroid.distance(city.compounds[b[0]].ground.centroid))

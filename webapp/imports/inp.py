"""EPANET's text files (.inp): pipes, pumps, valves, reservoirs, tanks and junctions as tables, lengths and diameters in metric.

Written from EPANET's own description of the format: sections in square brackets, `;` begins a comment, words are separated by
blanks. The flow unit in [OPTIONS] decides all others: with CFS, GPM, MGD, IMGD and AFD lengths are feet and diameters inches;
with LPS, LPM, MLD, CMH, CMD and CMS they are metres and millimetres. Without one EPANET itself takes GPM.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gis.errors import BadInput
from webapp.imports.errors import FileUnreadable

FOOT_M, INCH_MM = 0.3048, 25.4
US = frozenset({"CFS", "GPM", "MGD", "IMGD", "AFD"})
METRIC = frozenset({"LPS", "LPM", "MLD", "CMH", "CMD", "CMS"})
NODES = {"JUNCTIONS": 1, "RESERVOIRS": 1, "TANKS": 1}
LINKS = {"PIPES": 5, "PUMPS": 3, "VALVES": 5}


class UnknownUnits(BadInput):
    """The file measures in %(units)s, which is not a unit of EPANET; write one of %(known)s under [OPTIONS] Units."""

    code = "unknown_units"


@dataclass(frozen=True)
class Link:
    """A pipe, pump or valve between two nodes; metres and millimetres. `line` is where it stands in the file."""

    line: int
    kind: str
    id: str
    start: str
    end: str
    length_m: float | None
    diameter_mm: float | None
    status: str = "OPEN"


@dataclass
class Inp:
    """What was read. `broken` are lines (number, what is wrong) that could not be used."""

    units: str = ""
    nodes: dict[str, tuple[str, int]] = field(default_factory=dict)  # id -> section, line
    demand: dict[str, float] = field(default_factory=dict)
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    bends: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    broken: list[tuple[int, str]] = field(default_factory=list)

    def path(self, link: Link) -> list[tuple[float, float]] | None:
        """The places of a link from its start to its end, or None where one of its nodes has none."""
        ends = self.places.get(link.start), self.places.get(link.end)
        if ends[0] is None or ends[1] is None:
            return None
        return [ends[0], *self.bends.get(link.id, []), ends[1]]


def read_inp(path: Path) -> Inp:
    """Read a file. Raises FileUnreadable, UnknownUnits."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", errors="replace")
    sections = _sections(text)
    if "\0" in text or not sections.keys() & LINKS.keys():
        raise FileUnreadable(kind="EPANET", reason="no [PIPES]")
    found = Inp(_units(sections.get("OPTIONS", [])))
    for section in NODES:
        for number, words in sections.get(section, []):
            found.nodes[words[0]] = (section, number)
            if section == "JUNCTIONS" and len(words) > 2:
                found.demand[words[0]] = _number(words[2], found, number) or 0.0
    for number, words in sections.get("DEMANDS", []):
        if len(words) > 1:
            found.demand[words[0]] = found.demand.get(words[0], 0.0) + (_number(words[1], found, number) or 0.0)
    _read_places(sections, found)
    for section, needed in LINKS.items():
        for number, words in sections.get(section, []):
            _read_link(section, needed, number, words, found)
    for _, words in sections.get("STATUS", []):
        if len(words) > 1 and words[0] in found.links and words[1].upper() in ("OPEN", "CLOSED"):
            found.links[words[0]] = Link(**{**vars(found.links[words[0]]), "status": words[1].upper()})
    return found


def _sections(text: str) -> dict[str, list[tuple[int, list[str]]]]:
    found: dict[str, list[tuple[int, list[str]]]] = {}
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split(";", 1)[0].split()
        if not words:
            continue
        if words[0].startswith("["):
            current = words[0].strip("[]").upper()
            found.setdefault(current, [])
        elif current:
            found[current].append((number, words))
    return found


def _units(options: list[tuple[int, list[str]]]) -> str:
    said = next((words[1].upper() for _, words in options if words[0].upper() == "UNITS" and len(words) > 1), "GPM")
    if said not in US | METRIC:
        raise UnknownUnits(units=said[:40], known=", ".join(sorted(US | METRIC)))
    return said


def _number(word: str, found: Inp, line: int) -> float | None:
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if value != value or abs(value) == float("inf"):
        found.broken.append((line, word))
        return None
    return value


def _read_places(sections: dict[str, list[tuple[int, list[str]]]], found: Inp) -> None:
    for section in ("COORDINATES", "VERTICES"):
        for number, words in sections.get(section, []):
            if len(words) < 3:
                found.broken.append((number, " ".join(words)))
                continue
            x, y = _number(words[1], found, number), _number(words[2], found, number)
            if x is not None and y is not None:
                if section == "COORDINATES":
                    found.places[words[0]] = (x, y)
                else:
                    found.bends.setdefault(words[0], []).append((x, y))


def _read_link(section: str, needed: int, number: int, words: list[str], found: Inp) -> None:
    if len(words) < needed:
        found.broken.append((number, " ".join(words)))
        return
    feet = found.units in US
    length = diameter = None
    if section == "PIPES":
        length, diameter = _number(words[3], found, number), _number(words[4], found, number)
    elif section == "VALVES":
        diameter = _number(words[3], found, number)
    status = words[7].upper() if section == "PIPES" and len(words) > 7 else "OPEN"
    found.links[words[0]] = Link(
        number, section, words[0], words[1], words[2], None if length is None else length * (FOOT_M if feet else 1.0),
        None if diameter is None else diameter * (INCH_MM if feet else 1.0), status,
    )  # fmt: skip

"""The only door to folium: every map that becomes a page or a file is made here, so that stored text can never run.

folium pastes what it is given into HTML, into JavaScript strings of every kind of quote, into `innerHTML` in the browser and,
through branca, into Jinja templates that are rendered a second time. So a text goes in as `inert()` makes it: every character
that means something in any of those places is a numeric character reference. Numbers go in as numbers, names of styles from
a small alphabet, geometry only as coordinates; an option, a property name, an URL or a style never comes from data.

As a second wall the document carries its own Content-Security-Policy: only the scripts written here may run (by their hash),
nothing is fetched, and a document with one script more than it was built with is refused (`UnsafeMap`).
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import folium
from branca.element import Element, MacroElement
from folium.template import Template

from gis.errors import ChengmaiError

HERE = Path(__file__).parent
Bounds = tuple[float, float, float, float]  # west, south, east, north

_KEPT = re.compile(r"[^\w ,.;·，。：；、（）—–+/°²%-]", re.UNICODE)
_LINES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]")
_BRACES = str.maketrans("{}", "｛｝")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,30}")
_ADDRESS = re.compile(r"http(?=s?://)")
_SCRIPT = re.compile(r"<script\b[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_SCRIPTS = 3  # folium's switches, Leaflet, and the page's own
_GEOMETRIES = frozenset({"Point", "LineString", "Polygon", "MultiLineString", "MultiPolygon"})

# How the ground is drawn in the two themes; what stands on it brings its own kinds.
GROUND: dict[str, dict[str, dict[str, Any]]] = {
    "district": {
        "light": {"color": "#8b97a8", "weight": 1.5, "fillColor": "#ffffff", "fillOpacity": 1},
        "dark": {"color": "#56657a", "weight": 1.5, "fillColor": "#1b232d", "fillOpacity": 1},
    },
    "street": {
        "light": {"color": "#c3cad5", "weight": 1, "fill": False, "dashArray": "4 4"},
        "dark": {"color": "#37424f", "weight": 1, "fill": False, "dashArray": "4 4"},
    },
    "home": {
        "light": {"color": "#d9dee6", "weight": 0.5, "fillColor": "#eef1f5", "fillOpacity": 1},
        "dark": {"color": "#2c3643", "weight": 0.5, "fillColor": "#222c38", "fillOpacity": 1},
    },
    "road_main": {"light": {"color": "#c9b38a", "weight": 2}, "dark": {"color": "#5a5343", "weight": 2}},
    "road": {"light": {"color": "#dfe3e9", "weight": 1.2}, "dark": {"color": "#2c3643", "weight": 1.2}},
}


class UnsafeMap(ChengmaiError):
    """The map was not drawn, because something in it would have run as a script."""

    code, status = "unsafe_map", 500


def inert(value: object, longest: int = 300) -> str:
    """Text that is only text in HTML, in attributes, in JavaScript strings and template literals, and in Jinja."""
    return _KEPT.sub(lambda m: f"&#{ord(m.group())};", _LINES.sub(" ", str(value))[:longest])


def plain(value: object, longest: int = 300) -> str:
    """Text for a place that the browser does not parse (a `title` set as a property): no control characters, no braces for
    branca's second rendering, and nothing that reads like an address."""
    return _LINES.sub(" ", str(value)).translate(_BRACES).replace("://", "：//")[:longest]


@dataclass(frozen=True)
class Shape:
    """One thing on the map: a GeoJSON geometry, the name of its style, what the tooltip tells, a number to select it by."""

    geometry: dict[str, Any]
    kind: str
    facts: tuple[object, ...] = ()
    number: int | None = None


class _Raw(Element):
    """Our own HTML, as it is: never rendered as a template a second time."""

    _template = Template("{{ this.code }}")

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code


class _Popup(MacroElement):
    """folium's popup needs jQuery and renders its text as a template; Leaflet's own needs neither."""

    _template = Template(
        "{% macro script(this, kwargs) %}{{ this._parent.get_name() }}.bindPopup({{ this.text|tojson }});{% endmacro %}"
    )

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Popup"
        self.text = text


class _Mark(folium.Marker):
    """folium adds a marker with Leaflet's pin, which is a picture elsewhere, and changes it then; this one never asks."""

    _template = Template(
        "{% macro script(this, kwargs) %}var {{ this.get_name() }} = L.marker({{ this.location|tojson }}, "
        "Object.assign({{ this.options|tojavascript }}, {icon: L.divIcon({{ this.face|tojavascript }})}))"
        ".addTo({{ this._parent.get_name() }});{% endmacro %}"
    )

    def __init__(self, lon: float, lat: float, text: str, options: dict[str, Any]) -> None:
        super().__init__([lat, lon], **options)
        self.face = {"html": text, "className": "name", "iconSize": [0, 0]}


class _Behaviour(MacroElement):
    """The one script that is ours (frontend/maps/frame.js), called with the map's and the layers' variables."""

    _template = Template(
        "{% macro script(this, kwargs) %}({{ this.code }})({{ this.map }}, [{{ this.layers|join(', ') }}], "
        "{{ this.images }}, {{ this.facts|tojson }});{% endmacro %}"
    )

    def __init__(self, target: folium.Map, layers: list[str], images: str, facts: dict[str, Any]) -> None:
        super().__init__()
        self._name = "Behaviour"
        self.code = _script("frontend/maps/frame.js").strip().rstrip(";")
        self.map, self.layers, self.images, self.facts = target.get_name(), layers, images, facts


class SafeMap:
    """A self-contained map without network: Leaflet inlined, the bureau's own ground, light and dark."""

    def __init__(self, title: object, bounds: Bounds, *, language: str, words: dict[str, str] | None = None) -> None:
        west, south, east, north = _numbers(bounds)
        self._map = folium.Map(
            [(south + north) / 2, (west + east) / 2],
            tiles=None,
            prefer_canvas=True,
            zoom_control=False,
            zoom_start=11,
            zoom_snap=0.25,
            zoom_delta=0.5,
        )
        self._map.default_js, self._map.default_css = [], []
        self._figure = self._map.get_root()
        self._figure.title = inert(title)
        self._language = "zh-CN" if language == "zh" else "en"
        self._styles = dict(GROUND)
        self._layers: list[str] = []
        self._images: list[str] = []
        self._facts = {
            "bounds": [[south, west], [north, east]],
            "words": {key: plain(text) for key, text in (words or {}).items() if _WORD.fullmatch(key)},
        }
        self._document = False
        folium.map.CustomPane("ground", z_index=300).add_to(self._map)
        self._head(f"<style>{_style('static/vendor/leaflet.css')}{_style('static/css/map.css')}</style>")
        self._head(f"<script>{_script('static/vendor/leaflet.js')}</script>")

    # --- what stands on the map ----------------------------------------------------------------------------------------
    def styles(self, kinds: dict[str, dict[str, dict[str, Any]]]) -> None:
        """Add named styles, `{kind: {"light": {...}, "dark": {...}}}`. For constants of the program, not for data."""
        self._styles |= {_word(kind): style for kind, style in kinds.items()}

    def shapes(
        self, name: object, shapes: Iterable[Shape], *, fields: Sequence[object] = (), ground: bool = False,
        attribution: object = "",
    ) -> None:  # fmt: skip
        """A layer of shapes with a tooltip that names their facts (one field name for each fact)."""
        keys = [f"f{i}" for i in range(len(fields))]
        features = [_feature(shape, keys) for shape in shapes]
        if not features:
            return
        options: dict[str, Any] = {"attribution": inert(attribution)} if attribution else {}
        if ground:
            options |= {"pane": "ground", "interactive": False}
        layer = folium.GeoJson(
            {"type": "FeatureCollection", "features": features}, name=inert(name), smooth_factor=0.5, **options
        )
        if fields:
            folium.GeoJsonTooltip(keys, [inert(f) for f in fields], class_name="facts", sticky=True).add_to(layer)
        layer.add_to(self._map)
        self._layers.append(layer.get_name())

    def marker(
        self, lon: float, lat: float, text: object, *, tooltip: object = "", popup: object = "", title: object = ""
    ) -> None:
        """A name on the map; with a tooltip, a popup or a title it can be pointed at."""
        live = bool(tooltip or popup or title)
        lon, lat = _numbers((lon, lat))
        options = {"title": plain(title), "alt": plain(title or text), "interactive": live, "keyboard": live}
        mark = _Mark(lon, lat, inert(text), options)
        if tooltip:
            folium.Tooltip(inert(tooltip)).add_to(mark)
        if popup:
            _Popup(inert(popup, 2_000)).add_to(mark)
        mark.add_to(self._map)

    def image(self, name: object, light_png: bytes, dark_png: bytes, bounds: Bounds, *, alt: object = "") -> None:
        """A picture over the map in Mercator, in two versions for the two themes."""
        west, south, east, north = _numbers(bounds)
        light, dark = (f"data:image/png;base64,{base64.b64encode(png).decode()}" for png in (light_png, dark_png))
        layer = folium.raster_layers.ImageOverlay(
            light, [[south, west], [north, east]], pixelated=False, name=inert(name), alt=plain(alt), interactive=False
        )
        layer.add_to(self._map)
        self._images.append(f'[{layer.get_name()}, "{light}", "{dark}"]')

    def steps(self, captions: Sequence[object], kinds: Sequence[str], codes: dict[int, str]) -> None:
        """A time slider: for each step a caption, and for each numbered shape one digit per step, the place of its style in
        `kinds`. The first position of the slider is the map as it was drawn."""
        if any(len(code) != len(captions) or not code.isdigit() for code in codes.values()):
            raise ValueError("one digit for each step")
        self._facts["steps"] = {
            "captions": [plain(caption) for caption in captions], "kinds": [_word(kind) for kind in kinds],
            "codes": {int(number): code for number, code in codes.items()},
        }  # fmt: skip

    def layer_control(self) -> None:
        """Let the reader switch layers; call it after the layers are there."""
        folium.LayerControl(collapsed=False).add_to(self._map)

    # --- around the map, when it is a document of its own -----------------------------------------------------------------
    def heading(self, title: object, lines: Iterable[object]) -> None:
        """A title and lines under it, above the map."""
        told = "".join(f"<p>{inert(line)}</p>" for line in lines)
        self._body(f'<header class="heading"><h1>{inert(title)}</h1>{told}</header>')

    def legend(self, caption: object, rows: Iterable[tuple[str, object]]) -> None:
        """What the kinds of style mean, in words."""
        items = "".join(
            f'<li><span class="swatch" data-kind="{_word(kind)}"></span>{inert(text)}</li>' for kind, text in rows
        )
        self._body(f'<section class="legend"><h2>{inert(caption)}</h2><ul>{items}</ul></section>')

    def table(self, head: Sequence[object], rows: Iterable[tuple[int | None, Sequence[object]]]) -> None:
        """The rows of the map again, as a table; a row with a number selects its shape."""
        top = "".join(f"<th>{inert(cell)}</th>" for cell in head)
        body = "".join(
            ("<tr>" if number is None else f'<tr data-cell="{int(number)}" tabindex="0">')
            + "".join(f"<td>{inert(cell)}</td>" for cell in row)
            + "</tr>"
            for number, row in rows
        )
        self._body(f'<section class="rows"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></section>')

    def html(self) -> str:
        """The whole document. Raises `UnsafeMap` when it holds a script that was not written here."""
        self._facts |= {"styles": self._styles}
        _Behaviour(self._map, self._layers, f"[{', '.join(self._images)}]", self._facts).add_to(self._map)
        page = self._figure.render()
        scripts = _SCRIPT.findall(page)
        if len(scripts) != _SCRIPTS or page.lower().count("<script") != _SCRIPTS:
            raise UnsafeMap()
        kind = "document" if self._document else "frame"
        page = page.replace("<html>", f'<html lang="{self._language}" class="{kind}">', 1)
        page = page.replace(", maximum-scale=1.0, user-scalable=no", "", 1).replace(
            "initial-scale=1.0, maximum-scale=1.0, user-scalable=no", "initial-scale=1.0", 1
        )
        return page.replace("<head>", f"<head>{_policy(scripts)}", 1)

    def _head(self, code: str) -> None:
        self._figure.header.add_child(_Raw(code))

    def _body(self, code: str) -> None:
        self._document = True
        self._figure.html.add_child(_Raw(code))


def _feature(shape: Shape, keys: list[str]) -> dict[str, Any]:
    if len(shape.facts) != len(keys):
        raise ValueError("one fact for each field")
    properties: dict[str, Any] = {"kind": _word(shape.kind)}
    if shape.number is not None:
        properties["number"] = int(shape.number)
    properties |= {key: inert(fact) for key, fact in zip(keys, shape.facts, strict=True)}
    if shape.geometry["type"] not in _GEOMETRIES:
        raise ValueError(f"not a simple geometry: {shape.geometry['type']}")
    geometry = {"type": shape.geometry["type"], "coordinates": _coordinates(shape.geometry["coordinates"])}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _coordinates(value: Any) -> Any:
    """Numbers and lists of numbers only, to a decimetre."""
    if isinstance(value, list | tuple):
        return [_coordinates(v) for v in value]
    return round(_numbers((value,))[0], 6)


def _numbers(values: Iterable[Any]) -> tuple[float, ...]:
    found = tuple(float(v) for v in values)
    if not all(math.isfinite(v) for v in found):
        raise ValueError("not a place")
    return found


def _word(kind: str) -> str:
    if not _WORD.fullmatch(kind):
        raise ValueError("not the name of a style")
    return kind


def _policy(scripts: list[str]) -> str:
    """Only these scripts, nothing from anywhere. (HTML reads a line end as one newline: so must the hash.)"""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.replace(chr(13) + chr(10), chr(10)).encode()).digest()).decode()}'"
        for s in scripts
    )
    policy = f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    return f'<meta http-equiv="Content-Security-Policy" content="{policy}">'


@cache
def _script(path: str) -> str:
    """A script of ours or of Leaflet for inlining. Addresses in it (a namespace, a credit) are spelled so that a reader who
    searches the file for addresses finds none; to JavaScript they are the same strings."""
    code = (HERE / path).read_text(encoding="utf-8").split("//# sourceMappingURL")[0].replace("</", "<\\/")
    return _ADDRESS.sub(r"htt\\x70", code)


@cache
def _style(path: str) -> str:
    """A style sheet for inlining, without its pictures and comments."""
    sheet = re.sub(r"/\*.*?\*/", "", (HERE / path).read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r"url\([^)]*\)", "none", sheet).replace("</", "<\\/")

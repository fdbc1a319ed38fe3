"""Mapping files (TOML): which column of a file is which field of ours, and how its words and moments are to be read.

[file]         encoding, delimiter, sheet, layer, header_row        only what cannot be found out
[columns]      our field = "their column", or a list of columns that are joined
[optional]     fields = [...]: columns that may be missing
[default]      our field = what an empty cell means
[otherwise]    our field = what a word means that [translate] does not know; without it such a word is refused
[translate.F]  "their word" = "our word"
[scale]        our field = factor: their number times it is ours (metres to millimetres: 1000)
[prefix]       our field = text that is put before theirs (to keep the codes of two files apart)
[datetime]     formats (strptime), zone (IANA): moments without an offset are read in it
[coordinates]  datum, crs, extent = [west, south, east, north], fallback_points = [[lon, lat], ...]
[limit]        missing = "rule" (the house's own promise) or "closed" (closed without a limit was never late), source
"""

from __future__ import annotations

import tomllib
from datetime import tzinfo
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gis.places.rules import Datum
from webapp.imports.errors import BadMapping

LARGEST_MAPPING = 1 << 20
TEMPLATE = "zh_template"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileTerms(_Part):
    """How the file is to be opened."""

    encoding: str | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    sheet: str | None = None
    layer: str | None = None
    header_row: int = Field(1, ge=1, le=100)

    @field_validator("encoding")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None:
            import codecs

            try:
                codecs.getincrementaldecoder(name)("strict").decode(b"")
            except (LookupError, TypeError, AttributeError):
                raise ValueError(f"no encoding {name}") from None
        return name


class Moments(_Part):
    """How dates and times are written, and by which clock."""

    formats: list[str] = []
    zone: str | None = None

    @field_validator("zone")
    @classmethod
    def _exists(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError(f"no time zone {name}") from None
        return name


class Coordinates(_Part):
    """What system coordinates are in, where they can be, and which points only mean "somewhere"."""

    datum: Datum = Datum.WGS84
    crs: str | None = None
    extent: tuple[float, float, float, float] | None = None
    fallback_points: list[tuple[float, float]] = []
    fallback_rows: int | None = Field(None, ge=0)


class Limit(_Part):
    """What a row without a limit of its own is promised."""

    missing: Literal["rule", "closed"] = "rule"
    source: str = ""


class Optional(_Part):
    """Fields whose columns may be missing from a file."""

    fields: list[str] = []


class Mapping(_Part):
    """A mapping file."""

    name: str = ""
    extra_columns: Literal["ignore", "refuse"] = "ignore"
    file: FileTerms = FileTerms()
    columns: dict[str, str | list[str]] = {}
    optional: Optional = Optional()
    default: dict[str, str | int | float | bool] = {}
    otherwise: dict[str, str] = {}
    translate: dict[str, dict[str, str]] = {}
    scale: dict[str, float] = {}
    prefix: dict[str, str] = {}
    datetime: Moments = Moments()
    coordinates: Coordinates = Coordinates()
    limit: Limit = Limit()

    def sources(self, field: str) -> list[str]:
        """The columns that make a field; none where the mapping does not give it."""
        columns = self.columns.get(field, [])
        return [columns] if isinstance(columns, str) else columns

    def zone(self, city: str) -> tzinfo:
        """The clock of the file, or the city's."""
        return ZoneInfo(self.datetime.zone or city)

    def check_fields(self, known: frozenset[str]) -> None:
        """Refuse a field that this kind of thing does not have: a typing mistake would lose a column silently."""
        used = {"columns": self.columns, "default": self.default, "otherwise": self.otherwise, "translate": self.translate, "scale": self.scale, "prefix": self.prefix,
                "optional": dict.fromkeys(self.optional.fields)}  # fmt: skip
        for where, fields in used.items():
            for field in fields:
                if field not in known:
                    raise BadMapping(where=f"{where}.{field}", reason=f"known: {', '.join(sorted(known))}")


def shipped(name: str) -> Mapping:
    """A mapping that comes with Chengmai."""
    return parse((files("webapp.imports") / "mappings" / f"{name}.toml").read_text("utf-8"))


def shipped_names() -> list[str]:
    """The mappings that come with Chengmai."""
    return sorted(f.name.removesuffix(".toml") for f in (files("webapp.imports") / "mappings").iterdir()
                  if f.name.endswith(".toml"))  # fmt: skip


def load(name: str | Path) -> Mapping:
    """A mapping file, or the name of one that comes with Chengmai."""
    if str(name) in shipped_names():
        return shipped(str(name))
    path = Path(name)
    try:
        if path.stat().st_size > LARGEST_MAPPING:
            raise BadMapping(where=path.name, reason="larger than 1 MB")
        return parse(path.read_text("utf-8-sig"))
    except OSError:
        raise BadMapping(where=path.name, reason="no such file") from None
    except UnicodeDecodeError:
        raise BadMapping(where=path.name, reason="not UTF-8") from None


def parse(text: str) -> Mapping:
    """The text of a mapping file. Raises BadMapping naming the place."""
    try:
        return Mapping.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadMapping(where="TOML", reason=str(error)) from None
    except ValidationError as error:
        first: Any = error.errors(include_input=False, include_url=False)[0]
        raise BadMapping(where=".".join(str(p) for p in first["loc"]) or "mapping", reason=first["msg"]) from None

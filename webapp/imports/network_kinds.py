"""What a file of networks can hold, besides stations and pipelines: sources, valves, supply points, and what depends on what."""

from __future__ import annotations

from dataclasses import replace

from gis.network.model import NetworkDependency, SupplyPoint, SupplySource, Valve
from gis.network.rules import Utility, ValveKind, ValveReach
from webapp.imports.kinds import KINDS, Field, Kind

_UTILITY = KINDS["pipelines"].field("utility")
assert _UTILITY is not None
_UNIT = Field("unit", ("unit", "承办单位", "责任单位", "单位", "权属单位", "管养单位"))
_NAME = Field("name", ("name", "名称", "名字", "楼栋", "用户名称"))
_OPEN = {"open": "open", "closed": "closed", "true": "open", "false": "closed", "1": "open", "0": "closed", "开": "open",
         "关": "closed", "开启": "open", "关闭": "closed", "常开": "open", "常闭": "closed", "是": "open", "否": "closed"}  # fmt: skip


def _code(*more: str, longest: int = 60) -> Field:
    return Field("code", (*more, "code", "id", "编号", "编码", "代码", "fid", "gid"), longest=longest)


# A pipe in a table is told by its two ends (and its bends) instead of by a drawn line.
ENDS = (
    Field("from_lon", ("起点经度", "from_lon", "x1"), "float", low=-180, high=180),
    Field("from_lat", ("起点纬度", "from_lat", "y1"), "float", low=-90, high=90),
    Field("to_lon", ("终点经度", "to_lon", "x2"), "float", low=-180, high=180),
    Field("to_lat", ("终点纬度", "to_lat", "y2"), "float", low=-90, high=90),
    Field("bends", ("折点", "bends"), longest=4000),
)
_PIPES = KINDS["pipelines"]
NETWORK: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("sources", SupplySource, "POINT", (
            _code("源编号", "source_id", longest=40), _NAME, _UTILITY, _UNIT,
        ), ("sources", "source", "源", "热源", "水源", "气源", "热源水源气源", "extgrid", "reservoirs")),
        replace(KINDS["stations"], fields=tuple(
            replace(f, needed=False) if f.name == "code" else f for f in KINDS["stations"].fields)),
        replace(_PIPES, fields=tuple(
            replace(f, needed=False) if f.name == "code" else f for f in _PIPES.fields)),
        Kind("valves", Valve, "POINT", (
            _code("阀门编号", "valve_id"), _UTILITY,
            Field("kind", ("kind", "阀门类型", "类型"), "word", words={str(k): str(k) for k in ValveKind} | {
                "关断": "isolation", "关断阀": "isolation", "闸阀": "isolation", "蝶阀": "isolation", "球阀": "isolation",
                "调节": "control", "调节阀": "control", "止回阀": "check", "泄水阀": "drain", "排水阀": "drain",
                "valve": "isolation"}),
            Field("is_open", ("is_open", "opened", "开闭状态", "当前状态", "状态"), "word", words=_OPEN),
            Field("normally_open", ("normally_open", "常态", "正常状态"), "word", words=_OPEN),
            Field("reach", ("reach", "可达性", "能否操作"), "word", words={str(k): str(k) for k in ValveReach} | {
                "可操作": "reachable", "能": "reachable", "是": "reachable", "无法操作": "unreachable", "不能": "unreachable", "否": "unreachable"}),
            Field("reach_note", ("reach_note", "无法操作原因", "原因", "备注"), longest=200),
            Field("pipeline", ("pipeline", "pipe", "所在管线", "管线编号")),
        ), ("valves", "valve", "阀门")),
        Kind("supply_points", SupplyPoint, "POINT", (
            _code("接入点编号", "用户编号", "sid", "customer_id"), _NAME, _UTILITY, _UNIT,
            Field("station", ("station", "换热站", "换热站编号")), Field("area", ("area", "所属区域", "小区")),
            Field("households", ("households", "户数"), "int"), Field("people", ("people", "人数", "人口"), "int"),
            Field("vulnerable_households", ("vulnerable_households", "困难户数", "重点保障户数", "特殊困难户数"), "int"),
        ), ("supplypoints", "supplypoint", "customers", "consumers", "heatconsumer", "gasmetersink", "sink", "用户接入点", "接入点", "用户")),
        Kind("dependencies", NetworkDependency, "POINT", (
            Field("station", ("station", "换热站", "换热站编号"), needed=True),
            Field("supply_point", ("supply_point", "接入点编号", "依赖接入点", "用户接入点"), needed=True),
            Field("grace_min", ("grace_min", "可维持分钟", "可持续分钟", "缓冲分钟"), "int", high=10_000),
        ), ("dependencies", "dependency", "依赖关系", "依赖")),
    )
}  # fmt: skip

# The template's sheets and headings: kind -> sheet, the fields in order (the first name that is Chinese heads the column).
SHEETS = {
    "sources": "源",
    "stations": "换热站",
    "pipelines": "管线",
    "valves": "阀门",
    "supply_points": "用户接入点",
    "dependencies": "依赖关系",
}
UTILITY_WORDS = {Utility.HEAT: "供热", Utility.WATER: "供水", Utility.GAS: "燃气"}


def heading(field: Field) -> str:
    """The Chinese heading of a field in the template."""
    return next((a for a in (field.name, *field.aliases) if not a.isascii()), field.name)

"""What can be brought in besides complaints: a table of things, their fields, and the words that headers use for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gis.coverage.model import Camera, Mast, SignalSample
from gis.coverage.rules import CameraState, MastState
from gis.dispatch.model import Crew
from gis.dispatch.rules import CrewKind
from gis.inspections.model import Site
from gis.inspections.rules import Scope, Stage
from gis.network.model import Pipeline, Station
from gis.network.rules import Flow, NetworkLevel, StationOperator, Utility
from gis.places.model import Area, Building
from gis.places.rules import AreaLevel

Shape = Literal["POINT", "LINESTRING", "MULTIPOLYGON"]


@dataclass(frozen=True)
class Field:
    """A field: the headers it is known by without a mapping, its type, and its bounds."""

    name: str
    aliases: tuple[str, ...] = ()
    type: Literal["text", "int", "float", "bool", "word", "list", "moment"] = "text"
    needed: bool = False
    longest: int = 120
    low: float = 0
    high: float = 1e9
    words: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Kind:
    """A thing: its table, the geometry it needs, its fields, and the layer names it is usually found under."""

    name: str
    model: Any
    shape: Shape
    fields: tuple[Field, ...]
    layers: tuple[str, ...]
    geometry: str = "geom"
    ground: str = ""  # a column for the polygon, where a thing may be told as one instead of as a point

    def field(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)


def _words(enum: Any, **chinese: str) -> dict[str, str]:
    """Our own words, and the Chinese ones: `_words(Flow, 供水="supply")`."""
    return {str(m): str(m) for m in enum} | chinese


def _code(*more: str, longest: int = 60) -> Field:
    return Field(
        "code", (*more, "code", "id", "编号", "编码", "代码", "fid", "osm_id", "gid"), needed=True, longest=longest
    )


def _name(needed: bool = False, longest: int = 120) -> Field:
    return Field("name", ("name", "名称", "名字", "姓名"), needed=needed, longest=longest)


_UNIT = Field("unit", ("unit", "承办单位", "责任单位", "单位", "权属单位", "管养单位"))
LON = Field("lon", ("lon", "lng", "long", "longitude", "经度", "x"), "float")
LAT = Field("lat", ("lat", "latitude", "纬度", "y"), "float")

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("areas", Area, "MULTIPOLYGON", (
            _code("adcode", "区划代码", "网格编码", longest=40), _name(needed=True),
            Field("level", ("level", "级别", "层级"), "word", words=_words(
                AreaLevel, 市="city", 地级市="city", 区县="district", 区="district", 县="district", 县级市="district",
                街道="street", 镇="street", 乡="street", 乡镇="street", 社区="community", 村="community",
                小区="compound", 网格="cell")),
            Field("parent", ("parent", "上级", "上级编码", "所属区域")), _UNIT,
            Field("households", ("households", "户数"), "int"), Field("people", ("people", "population", "人口", "人数"), "int"),
            Field("source", ("来源", "数据来源"), longest=300),
        ), ("areas", "area", "districts", "boundaries")),
        Kind("crews", Crew, "POINT", (
            _code("班组编号", "crew_id"), Field("name", ("name", "名称", "班组", "班组名称"), needed=True),
            Field("kind", ("kind", "种类", "类型", "班组类型"), "word", needed=True, words=_words(
                CrewKind, 施工="construction", 施工队="construction", 维修="maintenance", 抢修="maintenance", 维护="maintenance",
                志愿="volunteer", 志愿者="volunteer", 志愿服务="volunteer")),
            Field("skills", ("skills", "skill", "工种", "技能"), "list", longest=40),
            Field("on_duty_from", ("on_duty_from", "上班时间", "上岗时间"), "moment"),
            Field("on_duty_until", ("on_duty_until", "下班时间", "离岗时间"), "moment"),
            Field("area", ("area", "责任区域", "所属区域")), _UNIT,
        ), ("crews", "crew"), geometry="position"),
        Kind("stations", Station, "POINT", (
            _code("换热站编号", "station_id", longest=40),
            Field("name", ("name", "名称", "站名", "换热站", "换热站名称"), needed=True),
            Field("operator", ("operator", "运营方式", "运行单位性质", "管理方式"), "word", needed=True, words=_words(
                StationOperator, 热力公司="heat_company", 供热企业="heat_company", 直管="heat_company",
                物业公司="property_company", 物业="property_company", 代管="property_company")),
            Field("households", ("households", "户数", "供热户数"), "int"), Field("area", ("area", "所属区域", "小区")), _UNIT,
        ), ("stations", "station", "换热站", "substation")),
        Kind("pipelines", Pipeline, "LINESTRING", (
            _code("管线编号", "管段编号", "pid", "pipe_id"),
            Field("utility", ("utility", "管线种类", "管线类型", "介质"), "word", needed=True, words=_words(
                Utility, 供热="heat", 热力="heat", 热水="heat", 供水="water", 给水="water", 自来水="water", 燃气="gas",
                天然气="gas", 排水="drainage", 污水="drainage", 雨水="drainage")),
            Field("level", ("level", "网级", "管网级别"), "word", needed=True, words=_words(
                NetworkLevel, 一次网="primary", 二次网="secondary", 主干="main", 干管="main")),
            Field("flow", ("flow", "供回水", "供回"), "word", words=_words(
                Flow, 供="supply", 供水="supply", 回="return", 回水="return")),
            Field("diameter_mm", ("diameter_mm", "管径", "管径mm", "公称直径", "dn"), "float", high=10_000),
            Field("material", ("material", "材质", "管材"), longest=60), _UNIT,
            Field("station", ("station", "换热站", "换热站编号")),
        ), ("pipelines", "pipeline", "pipes", "pipe", "管线", "管段")),
        Kind("cameras", Camera, "POINT", (
            _code("camera_id", "探头编号", "摄像机编号", "国标编码"),
            Field("name", ("name", "名称", "location", "位置", "点位", "点位名称"), longest=160),
            Field("state", ("state", "状态", "运行状态"), "word", words=_words(
                CameraState, 正常="working", 在线="working", 完好="working", 故障="broken", 离线="broken", 损坏="broken",
                规划="planned", 在建="planned")),
            Field("height_m", ("height_m", "height", "高度", "安装高度"), "float", high=500),
            Field("bearing_deg", ("bearing_deg", "bearing", "direction", "朝向", "方位角"), "float", low=-360, high=360),
            Field("fov_deg", ("fov_deg", "fov", "视场角"), "float", low=0.1, high=360),
            Field("range_m", ("range_m", "range", "可视距离"), "float", high=20_000),
            Field("focal_mm", ("focal_mm", "focal", "焦距", "镜头焦距"), "float", low=0.1, high=2_000),
            Field("sensor_mm", ("sensor_mm", "sensor", "传感器宽度", "靶面宽度"), "float", low=0.1, high=100),
            Field("resolution_px", ("resolution_px", "resolution", "水平像素", "水平分辨率"), "int", low=1, high=100_000),
            Field("is_ptz", ("is_ptz", "ptz", "云台"), "bool"), _UNIT,
        ), ("cameras", "camera", "cctv", "探头")),
        Kind("samples", SignalSample, "POINT", (
            _code("样本编号", "采样编号"), Field("at", ("at", "time", "时间", "采样时间"), "moment"),
            Field("operator", ("operator", "运营商", "网络"), longest=80),
            Field("rsrp_dbm", ("rsrp_dbm", "rsrp", "信号强度", "参考信号接收功率"), "float", needed=True, low=-160, high=-20),
        ), ("samples", "signal", "rsrp")),
        Kind("masts", Mast, "POINT", (
            _code("基站编号"), _name(longest=160), Field("operator", ("operator", "运营商"), longest=80),
            Field("state", ("state", "状态"), "word", words=_words(
                MastState, 在用="working", 正常="working", 已建="working", 规划="planned", 规划中="planned", 在建="planned")),
            Field("height_m", ("height_m", "height", "挂高", "天线挂高", "高度"), "float", high=500),
        ), ("masts", "mast", "基站")),
        Kind("sites", Site, "POINT", (
            _code("工地编号", "site_id"), Field("name", ("name", "名称", "工地", "工地名称", "项目名称"), needed=True, longest=160),
            Field("scope", ("scope", "施工范围", "范围"), "word", needed=True, words=_words(
                Scope, 庭院="yard", 院内="yard", 室外="yard", 室内="indoor", 入户="indoor", 户内="indoor")),
            Field("stage", ("stage", "阶段", "施工阶段"), "word", words=_words(
                Stage, 施工前="before", 未开工="before", 施工中="during", 在建="during", 完工后="after", 完工="after", 已完工="after")),
            Field("is_heating", ("is_heating", "供热工程", "是否供热"), "bool"), _UNIT,
            Field("contractor", ("contractor", "施工单位", "施工方")),
            Field("address", ("address", "地址", "详细地址"), longest=200),
            Field("planned_from", ("planned_from", "计划开工", "计划开工日期")), Field("planned_to", ("planned_to", "计划完工", "计划完工日期")),
            Field("note", ("note", "备注"), longest=2000),
        ), ("sites", "site", "工地"), ground="footprint"),
        Kind("buildings", Building, "MULTIPOLYGON", (
            _code("楼栋编号"), _name(longest=160),
            Field("height_m", ("height_m", "height", "高度", "建筑高度"), "float", high=1_500),
        ), ("buildings", "building", "建筑物", "楼栋")),
    )
}  # fmt: skip

# The administrative code tells the level: 370283 is a district, 370283001 a street, 370283001001 a community.
LEVEL_BY_DIGITS = {6: "district", 9: "street", 12: "community", 15: "cell"}


def level_of(code: str) -> str | None:
    """The level of an administrative code, if it is one. A province (370000) is no area of a city."""
    if not (code.isascii() and code.isdigit()) or (len(code) == 6 and code.endswith("0000")):
        return None
    return "city" if len(code) == 6 and code.endswith("00") else LEVEL_BY_DIGITS.get(len(code))

"""The categories that ship with the house; a bureau edits and extends them in the table."""

from __future__ import annotations

from dataclasses import dataclass

from gis.complaints.rules import Complexity

UNKNOWN = "unknown"  # what the source called it stands in `category_said`; somebody chooses from the worklist


@dataclass(frozen=True)
class CategorySeed:
    """One row of the category dictionary. `skill` is what a crew must have; `work_min` how long the work usually takes."""

    code: str
    name: str
    name_en: str
    utility: str
    skill: str
    complexity: Complexity
    work_min: int
    repeat_radius_m: int = 200


_O, _C = Complexity.ORDINARY, Complexity.COMPLEX
CATEGORIES: tuple[CategorySeed, ...] = (
    CategorySeed("heat.cold", "室温不达标", "Room too cold", "heat", "heating", _O, 60),
    CategorySeed("heat.none", "不热", "No heat", "heat", "heating", _O, 60),
    CategorySeed("heat.leak", "暖气漏水", "Heating leak", "heat", "pipe_repair", _O, 90, 100),
    CategorySeed("heat.outage", "停热", "Heating outage", "heat", "pipe_repair", _O, 120, 500),
    CategorySeed("heat.pressure", "供回水压差小", "Low pressure difference", "heat", "heating", _C, 60, 300),
    CategorySeed("heat.noise", "供热噪声", "Heating noise", "heat", "heating", _C, 60),
    CategorySeed("heat.fee", "供热收费", "Heating fees", "heat", "service", _C, 30),
    CategorySeed("heat.start", "开栓调试", "Valve opening and commissioning", "heat", "heating", _O, 45),
    CategorySeed("heat.test", "测温退费", "Temperature test and refund", "heat", "temperature_test", _C, 45),
    CategorySeed("water.burst", "自来水爆管", "Burst water main", "water", "pipe_repair", _O, 120, 300),
    CategorySeed("water.none", "停水", "No water", "water", "pipe_repair", _O, 90, 500),
    CategorySeed("water.quality", "水质问题", "Water quality", "water", "water", _C, 60, 400),
    CategorySeed("gas.leak", "燃气泄漏", "Gas leak", "gas", "gas", _O, 60, 150),
    CategorySeed("gas.meter", "燃气表", "Gas meter", "gas", "gas", _C, 45),
    CategorySeed("works.restore", "施工恢复", "Making good after works", "road", "construction", _C, 240, 100),
    CategorySeed("works.conduct", "文明施工", "Conduct of works", "road", "inspection", _C, 60, 150),
    CategorySeed("drain.blocked", "排水堵塞", "Blocked drain", "drainage", "drainage", _O, 90, 100),
    CategorySeed("road.damage", "道路破损", "Damaged road", "road", "construction", _C, 180, 60),
    CategorySeed("road.snow", "积雪清除", "Snow to clear", "road", "sanitation", _O, 60),
    CategorySeed("light.out", "路灯不亮", "Street light out", "light", "electric", _C, 60, 80),
    CategorySeed("sanitation.waste", "垃圾清运", "Waste to collect", "sanitation", "sanitation", _C, 45, 80),
    CategorySeed("telecom.signal", "信号弱覆盖", "Weak mobile signal", "telecom", "telecom", _C, 60, 300),
    CategorySeed("safety.blindspot", "监控盲区", "No camera here", "other", "inspection", _C, 60),
    CategorySeed("service.manner", "服务态度", "Manner of service", "other", "service", _C, 30),
    CategorySeed(UNKNOWN, "类别待定", "Category to be chosen", "other", "service", _C, 60),
    CategorySeed("other", "其他", "Other", "other", "service", _C, 60),
)  # fmt: skip

"""Two languages, one meaning: every text has its Chinese, and the README's words, settings and diagram are true."""

import ast
import importlib
import inspect
import pkgutil
import re
from enum import StrEnum
from pathlib import Path

import pytest

import gis
import gis.models
from gis.complaints import rules as complaints
from gis.db import Base
from gis.errors import all_errors
from gis.settings import Settings
from tests.house.diagram import generated
from webapp.i18n import words

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _messages() -> dict[str, str]:
    """Every message id in Python, templates and browser modules, and where it stands."""
    found = {}
    for path in [*(ROOT / "webapp").rglob("*.py"), *(ROOT / "mobile_api").rglob("*.py")]:
        if "node_modules" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "gettext"):
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found[first.value] = str(path.relative_to(ROOT))
    for path in (ROOT / "webapp" / "templates").rglob("*.html"):
        for match in re.finditer(
            r"""_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*[,)]""", path.read_text(encoding="utf-8")
        ):
            found[match[1] or match[2]] = str(path.relative_to(ROOT))
    for path in (ROOT / "webapp" / "frontend").rglob("*.mjs"):
        if "node_modules" in path.parts:
            continue
        for match in re.finditer(
            r"""\bt\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*[,)]""", path.read_text(encoding="utf-8")
        ):
            found[(match[1] or match[2]).replace('\\"', '"')] = str(path.relative_to(ROOT))
    return found


def test_every_text_has_its_chinese():
    chinese = words("zh")
    missing = {f"{place}: {text}" for text, place in _messages().items() if text not in chinese}
    assert not missing


def test_every_error_has_its_chinese():
    chinese = words("zh")
    missing = [
        e.__name__
        for e in all_errors()
        if e.__module__.startswith(("gis", "webapp", "mobile")) and e.template() not in chinese
    ]
    assert not missing


def test_placeholders_survive_translation():
    holes = re.compile(r"%\((\w+)\)s")
    for english, chinese in words("zh").items():
        assert set(holes.findall(english)) >= set(holes.findall(chinese)), english


def test_chinese_has_chinese_punctuation():
    """GB/T 15834: after Chinese text stand full-width marks. (A mark between figures or Latin words stays, and so does an address.)"""
    beside = re.compile(r"[\u4e00-\u9fff][,;:?!]|[,;?!][\u4e00-\u9fff]|[\u4e00-\u9fff]\((?!s\b)|\)[\u4e00-\u9fff]")
    wrong = {
        english: chinese
        for english, chinese in words("zh").items()
        if beside.search(re.sub(r"%\(\w+\)[sd]|\w+://[^，。\s]+", "", chinese))
    }
    assert not wrong


def test_screens_hold_no_chinese_outside_the_catalogues():
    """Names are data; everything else is translated. Comments may say what they like."""
    for path in (ROOT / "webapp" / "templates").rglob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.S)
        allowed = text.replace("中文", "").replace("城脉", "")
        assert not CHINESE.search(allowed), path.name


MODELS = sorted((m.class_ for m in Base.registry.mappers), key=lambda model: model.__name__)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_every_model_is_in_the_readme_with_its_chinese(model):
    assert gis.models.metadata is Base.metadata
    assert re.search(rf"\| `{model.__name__}` \|[^|]*[\u4e00-\u9fff][^|]*\|", README), model.__name__


def test_every_enum_member_is_in_the_readme_with_its_chinese():
    for found in pkgutil.walk_packages(gis.__path__, "gis."):
        module = importlib.import_module(found.name)
        for name, kind in inspect.getmembers(module, inspect.isclass):
            if not issubclass(kind, StrEnum) or kind.__module__ != found.name or name.startswith("_"):
                continue
            row = re.search(rf"^\| `{name}` .*$", README, flags=re.M)
            assert row, name
            for member in kind:
                assert re.search(rf"`{re.escape(member)}` [^`]*\S", row[0]), f"{name}.{member}"


def test_every_setting_is_in_the_readme():
    for name, field in Settings.model_fields.items():
        assert f"| `CHENGMAI_{name.upper()}` |" in README, name
        assert field.description, name


def test_the_diagram_shows_the_steps_that_are():
    drawn = set(re.findall(r"^\s+(\w+) --> (\w+): (\w+)$", README, flags=re.M))
    true = {
        (str(before), str(target), verb)
        for verb, step in complaints.STEPS.items()
        for before in step.before
        for target in step.leads_to(before) - {before}
    }
    assert drawn == true
    assert generated() in README


def test_the_map_of_the_house_is_true():
    block = README.split("## The house", 1)[1].split("```")[1]
    for line in block.splitlines():
        if match := re.match(r"^(\s*)(\w[\w./-]*/)\s", line):
            name = match[2].rstrip("/")
            places = [ROOT / name, ROOT / "gis" / name, ROOT / "webapp" / name]
            assert any(p.is_dir() for p in places), name

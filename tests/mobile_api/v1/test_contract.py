"""The document says what the routes do, and the routes answer as the document says."""

from __future__ import annotations

import pytest
import yaml

from mobile_api import v1
from mobile_api.v1 import contract


def test_the_committed_document_is_what_the_routes_say():
    kept = contract.DOCUMENT.read_text(encoding="utf-8")
    assert kept == contract.text(), "run: python -m mobile_api.v1.contract"


def test_the_document_and_the_routes_are_the_same_set(app):
    documented = {
        (path.replace("{", "<").replace("}", ">"), method.upper())
        for path, operations in yaml.safe_load(contract.DOCUMENT.read_text("utf-8"))["paths"].items()
        for method in operations
    }
    routed = {
        (rule.rule, method)
        for rule in app.url_map.iter_rules() if rule.rule.startswith(v1.PREFIX)
        for method in rule.methods - {"OPTIONS"}
        if not (method == "HEAD" and "GET" in rule.methods)
    }  # fmt: skip
    assert documented == routed


def test_every_route_names_its_right(app):
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(v1.PREFIX):
            assert app.view_functions[rule.endpoint].needs in ("use_phone", "public")


def test_the_document_is_a_valid_openapi_document():
    openapi = pytest.importorskip("openapi_spec_validator")
    openapi.validate(yaml.safe_load(contract.DOCUMENT.read_text("utf-8")))

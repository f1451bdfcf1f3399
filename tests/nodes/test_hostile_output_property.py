"""Hostile text in each field of the plan: plan file, overlay and configuration keep it, or an error rejects it."""

import base64
import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from types import UnionType
from typing import Union, get_args, get_origin

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel, JsonValue

from acp_tui.checks.plan.evaluate_plan import evaluate_plan
from acp_tui.install.config.render import document
from acp_tui.plan.file import dump_plan, dump_secrets, load_plan, read_plan, save_plan
from acp_tui.plan.model import Plan
from acp_tui.plan.paths import InvalidValue, answer_at, answer_text, with_answers
from acp_tui.plan.sections.node import NodeSsh
from tests.support.factories.plans import nodes, plan_data, valid_plan

pytestmark = pytest.mark.timeout(3600)

FULL: dict[str, JsonValue] = {
    "nodes": nodes(1, 0),
    "waivers": [{"requirement": "SYS-SWAP", "node": "*", "reason": "r", "by": "b", "until": "2030-01-01"}],
    "registry": {"username": "u", "password": "p"},
}
PLAN = valid_plan(**FULL)
WORDS = """
    &a *a !!python/none %YAML --- ... yes no null ~ true 0o17 017 1e3 .inf -.nan 0x1f 1_000 2026-11-23 12:30:45 <<
    $(id) `id` ${HOME} {{x}} %s {0} [bold] </script> ../.. ~root
"""
FRAGMENTS = [
    *"'\"\\\n\t\r\x00\x1b\x7f\x85\u2028\u2029\ufeff\u202e\u200b\ud800\udfff\ufffe\U0010ffff @`|>{}[],=",
    *(
        "😀",
        "👩\u200d👩\u200d👧",
        "שלום",
        "مرحبا",
        "é",
        "e\u0301",
        "  ",
        ": ",
        " #",
        "- ",
        "? ",
        "; rm -rf /",
        "{env: X}",
    ),
    *WORDS.split(),
]
HOSTILE = st.one_of(
    st.text(),
    st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=3)), max_size=8).map("".join),
    st.sampled_from(FRAGMENTS).map(lambda fragment: fragment * 10_000),
)


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Yield each path of the plan that takes an answer, and whether it takes a list."""
    for name, info in model.model_fields.items():
        inner = next((part for part in parts(info.annotation) if issubclass(part, BaseModel)), None)
        listed = get_origin(info.annotation) is tuple
        path = f"{prefix}{name}[0]" if inner and listed else f"{prefix}{name}"
        if inner is not None:
            yield from fields(inner, f"{path}.")
        else:
            yield path, listed


def parts(annotation: object) -> Iterator[type]:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        yield annotation
    elif get_origin(annotation) in (Union, UnionType, tuple):
        for part in get_args(annotation):
            yield from parts(part)


FIELDS = tuple(fields(Plan))


def test_every_field_is_covered() -> None:
    assert len(FIELDS) > 70
    assert {path for path, _listed in FIELDS if path.startswith("nodes[0].ssh.")} == {
        f"nodes[0].ssh.{name}" for name in NodeSsh.model_fields
    }


def plan_with(field: tuple[str, bool], text: str) -> Plan | None:
    """Return the plan with this text in this field. None: an error rejects it."""
    path, listed = field
    try:
        return with_answers(PLAN, {path: (text,) if listed else text})
    except InvalidValue as rejected:
        errors = rejected.errors
    for error in errors:
        assert error.path.startswith(path)
        assert 0 < len(error.message) < 400
        assert error.message.encode("utf-8")
        assert "\x1b" not in error.message
    return None


@given(st.sampled_from(FIELDS), HOSTILE)
@example(("ssh.password", False), "\x00")
@example(("admin.password", False), "\ud800")
@example(("waivers[0].reason", False), "two\nlines")
@example(("registry.password", False), "\x85")
@example(("address.platform", False), "\n")
def test_accepted_text_survives_saving_and_loading(
    tmp_path_factory: pytest.TempPathFactory, field: tuple[str, bool], text: str
) -> None:
    plan = plan_with(field, text)
    if plan is None:
        return
    path = tmp_path_factory.mktemp("plan") / "plan.yaml"
    save_plan(plan, path)
    assert load_plan(path) == plan
    assert yaml.safe_load(dump_plan(plan)) is not None
    assert yaml.safe_load(dump_secrets(plan)) is not None


@given(st.sampled_from(FIELDS), HOSTILE)
def test_accepted_text_survives_in_the_configuration(field: tuple[str, bool], text: str) -> None:
    plan = plan_with(field, text)
    if plan is None:
        return
    rendered = document(plan, lambda name: name.encode()) if complete(plan) else None
    if rendered is not None:
        parsed = json.loads(json.dumps(rendered, ensure_ascii=False))
        assert parsed == rendered
        assert base64.b64decode(parsed["basic"]["password"]).decode() == answer_text(plan.admin.password)
        assert parsed["basic"]["username"] == plan.admin.username
        first = parsed["cluster"]["features"]["machines"][0]
        assert first["username"] == plan.login(plan.control_planes[0]).username
        assert base64.b64decode(first["password"]).decode() == answer_text(plan.login(plan.control_planes[0]).password)


def complete(plan: Plan) -> bool:
    """Return whether the plan has all values for a configuration."""
    login = plan.login(plan.control_planes[0]) if plan.control_planes else None
    ranges = plan.network.ip_family != "dual"
    return bool(
        login
        and ranges
        and answer_text(plan.admin.password)
        and plan.address.cluster_endpoint
        and (plan.registry.mode == "platform" or plan.registry.address)
        and plan.certificate.mode == "self-signed"
        and all(answer_text(plan.login(node).password) or plan.login(node).key_file for node in plan.nodes)
    )


@given(st.sampled_from(FIELDS), HOSTILE)
def test_accepted_text_is_evaluated_without_showing_secrets(field: tuple[str, bool], text: str) -> None:
    plan = plan_with(field, text)
    if plan is not None:
        text, before = repr(evaluate_plan(plan)), repr(evaluate_plan(PLAN))
        secret = answer_text(answer_at(plan, field[0])) if field[0].endswith("password") else ""
        assert len(secret) < 12 or secret not in text or secret in before


@given(st.sampled_from(FIELDS), HOSTILE)
def test_plan_file_is_read_or_rejected_with_a_line_number(
    tmp_path_factory: pytest.TempPathFactory, field: tuple[str, bool], text: str
) -> None:
    path = tmp_path_factory.mktemp("plan") / "plan.yaml"
    data = deepcopy(plan_data(**FULL))
    put(data, field[0], [text] if field[1] else text)
    path.write_text(
        yaml.safe_dump(data, width=1 << 30), encoding="utf-8"
    )  # with escapes, which an operator may write, too
    parsed = read_plan(path)
    for problem in parsed.problems:
        assert str(problem).startswith(f"plan.yaml:{problem.line} ")
        assert "\x1b" not in str(problem)
    if not parsed.problems:
        assert parsed.plan == plan_with(field, text)


def put(data: object, path: str, value: JsonValue) -> None:
    *parents, last = path.replace("[0]", ".0").split(".")
    for step in parents:
        if isinstance(data, list):
            data = data[int(step)]
        elif isinstance(data, dict):
            data = data.setdefault(step, {})
    assert isinstance(data, dict)
    data[last] = value


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_arbitrary_bytes_are_a_plan_or_rejected(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path: Path = tmp_path_factory.mktemp("plan") / "plan.yaml"
    path.write_bytes(content)
    parsed = read_plan(path)
    assert parsed.problems or parsed.plan == Plan()
    assert all("\x1b" not in str(problem) for problem in parsed.problems)

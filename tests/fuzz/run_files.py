"""Run the parsers of plans, lists of nodes and files that acp-tui wrote on the given bytes, and make valid samples."""

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from acp_tui.install.config.versions_and_secrets import secrets_in, wanted_versions
from acp_tui.install.observe.follow import Tail
from acp_tui.install.observe.timing import spans
from acp_tui.install.remote.last_remote import load_last_remote
from acp_tui.install.run.process_identity import Process
from acp_tui.install.run.setup_script import exit_status, process
from acp_tui.install.run.state import EVENTS_FILE, Phase, RunSpec, RunState, log_event, status, write_state
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.script import CollectorOutput
from acp_tui.nodes.state import NodeState
from acp_tui.package.install_dir import unpacked
from acp_tui.plan.draft import Draft, load, save
from acp_tui.plan.file import dump_plan, dump_secrets, read_plan
from acp_tui.plan.known_hosts import confirmed
from acp_tui.plan.model import Plan
from acp_tui.plan.node_import.detect import mask_nodes, read_list
from acp_tui.plan.node_import.merge import merge_hosts
from acp_tui.plan.package_name import STAMP
from acp_tui.preflight.bundle import check_sums, open_bundle, write_bundle
from acp_tui.preflight.bundle.layout import PLAN, SUMS
from acp_tui.preflight.primary_cluster import primary_of
from acp_tui.preflight.record.document import read_record, record_of, replay
from acp_tui.preflight.report.diff import changes
from acp_tui.preflight.report.html.page import report_html
from acp_tui.preflight.report.model import Report, report_json
from tests.support.factories.node_facts import healthy
from tests.support.factories.plans import nodes, valid_plan
from tests.support.factories.reports import report


def text_of(data: bytes) -> str:
    """Decode text as Python decodes arguments and paths: invalid bytes become surrogates."""
    return data.decode("utf-8", "surrogateescape")


def plan_file(data: bytes, folder: Path) -> None:
    (folder / "plan.yaml").write_bytes(data)
    reading = read_plan(folder / "plan.yaml")
    assert reading.problems or reading.plan
    assert all(len(str(problem)) < 1000 for problem in reading.problems)


def overlay(data: bytes, folder: Path) -> None:
    (folder / "plan.yaml").write_text(dump_plan(_plan()))
    (folder / "secrets.yaml").write_bytes(data)
    assert all(len(str(problem)) < 1000 for problem in read_plan(folder / "plan.yaml").problems)


@cache
def _plan() -> Plan:
    return valid_plan(
        nodes=nodes(1, 1),
        waivers=[{"requirement": "SYS-SWAP", "node": "*", "reason": "r", "by": "b", "until": "2030-01-01"}],
        registry={"username": "u", "password": "registry-secret"},
        admin={"password": "admin-secret"},
    )


def plan_samples() -> tuple[bytes, ...]:
    flow = json.dumps(_plan().model_dump(mode="json", exclude_none=True))
    merged = b"a: &a {x: 1}\nnodes: &n\n- {address: 10.0.0.1}\n- *a\nnetwork: {<<: *a}\n"
    return dump_plan(_plan()).encode(), flow.encode(), merged


def node_list(data: bytes, _folder: Path) -> None:
    text = text_of(data)
    reading = read_list(text)
    merge_hosts(Plan(), reading)
    shown, _hidden = mask_nodes(text, reading)
    assert all(len(str(note)) < 1000 for note in (*reading.faults, *reading.notes[:100]))
    assert not re.search(r"""pass(word|phrase)?['"]?\s*[=:]\s*['"]?s3cret-word""", shown)
    assert all(len(secret) < 8 or secret not in shown.split("\n")[line - 1] for line, secret in reading.secrets[:20])


@cache
def _bundle() -> Mapping[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJustAKeyForTestsThatNobodyHas"
        document = json.dumps({"basic": {"password": "YQ=="}, "console": {"cert": {"thirdParty": {}}}})
        plan = _plan()
        known = {node.address: confirmed(key) for node in plan.nodes}
        path = write_bundle(
            plan, report(plan), known, Path(folder) / "b", plan_dir=Path("/"), document=document, setup_line="sh x"
        )
        return {entry.name: entry.read_bytes() for entry in path.iterdir()}


def _write_bundle(folder: Path, contents: Mapping[str, bytes]) -> Path:
    path = folder / "bundle"
    path.mkdir(mode=0o700)
    for name, content in contents.items():
        (path / name).write_bytes(content)
        (path / name).chmod(0o600)
    return path


def bundle_checksums(data: bytes, folder: Path) -> None:
    check_sums(_write_bundle(folder, {**_bundle(), SUMS: data}))


def bundle_file(data: bytes, folder: Path) -> None:
    """Replace a file of the bundle. The first line of `data` is its name."""
    name, _newline, content = data.partition(b"\n")
    contents = {**_bundle(), name.decode() if name.decode("latin-1") in _bundle() else PLAN: content}
    listed = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items() if name != SUMS
    )
    opened = open_bundle(_write_bundle(folder, {**contents, SUMS: listed.encode()}))
    assert opened.plan
    primary_of(
        Plan.model_validate({"disaster_recovery": {"role": "standby", "primary": str(opened.directory)}}), folder
    )


def bundle_samples() -> tuple[bytes, ...]:
    return tuple(name.encode() + b"\n" + content for name, content in _bundle().items() if name != SUMS)


def overlay_samples() -> tuple[bytes, ...]:
    node = b"nodes:\n- {address: 10.20.0.11, ssh: {password: {env: HOME}}}\n"
    return dump_secrets(_plan()).encode(), node, b"admin: {password: {file: /dev/zero}}\n"


def sums_samples() -> tuple[bytes, ...]:
    return (_bundle()[SUMS],)


def report_samples() -> tuple[bytes, ...]:
    return (report_json(report(_plan())).encode(),)


def draft_state(data: bytes, folder: Path) -> None:
    (folder / "plan.yaml").write_text(dump_plan(_plan()))
    (folder / "draft.json").write_bytes(data)
    draft = load(folder)
    save(draft)
    assert load(folder).step == draft.step


@cache
def draft_samples() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "home" / "drafts" / "one"
        known = {"10.0.0.1": confirmed("k")}
        save(Draft(folder, _plan(), "nodes", frozenset({"plan"}), {"address.vrid": "x"}, known_hosts=known))
        return ((folder / "draft.json").read_bytes(),)


def run_state(data: bytes, folder: Path) -> None:
    (folder / "state.json").write_bytes(data)
    state = status(folder)
    assert isinstance(state.at_rest, bool)
    assert state.spec.removal


@cache
def state_samples() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = RunSpec(folder, folder, ("sh", "setup.sh"), folder / "config.json", "https://acp.example.com")
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        process = Process(pid=1, boot="b", began=1)
        write_state(RunState(spec, started=moment, updated=moment, runner=process, following_since=moment))
        return ((folder / "state.json").read_bytes(),)


def run_events(data: bytes, folder: Path) -> None:
    (folder / EVENTS_FILE).write_bytes(data)
    spans(folder)
    Tail("acp-tui", folder / EVENTS_FILE).more(at_end=True)


@cache
def events_samples() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as name:
        for phase in (Phase.SETUP, Phase.WAITING_API, Phase.INSTALLING):
            log_event(Path(name), phase, "text")
        return ((Path(name) / EVENTS_FILE).read_bytes(),)


def setup_records(data: bytes, folder: Path) -> None:
    for name in ("exit", "pid"):
        (folder / f"setup.{name}").write_bytes(data)
    exit_status(folder)
    process(folder)


def report_json_file(data: bytes, _folder: Path) -> None:
    read = Report.from_json(data)
    report_html(read, _plan())
    assert Report.from_json(report_json(read)) == read
    changes(report(_plan()), read)


@cache
def record_samples() -> tuple[bytes, ...]:
    node = _plan().nodes[0].address
    outputs = tuple(CollectorOutput(name, 0, text) for name, text in (("cmdline", "ro"), ("hosts", "127.0.0.1 x")))
    end = NodeFinished(node, NodeState.CHECKED, healthy(node), outputs=outputs)
    return (record_of(_plan(), {node: end}, report(_plan()), key=b"fixed").encode(),)


def record_file(data: bytes, folder: Path) -> None:
    (folder / "record").write_bytes(data)
    _plan_of_record, judged = replay(read_record(folder / "record"), folder / "record")
    report_json(judged)


def last_remote(data: bytes, folder: Path) -> None:
    (folder / "afar.json").write_bytes(data)
    load_last_remote(folder)


def unpack_stamp(data: bytes, folder: Path) -> None:
    (folder / STAMP).write_bytes(data)
    unpacked(folder)


def configuration(data: bytes, _folder: Path) -> None:
    secrets_in(data)
    wanted_versions(data)

"""Bundles for tests of the commands. Their only node is unreachable, so their report is not ready."""

import socket
from base64 import b64encode
from pathlib import Path

from pydantic import JsonValue

from acp_tui.cli.main import main
from acp_tui.core.errors import ExitStatus
from acp_tui.plan.file import save_plan
from tests.support.factories.plans import node, valid_plan

LOGIN, ADMIN = "c4nary-login", "c4nary-admin"
PHRASE = "a long passphrase"
PRIVATE = {"secrets.yaml", "installer-config.json"}
TAKES_A_PLAN = (
    ["unpack"],
    ["validate"],
    ["check"],
    ["fix", "--script"],
    ["render"],
    ["install"],
    ["wizard"],
    ["bundle"],
)


def write_plan(folder: Path) -> Path:
    """Write a plan whose only node is a closed port on this host."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        own_node: JsonValue = [node("127.0.0.1", ssh={"port": server.getsockname()[1]})]
    made = valid_plan(
        nodes=own_node,
        scenario="single-node",
        ssh={"password": LOGIN},
        admin={"password": ADMIN},
        address={"cluster_endpoint": "127.0.0.1", "platform": None},
    )
    (folder / "plans").mkdir()
    save_plan(made, folder / "plans" / "plan.yaml")
    return folder / "plans" / "plan.yaml"


def bundle(plan: Path, name: str = "bundle", *options: str) -> Path:
    """Write the bundle next to the plan's folder."""
    directory = plan.parent.parent / name
    assert main(["bundle", str(plan), str(directory), *options]) == ExitStatus.CHECK_FAILED
    return directory


def holders(directory: Path) -> set[str]:
    """Names of the files that contain a secret, plain or in base64."""
    secrets = [form for secret in (LOGIN, ADMIN) for form in (secret.encode(), b64encode(secret.encode()))]
    return {path.name for path in directory.iterdir() if any(secret in path.read_bytes() for secret in secrets)}

"""The table of all parsers of foreign bytes: how to run each of them, its samples, and its documented errors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acp_tui.install.config.versions_and_secrets import InvalidConfig
from acp_tui.install.run.state import RunNotFound
from acp_tui.nodes.ssh.errors import ConnectError
from acp_tui.nodes.ssh.key_sources import KnownHostsError
from acp_tui.package.archive_safety import PackageRefused
from acp_tui.package.install_dir import UnpackFailed
from acp_tui.plan.file import PlanErrors
from acp_tui.preflight.bundle import BundleCorrupt
from acp_tui.preflight.record.document import RecordError
from tests.fuzz import run_files as files
from tests.fuzz import run_replies as replies


@dataclass(frozen=True)
class Parser:
    """A parser of foreign bytes."""

    name: str
    modules: tuple[str, ...]
    """The modules below `acp_tui` that parse the bytes."""
    run: Callable[[bytes, Path], object]
    """Run the parser on the bytes. The second argument is an empty folder."""
    samples: Callable[[], tuple[bytes, ...]]
    """Return valid inputs."""
    errors: tuple[type[Exception], ...] = ()
    """The documented errors. Most parsers have none, because their result contains the errors."""


def _texts(*texts: str) -> Callable[[], tuple[bytes, ...]]:
    return lambda: tuple(text.encode() for text in texts)


_LINES = (
    "workers:\n- admin@10.0.0.1-9:22 password=s3cret-word\ncontrol-plane 10.0.0.11 root 22\n",
    "fd00::1 10.0.0.2\n",
)
_TABLE = (
    'address,role,user,port,password\n10.0.0.[1:9],worker,admin,22,"s3cret-word"\n10.0.0.11,master,root,,\n',
    "ip;name;passphrase\n10.0.0.1;n1;s3cret-word\n",
)
_INI = (
    "[masters]\nm[1:3] ansible_host=10.0.0.1 ansible_user=root ansible_password='s3cret-word'\n"
    "[workers]\n10.0.0.[4:9]\n[cluster:children]\nmasters\nworkers\n"
    "[all:vars]\nansible_port=22\nansible_become_pass={{ vault }}\n",
)
_YAML = (
    "all:\n  vars: {ansible_user: root, ansible_password: s3cret-word}\n  children:\n    masters:\n      hosts:\n"
    "        m1: {ansible_host: 10.0.0.1}\n        10.0.0.[2:4]:\n    workers: &w\n      hosts: {10.0.0.9: null}\n",
    '{"all": {"children": ["masters"]}, "masters": {"hosts": ["10.0.0.1"], "vars": {"ansible_port": 22}}}',
)
_CONFIG = '{"basic": {"password": "YQ=="}, "cluster": {"version": "1.31.6", "annotations": {}}}'
_STAMP = (
    '{"core": {"file": {"name": "a", "size": 1, "mtime_ns": 1, "inode": 1, "device": 1}, "signer": "AA", '
    '"verified": "2026-01-01T00:00:00+00:00", "entries": ["installer"]}}'
)
_REMOTE = '{"plan": "/root/plan.yaml", "address": "10.0.0.1", "started": "2026-01-01T00:00:00+00:00", "ended": 0}'
_PROCESS = "boot-id\n123 (setup.sh) S " + " ".join(map(str, range(30))) + "\n"

PARSERS = (
    Parser("plan", ("plan.file.document", "plan.yaml_nodes"), files.plan_file, files.plan_samples),
    Parser("secrets-overlay", ("plan.file.secrets",), files.overlay, files.overlay_samples),
    Parser("node-lines", ("plan.node_import.text_lines",), files.node_list, _texts(*_LINES)),
    Parser("node-table", ("plan.node_import.csv_table",), files.node_list, _texts(*_TABLE)),
    Parser("ansible-ini", ("plan.node_import.ansible_ini",), files.node_list, _texts(*_INI)),
    Parser("ansible-yaml", ("plan.node_import.ansible_yaml",), files.node_list, _texts(*_YAML)),
    Parser("package-name", ("plan.package_name",), replies.package_name, _texts("installer-core-v4.0.3-x86.tar")),
    Parser("draft", ("plan.draft",), files.draft_state, files.draft_samples, (ValueError,)),
    Parser(
        "bundle-checksums",
        ("preflight.bundle.checksums",),
        files.bundle_checksums,
        files.sums_samples,
        (BundleCorrupt,),
    ),
    Parser(
        "bundle-files",
        ("preflight.bundle.content", "preflight.primary_cluster"),
        files.bundle_file,
        files.bundle_samples,
        (BundleCorrupt, PlanErrors),
    ),
    Parser(
        "report",
        ("preflight.report.model", "preflight.report.history"),
        files.report_json_file,
        files.report_samples,
        (ValueError,),
    ),
    Parser(
        "record",
        ("preflight.record.document", "preflight.record.values", "preflight.record.addresses"),
        files.record_file,
        files.record_samples,
        (RecordError,),
    ),
    Parser(
        "certificates",
        (
            "preflight.certificates.pem",
            "preflight.certificates.client_rules",
            "preflight.certificates.fields",
            "preflight.certificates.reader",
            "install.verify.https",
        ),
        replies.certificates,
        replies.certificate_samples,
    ),
    Parser("node-stream", ("nodes.script",), replies.node_stream, replies.stream_samples),
    Parser(
        "collectors",
        (
            "nodes.collectors.addresses",
            "nodes.collectors.boot",
            "nodes.collectors.packet_filter",
            "nodes.packet_filter.iptables",
            "nodes.packet_filter.nft",
            "nodes.collectors.boot_menu",
            "nodes.collectors.install_folder",
            "nodes.active.disk",
        ),
        replies.collector_output,
        replies.collector_samples,
    ),
    Parser(
        "known-hosts",
        ("plan.known_hosts",),
        replies.known_hosts,
        replies.known_hosts_samples,
        (OSError, ConnectError),
    ),
    Parser(
        "openssh-known-hosts",
        ("nodes.ssh.key_sources",),
        replies.openssh_known_hosts,
        replies.known_hosts_samples,
        (KnownHostsError,),
    ),
    Parser(
        "private-key",
        ("nodes.ssh.keys", "preflight.read_local_files"),
        replies.private_key,
        replies.private_key_samples,
        (ConnectError,),
    ),
    Parser(
        "package-archive",
        ("package.archive",),
        replies.package_archive,
        replies.archive_samples,
        (PackageRefused, UnpackFailed),
    ),
    Parser("package-stamp", ("package.install_dir",), files.unpack_stamp, _texts(_STAMP)),
    Parser("openpgp", ("package.signature.openpgp",), replies.openpgp, replies.openpgp_samples),
    Parser("gpg-status", ("package.signature.gpg_status",), replies.gpg_status, replies.gpg_samples),
    Parser(
        "installer-api",
        ("install.api.client", "install.api.progress_reply", "install.api.versions"),
        replies.installer_api,
        replies.api_samples,
    ),
    Parser(
        "configuration",
        ("install.config.versions_and_secrets",),
        files.configuration,
        _texts(_CONFIG),
        (InvalidConfig,),
    ),
    Parser("run-state", ("install.run.state",), files.run_state, files.state_samples, (RunNotFound,)),
    Parser("run-events", ("install.observe.timing", "install.observe.follow"), files.run_events, files.events_samples),
    Parser("setup-records", ("install.run.setup_script",), files.setup_records, _texts("0\n", _PROCESS)),
    Parser("last-remote", ("install.remote.last_remote",), files.last_remote, _texts(_REMOTE)),
    Parser("kubectl-tables", ("install.verify.queries",), replies.kubectl_tables, replies.table_samples),
)

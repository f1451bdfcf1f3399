"""Inputs that once caused an undocumented error, a hang or a huge use of memory."""

import json
import time
import tracemalloc
from pathlib import Path

import pytest

from tests.fuzz.parsers import PARSERS

BY_NAME = {parser.name: parser for parser in PARSERS}
DIGITS = b"9" * 800_000
DEEP = b"[" * 100_000
FOUND: dict[str, tuple[str, bytes]] = {
    # hangs
    "blank-lines": ("node-lines", b"\n" * 200_000),
    "blank-lines-before-a-group": ("ansible-ini", b"\n" * 200_000 + b"[masters]\n10.0.0.1\n"),
    "many-invalid-nodes": ("plan", b"nodes:\n" + b"- a\n" * 12_000),
    "many-yaml-nodes": ("plan", b"{a: " + b"a," * 100_000),
    "many-unknown-keys": ("plan", b"".join(b"nodesnodes%d: 1\n" % number for number in range(60_000))),
    "one-long-key": ("plan", b"node" * 100_000 + b": 1\n"),
    "long-chain-of-groups": (
        "ansible-ini",
        b"".join(b"[g%d:children]\ng%d\n" % (number + 1, number) for number in range(4000)) + b"[g0]\n10.0.0.[1:200]\n",
    ),
    # memory
    "many-ranges": ("node-lines", b"10.0.0.1-10.0.3.200\n" * 9000),
    "many-ranges-in-a-table": ("node-table", b"address\n" + b"10.0.0.1-10.0.3.200\n" * 9000),
    "many-ranges-in-an-inventory": (
        "ansible-ini",
        b"[masters]\n" + b"".join(b"n%d-[1:999]\n" % number for number in range(9000)),
    ),
    "alias-bomb-in-an-inventory": (
        "ansible-yaml",
        b"all: &a {hosts: {x: {}}}\n" + b"".join(b"g%d: {hosts: {'n%d-[1:999]': {}}}\n" % (n, n) for n in range(9000)),
    ),
    # long messages
    "many-unknown-headings": ("node-table", b"ip" + b";name;passphrase and more" * 500),
    # long runs of digits
    "digits-in-a-plan": (
        "plan",
        b"format: " + DIGITS[:300_000] + b"\naddress: {https_port: " + DIGITS[:50_000] + b"}\n",
    ),
    "digits-in-a-table": ("node-table", b"address,port\n10.0.0.1," + DIGITS + b"\n"),
    "digits-in-a-node-list": ("node-lines", b"10.0.0.1 " + DIGITS),
    "digits-in-an-inventory": ("ansible-ini", b"[masters]\n10.0.0.[" + DIGITS[:100_000] + b":9] x=" + DIGITS),
    "digits-in-a-draft": ("draft", b'{"updated": ' + DIGITS + b"}"),
    "digits-in-a-state": ("run-state", b'{"spec": {}, "post_status": ' + DIGITS + b"}"),
    "digits-in-a-report": ("report", b'{"schema": "acp-tui.report/1", "started": ' + DIGITS + b"}"),
    "digits-in-an-event": ("run-events", b'{"at": ' + DIGITS + b"}"),
    "digits-in-fio-output": (
        "collectors",
        b'disk_speed\nmethod fio\nrate {"jobs": [{"write": {"iops": ' + b"9" * 4000 + b"}}]}\n",
    ),
    # nesting
    "nested-draft": ("draft", DEEP),
    "nested-state": ("run-state", DEEP),
    "nested-report": ("report", DEEP),
    "nested-event": ("run-events", DEEP),
    "nested-remote": ("last-remote", DEEP),
    "nested-stamp": ("package-stamp", DEEP),
    "nested-configuration": ("configuration", DEEP),
    "nested-plan": ("plan", b"? " * 300_000),
    # times that cannot be converted or compared
    "year-1-in-an-event": ("run-events", b'{"at": "0001-01-01T00:00:00+14:00", "phase": "setup"}\n'),
    "year-1-in-a-remote": (
        "last-remote",
        b'{"plan": "p", "address": "a", "started": "0001-01-01T00:00:00+14:00", "ended": 1}',
    ),
    "endless-exit-status": (
        "last-remote",
        b'{"plan": "p", "address": "a", "started": "2026-01-01T00:00:00Z", "ended": 1e999}',
    ),
    "time-without-zone-in-a-state": (
        "run-state",
        BY_NAME["run-state"].samples()[0].replace(b"2026-01-01T00:00:00Z", b"2026-01-01T00:00:00"),
    ),
    # not UTF-8
    "latin-1-known-hosts": ("known-hosts", b"10.0.0.1 ssh-ed25519 \xe4\n"),
    "latin-1-known-hosts-in-a-bundle": ("bundle-files", b"known_hosts\n10.0.0.1 \xe4\n"),
    "latin-1-setup-line": ("bundle-files", b"setup.txt\n\xe4\n"),
    "latin-1-configuration": ("bundle-files", b'installer-config.json\n{"a": "\xe4"}'),
    "latin-1-report": ("bundle-files", b'preflight.json\n{"schema": "\xe4"}'),
    "latin-1-plan": ("bundle-files", b"plan.yaml\nnodes: \xe4"),
    "latin-1-secrets": ("bundle-files", b"secrets.yaml\nadmin: \xe4"),
    "nested-configuration-in-a-bundle": ("bundle-files", b"installer-config.json\n" + DEEP),
    "odd-names-in-checksums": ("bundle-checksums", b"".join(b"%064d  \x00%d\n" % (n, n) for n in range(10_000))),
    "one-long-name-in-checksums": ("bundle-checksums", b"0" * 64 + b"  " + b"x" * 900_000),
    # versions and signatures
    "digits-in-a-version": ("installer-api", json.dumps({"data": {"kube": "1.31." + "9" * 5000}}).encode()),
    "long-nested-keys": ("installer-api", b'{"data":' + (b'{"' + b"k" * 8000 + b'":') * 450 + b'"x"' + b"}" * 451),
    "blank-status-line": ("gpg-status", b"BADSIG  \n"),
    "colons-in-armor": ("openpgp", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n" + b":::::::\n" * 20 + b"x"),
    "many-armors": ("openpgp", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" * 12_000),
    # keys whose header is a regular expression
    "expression-in-a-private-key": (
        "private-key",
        BY_NAME["private-key"].samples()[0].replace(b"BEGIN ", b"BEGIN \x1b[31m"),
    ),
    "expression-without-end": ("private-key", b"-----BEGIN |(a+)+$|x PRIVATE KEY-----\n" + b"a" * 40 + b"b\n"),
    "expression-in-known-hosts": (
        "openssh-known-hosts",
        b"h -----BEGIN |(a+)+$|" + b"a" * 40 + b"b PUBLIC KEY-----\n",
    ),
    "many-headers-in-known-hosts": ("openssh-known-hosts", b"-----BEGIN A-----" * 50_000),
    "many-names-in-known-hosts": (
        "openssh-known-hosts",
        b"10.0.0.*," * 80_000 + BY_NAME["openssh-known-hosts"].samples()[0],
    ),
}
MEASURED = ("many-ranges", "many-ranges-in-a-table", "many-ranges-in-an-inventory", "long-nested-keys")
"""Inputs that once needed gigabytes of memory."""


@pytest.mark.parametrize("name", FOUND)
def test_input_is_read_or_rejected(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "drafts" / "one"
    folder.mkdir(parents=True)
    run(*FOUND[name], folder, measured=name in MEASURED)


def run(parser_name: str, data: bytes, folder: Path, *, measured: bool) -> None:
    """Run the parser, and accept only its documented errors, 10 seconds of CPU time and, if measured, 250 MiB."""
    parser, message, peak = BY_NAME[parser_name], "", 0
    if measured:
        tracemalloc.start()
    started = time.process_time()
    try:
        parser.run(data, folder)
    except parser.errors as error:
        message = str(error)
    finally:
        took = time.process_time() - started
        if measured:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert len(message) < 100_000
    assert took < 10
    assert peak < 250 << 20

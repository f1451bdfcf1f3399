"""Run the parsers of nodes, packages, certificates and the installer's API on the given bytes, and make samples."""

import json
import tarfile
import tempfile
from base64 import b64encode
from contextlib import suppress
from functools import cache
from pathlib import Path

import asyncssh
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import SecretStr

from acp_tui.core.text import sanitize
from acp_tui.install.api.progress_reply import read_progress
from acp_tui.install.api.versions import parse_offer, parse_token
from acp_tui.install.verify.diagnosis import diagnose
from acp_tui.install.verify.https import planned_fingerprint, served
from acp_tui.install.verify.queries import installed_from
from acp_tui.nodes.active.disk import disk_speed_collector
from acp_tui.nodes.active.vrrp import vrrp_collector
from acp_tui.nodes.collectors import COLLECTORS, facts_from
from acp_tui.nodes.collectors.install_folder import install_folder_collector
from acp_tui.nodes.script import MAX_OUTPUT, CollectorOutput, Reader
from acp_tui.nodes.ssh.key_sources import keys_in_file, read_openssh_known_hosts
from acp_tui.nodes.ssh.keys import client_key, host_key_algorithms
from acp_tui.nodes.ssh.target import Target
from acp_tui.package.archive import inspect
from acp_tui.package.extract import extract
from acp_tui.package.signature.gpg_status import evaluate_status
from acp_tui.package.signature.openpgp import fingerprints, has_private_key, is_message
from acp_tui.plan.known_hosts import fingerprint, key_type, read_known_hosts
from acp_tui.plan.package_name import parse_name, release_in_name
from acp_tui.preflight.certificates.pem import PemFile
from acp_tui.preflight.certificates.reader import pair_facts
from acp_tui.preflight.read_local_files import is_encrypted
from tests.fuzz.run_files import text_of
from tests.support.certificates import CHAIN, DEEP, EC, GOOD, KEY, key_pem, pem
from tests.support.kubectl_tables import PODS, RELEASES, node_rows, table
from tests.support.package_builder import archive, file, special, symlink
from tests.support.record import MARKER, parse_recording, recordings
from tests.support.recorded_facts import assert_types

_BY_NAME = {
    collector.name: collector
    for collector in (
        *COLLECTORS,
        disk_speed_collector(),
        vrrp_collector("10.0.0.1"),
        install_folder_collector("/root/install"),
    )
}
_NAMES = tuple(_BY_NAME)
VALID = "A" * 40 + " 2026-01-01 1 0 4 0 22 8 00 " + "B" * 40


def node_stream(data: bytes, _folder: Path) -> None:
    reader, size = Reader(MARKER), 1000
    for at in range(0, len(data), size):
        for output in reader.feed(data[at : at + size]):
            assert len(output.text) <= MAX_OUTPUT
            assert sanitize(output.text, limit=None) == output.text


def stream_samples() -> tuple[bytes, ...]:
    return tuple(path.read_bytes()[:20_000] for path in recordings().values())


def collector_output(data: bytes, _folder: Path) -> None:
    """Parse the output of a collector. The first line of `data` is the name of the collector."""
    name, text = _named(data, _NAMES)
    output = CollectorOutput(name, 0, sanitize(text, limit=None))
    if name in ("disk_speed", "vrids", "install_folder"):
        with suppress(ValueError):  # the reason why the facts are missing
            _BY_NAME[name].parse(output)
    else:
        assert_types(facts_from("10.0.0.1", [output], "not collected"))


@cache
def collector_samples() -> tuple[bytes, ...]:
    disk = (
        "disk_speed\nmethod python3\nsync 100.5 0.01\nthroughput 1e8\nrate 5000.0\n",
        'disk_speed\nmethod fio\nsync {"jobs": [{"write": {"iops": 5, "bw": 7}, "sync": {"lat_ns": {"percentile": '
        '{"99.000000": 9}}}}]}\nthroughput {}\nrate {"jobs": [{"write": {"iops": 5}}]}\n',
        "disk_speed\nmethod dd\nsync 1000 bytes (1 kB) copied, 0.5 s\n",
        "vrrp\nvrid 51\n",
        'install_folder\ninstaller\nstamp {"core": {"file": {"name": "a.tar", "size": 5}}}\n'
        "df /dev/sda1 100 40 60 40% /\n",
    )
    outputs = {
        f"{output.name}\n{output.text}"
        for path in recordings().values()
        for output in parse_recording(path.read_bytes())
    }
    return tuple(text.encode() for text in (*disk, *sorted(outputs)))


def _named(data: bytes, names: tuple[str, ...]) -> tuple[str, str]:
    first, _newline, rest = text_of(data).partition("\n")
    return (first, rest) if first in names else (names[len(data) % len(names)], text_of(data))


def kubectl_tables(data: bytes, _folder: Path) -> None:
    """Parse one table of the verification. The first line of `data` is its name."""
    name, text = _named(data, ("nodes", "pods", "releases", "module", "left_over", "console", "ports", "log"))
    for status in (0, 1):
        readings = {name: CollectorOutput(name, status, sanitize(text, limit=None))}
        diagnose(installed_from(readings, "no output"), readings)


def table_samples() -> tuple[bytes, ...]:
    console = 'HTTP/1.1 200 OK\r\n\r\n{"step": "installing", "status": "Success"}\n@next\nHTTP/1.1 404\r\n\r\n'
    texts = (
        "nodes\n" + table(node_rows(["10.0.0.1", "10.0.0.2"])),
        "pods\n" + table(PODS),
        "releases\n" + table(RELEASES),
        "module\nRunning\tok\nend\t1\n",
        "left_over\nminialauda-control-plane\tUp 5 minutes\n",
        f"console\n{console}",
        "ports\nState Recv-Q Send-Q Local Peer\nLISTEN 0 4096 0.0.0.0:8080 0.0.0.0:*\n",
        "log\n120\ncreate cluster\ninstall charts\n",
    )
    return tuple(text.encode() for text in texts)


def certificates(data: bytes, folder: Path) -> None:
    own = PemFile(Path("tls.pem"), data)
    pair_facts(own, PemFile(Path("tls.key"), KEY), roots=())
    pair_facts(PemFile(Path("tls.pem"), CHAIN), own, roots=())
    (folder / "tls.pem").write_bytes(data)
    planned_fingerprint(folder / "tls.pem")
    served(data)


def certificate_samples() -> tuple[bytes, ...]:
    return CHAIN, KEY, pem(DEEP), key_pem(EC, b"passphrase"), GOOD.public_bytes(Encoding.DER)


def package_archive(data: bytes, folder: Path) -> None:
    package, target = folder / "p.tar", folder / "deep" / "target"
    package.write_bytes(data)
    try:
        inspect(package)
        extract(package, target)
    finally:
        assert {path.name for path in folder.iterdir()} <= {"p.tar", "deep"}


@cache
def archive_samples() -> tuple[bytes, ...]:
    members = (
        special("installer", tarfile.DIRTYPE),
        file("installer/setup.sh", b"#!/bin/bash\n", 0o755),
        file("installer/" + "long/" * 30 + "name", b"x" * 700),
        file("installer/pax \u914d", b"y"),
        symlink("installer/link", "setup.sh"),
    )
    with tempfile.TemporaryDirectory() as name:
        return tuple(
            archive(Path(name) / f"{form}.tar", *members, form=form).read_bytes()
            for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT)
        )


def openpgp(data: bytes, _folder: Path) -> None:
    fingerprints(data)
    has_private_key(data)
    is_message(data)


def openpgp_samples() -> tuple[bytes, ...]:
    body = bytes.fromhex("04 5f000000 16 09 2b06010401da470f01 01 07 40") + bytes(32)
    packet = bytes([0x98, len(body)]) + body
    armored = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: x\n\n" + b64encode(packet) + b"\n=abcd\n-----END PGP"
    return packet, packet * 3, armored, armored.replace(b"PUBLIC", b"PRIVATE")


def gpg_status(data: bytes, _folder: Path) -> None:
    rows = (line.partition(" ") for line in text_of(data).split("\n"))
    evaluate_status([(key, rest) for key, _blank, rest in rows], "B" * 40)


def gpg_samples() -> tuple[bytes, ...]:
    lines = (f"GOODSIG A name\nVALIDSIG {VALID}", f"BADSIG AA name\nVALIDSIG {VALID}", "ERRSIG AAAA 22 8 00 1 9 - BB")
    return tuple(line.encode() for line in (*lines, f"EXPKEYSIG A\nVALIDSIG {VALID}", "PLAINTEXT 62 0"))


def installer_api(data: bytes, _folder: Path) -> None:
    text = data.decode(errors="replace")  # as the client decodes a response
    parse_token(text)
    parse_offer(text)
    read_progress(text)


def api_samples() -> tuple[bytes, ...]:
    versions = {"kubernetes": "v1.31.6, 1.30.2", "containerd": '{"version": "1.7.27-4"}', "list": ["1.32.1"]}
    return (
        json.dumps({"data": versions}).encode(),
        json.dumps({"data": {"token": "Bearer abc.def"}}).encode(),
        json.dumps({"step": "install", "status": "Failed", "steps": [{"status": "Success"}]}).encode(),
        b"step installing, Success\n",
        b"abc.def",
    )


def known_hosts(data: bytes, folder: Path) -> None:
    (folder / "known").write_bytes(data)
    for known in read_known_hosts(folder / "known").values():
        for key in known.keys:
            fingerprint(key)
            key_type(key)
        host_key_algorithms(known.keys)


def openssh_known_hosts(data: bytes, folder: Path) -> None:
    (folder / "hosts").write_bytes(data)
    content = read_openssh_known_hosts(folder / "hosts")
    for address, port in (("10.0.0.1", 22), ("10.0.0.1", 2222), ("fd00::1", 22)):
        keys_in_file(content, address, port)


def known_hosts_samples() -> tuple[bytes, ...]:
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    return f"10.0.0.1 {key}\n10.0.0.2 {key}\n".encode(), f"# comment\n[10.0.0.1]:2222 {key}\n".encode()


def private_key(data: bytes, folder: Path) -> None:
    is_encrypted(data)
    (folder / "id").write_bytes(data)
    for passphrase in (None, SecretStr("a passphrase")):
        client_key(Target("10.0.0.1", "10.0.0.1", 22, "root", key_file=folder / "id", key_passphrase=passphrase))


@cache
def private_key_samples() -> tuple[bytes, ...]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    forms = (
        key.export_private_key("openssh"),
        key.export_private_key("pkcs8-pem"),
        key.export_private_key("pkcs8-der"),
    )
    return (*forms, KEY)


def package_name(data: bytes, _folder: Path) -> None:
    parse_name(text_of(data))
    release_in_name(text_of(data))

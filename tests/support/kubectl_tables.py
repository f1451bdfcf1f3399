"""Output of kubectl for tests: the tables of the query templates, for healthy and failing clusters."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PODS = (
    "kube-system\tcoredns-1\tn1\tRunning\t\t\t1\t+ \t",
    "kube-system\tkube-ovn-1\tn1\tRunning\t\t\t1\t+ \t+Completed ",
    "cpaas-system\tapollo-1\tn2\tRunning\t\t\t2\t+ + \t",
    "cpaas-system\tmigrate-1\tn2\tSucceeded\t\t\t1\t-Completed \t",
)
"""Healthy Pods; one belongs to a completed Job."""
RELEASES = ("cpaas-system\tbase\tSynced \tSync=True/Done Health=True/ok ", "cpaas-system\tcert-manager\tSynced \t")


def table(rows: Sequence[str]) -> str:
    return "".join(f"{row}\n" for row in rows) + f"end\t{len(rows)}\n"


def node_rows(addresses: Sequence[str], not_ready: str = "") -> tuple[str, ...]:
    return tuple(
        f"n{number}\t{address} n{number} \t{'False KubeletNotReady' if address == not_ready else 'True KubeletReady'}"
        "\tv1.31.6\tcontainerd://1.7.27"
        for number, address in enumerate(addresses, 1)
    )


def self_signed(folder: Path, *hosts: str) -> Path:
    """Write a PEM file with a key and a self-signed certificate for `hosts` (addresses or names)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, SHA256())
    )
    file = folder / f"{hosts[0]}.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    )
    return file


@contextmanager
def web(host: str, port: int, pem: Path, status: int = 200) -> Iterator[int]:
    """Run an HTTPS server that answers every GET with `status`, and yield its port (`port` 0: any free one)."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def serve(host: str, pem: str) -> None:
    """Serve the console and the registry of a platform at `host`, until the process ends."""
    with web(host, 443, Path(pem)), web(host, 11443, Path(pem), 401):
        Event().wait()

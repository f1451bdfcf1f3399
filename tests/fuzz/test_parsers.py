"""Hostile inputs for every parser of foreign bytes: only documented errors, in a limited time and memory.

`make nightly` runs 10,000 inputs for each parser; the normal run is the same each time.
"""

import ast
import os
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.mutations import variants
from tests.fuzz.parsers import PARSERS, Parser

pytestmark = pytest.mark.timeout(6 * 3600)
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
FUZZ = settings(
    max_examples=10_000 if NIGHTLY else 25,
    derandomize=not NIGHTLY,
    suppress_health_check=list(HealthCheck),
)
SECONDS = 5.0
"""The maximum CPU time for one variant of at most 64 KiB. Most need a few milliseconds."""
BIG = 1 << 20 if NIGHTLY else 1 << 14
BIG_SECONDS = 40.0 if NIGHTLY else 10.0
MEASURED = 1 << 20 if NIGHTLY else 1 << 13
"""The size in bytes of an input whose memory is measured. The measurement makes a parser ten times slower."""
MEMORY = 400 << 20 if NIGHTLY else 20 << 20
"""The maximum memory in bytes for such an input."""
UNITS = (b"[", b"{", b'{"a":', b"&a ", b"? ", b"- ", b"- a\n", b"a,", b"a: 1\n", b"9", b"9.", b"a", b"\n", b" ", b"\t")
MORE_UNITS = (
    b'"',
    b"'",
    b"\\",
    b"::\n",
    b"x y\n",
    b"<",
    b"*a,",
    b"[a]\n",
    b"\x00",
    b"\xff",
    b"-----BEGIN A-----",
    b"%a\n",
)
IDS = [parser.name for parser in PARSERS]


def run(parser: Parser, data: bytes, seconds: float, root: Path) -> None:
    """Run the parser in a new folder below `root`, and accept only its documented errors and a limited CPU time."""
    with tempfile.TemporaryDirectory(dir=root) as name:
        folder = Path(name, "home", "drafts", "one")  # a draft also has its parent folders
        folder.mkdir(parents=True)
        started = time.process_time()
        try:
            parser.run(data, folder)
        except parser.errors as error:
            message = str(error)
        else:
            message = ""
        took = time.process_time() - started
    assert len(message) < 100_000
    assert took < seconds, f"{took:.1f} s"


@pytest.mark.parametrize("parser", PARSERS, ids=IDS)
def test_samples_are_valid(parser: Parser, tmp_path: Path) -> None:
    for number, sample in enumerate(parser.samples()[:20]):
        folder = tmp_path / str(number) / "drafts" / "one"
        folder.mkdir(parents=True)
        parser.run(sample, folder)


@pytest.mark.parametrize("parser", PARSERS, ids=IDS)
def test_variants_of_samples(parser: Parser, tmp_path: Path) -> None:
    @FUZZ
    @given(variants(parser.samples()))
    def variant(data: bytes) -> None:
        run(parser, data, SECONDS, tmp_path)

    variant()


@pytest.mark.parametrize("parser", PARSERS, ids=IDS)
def test_large_inputs(parser: Parser, tmp_path: Path) -> None:
    for data in large(parser, BIG):
        run(parser, data, BIG_SECONDS, tmp_path)


@pytest.mark.parametrize("parser", PARSERS, ids=IDS)
def test_memory_for_large_inputs(parser: Parser, tmp_path: Path) -> None:
    for data in list(large(parser, MEASURED))[6 :: 3 if NIGHTLY else 6]:
        tracemalloc.start()
        try:
            run(parser, data, 10 * BIG_SECONDS, tmp_path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < MEMORY, f"{peak >> 20} MiB for {data[:40]!r}"


def large(parser: Parser, size: int) -> Iterator[bytes]:
    """Yield inputs of about `size` bytes: a repeated text, the same in the middle of a sample, and repeated samples.

    The first six are nested. They need little memory, but much time while the memory is measured."""
    sample = parser.samples()[0]
    for unit in (*UNITS, *MORE_UNITS) if NIGHTLY else UNITS:
        yield unit * (size // len(unit))
        yield sample[: len(sample) // 2] + unit * (size // len(unit)) + sample[len(sample) // 2 :]
    for start in (b"", b"\n", b'{"data": "', b"nodes:\n"):
        yield start + sample * (size // len(sample))


def test_each_parser_has_a_name_of_its_own() -> None:
    assert len(set(IDS)) == len(IDS) >= 15


PARSING = {
    *(
        "loads",
        "from_json",
        "validate_json",
        "model_validate_json",
        "compose",
        "a2b_base64",
        "b64decode",
        "fromhex",
        "fromisoformat",
    ),
    *("load_pem_x509_certificates", "load_der_x509_certificate", "load_pem_private_key", "load_der_private_key"),
    *("import_private_key", "import_public_key", "import_known_hosts", "match_known_hosts"),
    *("shlex.split", "csv.reader", "tarfile.open", "read_text"),
}
"""Functions that parse text or bytes."""
OWN_TEXTS = {
    "checks.waivers": "a date that the plan has already validated",
    "core.assets": "files of acp-tui itself",
    "core.local_host": "files of the kernel",
    "install.config.differences": "two documents that were read before",
    "install.remote.self_archive": "an archive that is written, not read",
    "install.remote.upload": "one key of JSON from a node; every error means that it is missing",
    "install.run.api_listener": "files of the kernel",
    "install.run.process_identity": "files of the kernel",
    "install.support_bundle": "an archive that is written, not read",
    "package.discovery": "the mount table of the kernel",
    "package.service": "a time that package.install_dir has already validated",
    "package.unpacked_package": "a record that acp-tui wrote, after its SHA-256 was compared",
}
"""Modules that call such a function, but not for foreign bytes."""


def test_table_has_every_module_that_parses_foreign_bytes() -> None:
    root = Path(__file__).parents[2] / "acp_tui"
    parsing = {
        ".".join(path.relative_to(root).with_suffix("").parts)
        for path in root.rglob("*.py")
        if "demo" not in path.parts and called(path) & PARSING
    }
    listed = {module for parser in PARSERS for module in parser.modules}
    assert parsing - listed - OWN_TEXTS.keys() == set()
    assert OWN_TEXTS.keys() - parsing == set()
    assert {module for module in listed if not (root / f"{module.replace('.', '/')}.py").is_file()} == set()


def called(path: Path) -> set[str]:
    """Return the names of the functions that a module calls: `name`, and also `owner.name` for methods."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names |= {node.func.attr, f"{ast.unparse(node.func.value)}.{node.func.attr}"}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names.add(node.func.id)
    return names

"""The shell programs of the path test: each starts the Python or Perl program that the node can run."""

from collections.abc import Iterable, Mapping
from shlex import quote

from acp_tui.core.text import fill_template
from acp_tui.nodes.active import path_perl, path_python

ECHO_SECONDS = 120
"""After this time an echo ends in any case."""
_PATIENCE = 2.5  # seconds to wait for ports of another active test that has just ended
_SEND_SECONDS = 10.0
_HOSTS_PER_SECOND = 20

# A program that is installed but does not work, such as a Python without its library, does not count.
_START = """
start_program() {
  for tool in python3 /usr/libexec/platform-python python2 python; do
    if type -P "$tool" >/dev/null && "$tool" -c 'import socket, select, struct' 2>/dev/null; then
      "$tool" -c @PYTHON@ "$@"; return
    fi
  done
  if type -P perl >/dev/null && perl -MSocket -MFcntl -e 1 2>/dev/null; then perl -e @PERL@ "$@"; return; fi
  echo lacking
}
"""


def echo_program(
    run: str, node: int, addresses: Iterable[str], specs: Iterable[str], *, life: float = ECHO_SECONDS
) -> str:
    """Return the program that runs the echo of a node for `life` seconds.

    `run`: random lower-case hexadecimal digits, the same for all nodes. `node`: the number of the node. `specs`: the
    ports, such as `t443`; `path_python` describes their form and the output. If the node has no suitable program, the
    output is only `lacking`.
    """
    given = f"{run} {node} {life:g} {_PATIENCE:g} {quote(','.join(addresses))} {quote(','.join(specs))}"
    start = fill_template(_START, PYTHON=quote(path_python.ECHO), PERL=quote(path_perl.ECHO))
    return (
        f'main() {{\nexport LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"\n{start}start_program {given}\n}}\nmain </dev/null\n'
    )


def send_seconds(hosts: int) -> float:
    """Return how long a sender works at most. Without closed paths, it needs only a few seconds for a hundred hosts."""
    return _SEND_SECONDS + hosts / _HOSTS_PER_SECOND


def sender_shell(run: str, targets: Mapping[str, tuple[int, Iterable[str]]], *, seconds: float) -> str:
    """Return the body of a collector that tests the paths to all targets: host → node number and specs."""
    given = " ".join(quote(f"{host}={node}={','.join(specs)}") for host, (node, specs) in targets.items())
    start = fill_template(_START, PYTHON=quote(path_python.SENDER), PERL=quote(path_perl.SENDER))
    return (
        f'{start}ulimit -Sn "$(ulimit -Hn)"\nlocal most=$(ulimit -n)\n'
        f'case $most in *[!0-9]*) most=1024 ;; esac\n[ "$most" -le 8192 ] || most=8192\n'
        f'start_program {run} "$most" {seconds:g} {given}'
    )

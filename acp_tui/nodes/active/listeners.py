"""Temporary TCP listeners on nodes, dialled from other nodes: does the network lead where it should? On request only.

Each listener tells everyone who connects a random token and its port, so that an answer says who gave it, and notes who
speaks first: only a load balancer with the PROXY protocol does. A port in use is left alone. A listener ends with its
connection, and by itself after a minute: nothing stays, however it ends.
"""

import asyncio
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from shlex import quote

from acp_tui.core.i18n import _
from acp_tui.core.text import fill_template, sanitize
from acp_tui.nodes.collect import collect_facts
from acp_tui.nodes.collectors.parsing import lines
from acp_tui.nodes.events import NodeFinished
from acp_tui.nodes.facts import Facts
from acp_tui.nodes.script import LAUNCH, Collector, CollectorOutput
from acp_tui.nodes.ssh.connection import DEADLINES, ConnectError, Connection, ConnectionLost, Deadlines, Target, connect

_LIFE = 60  # seconds that a listener lives at most
_PATIENCE = 15.0  # seconds for all listeners to stand
_SILENCE = 5.0  # seconds without a dot, of one a second: whatever stood there, nobody knows of it now
_ROUNDS = 10  # seconds: a load balancer needs some health checks before it trusts a backend

# Python 2.7 and 3 alike; the dots end it soon after the connection is cut.
_PYTHON = """
import os, select, socket, sys, time
token, end, six = sys.argv[1].encode(), time.time() + float(sys.argv[2]), sys.argv[3] == '6'
found, held = [], []
for port in sys.argv[4:]:
    s = socket.socket(socket.AF_INET6 if six else socket.AF_INET)
    try:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('', int(port)))
        s.listen(64)
    except (OSError, socket.error):
        os.write(1, ('busy %s\\n' % port).encode())
    else:
        found.append(s)
        os.write(1, ('listening %s\\n' % port).encode())
os.write(1, b'ready\\n')
while time.time() < end:
    for s in select.select(found + held, [], [], 1)[0]:
        try:
            if s in held:
                held.remove(s)
                if s.recv(16)[:5] in (b'PROXY', b'\\r\\n\\r\\n\\0'):
                    os.write(1, ('proxied %d\\n' % s.getsockname()[1]).encode())
                s.close()
                continue
            c = s.accept()[0]
            c.settimeout(1)
            held.append(c)
            c.sendall(token + (' %d\\n' % s.getsockname()[1]).encode())
            if len(held) > 200:
                held.pop(0).close()
        except (OSError, socket.error):
            pass
    os.write(1, b'.\\n')
"""

_PERL = """
use IO::Socket::IP; use IO::Select; $SIG{PIPE} = sub { }; $| = 1;
my ($token, $life, $family, @ports) = @ARGV; my $end = time + $life; my $all = IO::Select->new;
for my $port (@ports) {
  my $s = IO::Socket::IP->new(LocalHost => $family eq '6' ? '::' : '0.0.0.0', LocalPort => $port, Listen => 64,
    ReuseAddr => 1);
  if ($s) { $all->add($s); print "listening $port\\n"; } else { print "busy $port\\n"; }
}
print "ready\\n";
while (time < $end) {
  for my $s ($all->can_read(1)) { my $c = $s->accept or next; print $c "$token ", $s->sockport, "\\n"; close $c; }
  print ".\\n" or last;
}
"""

_LISTEN = """
for tool in python3 python2 python /usr/libexec/platform-python; do
  if type -P "$tool" >/dev/null; then exec "$tool" -c @PYTHON@ @GIVEN@; fi
done
if perl -MIO::Socket::IP -e 1 2>/dev/null; then exec perl -e @PERL@ @GIVEN@; fi
if type -P socat >/dev/null; then
  for port in @PORTS@; do
    if (: 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "busy $port"; continue; fi
    timeout @LIFE@ socat "TCP@FAMILY@-LISTEN:$port,fork,reuseaddr" "SYSTEM:echo @TOKEN@ $port" </dev/null \\
      >/dev/null 2>&1 &
    echo "listening $port"
  done
  trap 'kill $(jobs -p) 2>/dev/null' EXIT
  sleep 0.5; echo ready
  for ((left = @LIFE@; left > 0; left--)); do sleep 1; echo . || exit; done
fi
echo lacking
"""

_DIAL = """
local ways=() fds=() i text got left end=$((SECONDS + @ROUNDS@ + 1))
dialler() {
  local line count=0
  declare -A seen
  printf '%s\\n' "$BASHPID"
  while [ "$SECONDS" -lt "$end" ]; do
    line=
    { IFS= read -r -t 2 line <&3; } 3<>"/dev/tcp/$1/$2"
    line=${line:0:64}
    if [ -n "$line" ] && [ -z "${seen[$line]}" ]; then
      seen[$line]=1 count=$((count + 1))
      printf '%s %s %s\\n' "$1" "$2" "$line"
      [ "$count" -lt "$3" ] || return
    else sleep 0.3; fi
  done
}
for way in @WAYS@; do
  exec {fd}< <(dialler $way)
  fds+=("$fd")
done
for fd in "${fds[@]}"; do
  left=$((end + 1 - SECONDS)); [ "$left" -gt 0 ] || left=0.01
  IFS= read -r -d '' -t "$left" text <&"$fd"; got=$?
  [ "$got" -eq 1 ] || kill -9 "${text%%[!0-9]*}"
  printf '%s' "${text#*$'\\n'}"
  exec {fd}<&-
done
return 0
"""


@dataclass(frozen=True)
class ListenerPlan:
    """What one node does in a rehearsal."""

    target: Target
    listens: tuple[int, ...] = ()
    dials: tuple[tuple[str, int, frozenset[str]], ...] = ()
    """Host, port, and the nodes (plan addresses) that may answer there."""
    pinned: str | None = None
    """The node's known host key, `type base64`."""


async def rehearse(roles: Sequence[ListenerPlan], *, deadlines: Deadlines = DEADLINES) -> Mapping[str, Facts]:
    """Listen and dial at once on all nodes; by plan address, `Facts` with what came of it alone.

    A node without a connection has a gap with the reason. However this ends, the listeners end too."""
    tokens = {role.target.address: secrets.token_hex(12) for role in roles}
    stands = [_ListenerSession(role, tokens[role.target.address], deadlines) for role in roles if role.listens]
    try:
        await asyncio.gather(*(stand.begin() for stand in stands))
        listening = {
            stand.role.target.address: frozenset(p for p, w in stand.ports.items() if not w) for stand in stands
        }
        dialled = await asyncio.gather(*(_dial(role, listening, tokens, deadlines) for role in roles))
        for stand in stands:
            stand.check()
    finally:
        await asyncio.gather(*(stand.end() for stand in stands), return_exceptions=True)
    stood = {stand.role.target.address: stand for stand in stands}
    return {
        facts.address: replace(facts, listened=one.ports, proxied=frozenset(one.proxied))
        if (one := stood.get(facts.address))
        else replace(facts, listened={})
        for facts in dialled
    }


class _ListenerSession:
    """The listeners of one node, and the connection on which they hang."""

    def __init__(self, role: ListenerPlan, token: str, deadlines: Deadlines) -> None:
        self.role = role
        self.ports: dict[int, str] = dict.fromkeys(role.listens, _("no listener could be started"))
        """Port → "" where it listens, else why not."""
        self.proxied: set[int] = set()
        self._token = token
        self._deadlines = deadlines
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._heard = 0.0
        """When it last gave a sign of life, by the loop's clock."""

    async def begin(self) -> None:
        """Returns when the listeners stand, or when it is clear that there will be none."""
        self._task = asyncio.create_task(self._hold())
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._ready.wait()

    def check(self) -> None:
        """A node that fell silent meanwhile is lost, and nobody's packet filter."""
        if asyncio.get_running_loop().time() - self._heard > _SILENCE:
            lost = _("the node fell silent while its listeners stood")
            self.ports = {port: why or lost for port, why in self.ports.items()}

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _hold(self) -> None:
        try:
            connection = await connect(self.role.target, self.role.pinned, lambda stage: None, self._deadlines)
        except ConnectError as failed:
            self.ports = dict.fromkeys(self.ports, failed.detail)
            self._ready.set()
            return
        try:
            await self._read(connection)
        except (ConnectError, ConnectionLost) as broke:
            self.ports = dict.fromkeys(self.ports, str(broke))
        finally:
            self._ready.set()
            await connection.close()

    async def _read(self, connection: Connection) -> None:
        program = listening_program(self._token, self.role.listens, six=":" in self.role.target.address)
        answer = connection.run(LAUNCH, program, lambda stage: None, self._deadlines.session)
        async with aclosing(answer):
            rest = ""
            async for chunk in answer:
                self._heard = asyncio.get_running_loop().time()
                *whole, rest = (rest + sanitize(chunk.decode(errors="replace"))[:4096]).split("\n")
                for line in whole:
                    self._hear(line)

    def _hear(self, line: str) -> None:
        word, _space, port = line.strip().partition(" ")
        if word == "ready":
            self._ready.set()
        elif word == "lacking":
            self.ports = dict.fromkeys(self.ports, _("the node has neither python, perl nor socat"))
            self._ready.set()
        elif word == "proxied" and port.isdigit() and int(port) in self.ports:
            self.proxied.add(int(port))
        elif port.isdigit() and int(port) in self.ports:
            self.ports[int(port)] = {"listening": "", "busy": _("the port is in use")}.get(word, self.ports[int(port)])


def listening_program(token: str, ports: Iterable[int], *, six: bool, life: int = _LIFE) -> str:
    """The program that listens on `ports` for `life` seconds at most, and tells `token` and port to anyone."""
    ports = tuple(ports)
    given = f"{token} {life} {'6' if six else '4'} {' '.join(map(str, ports))}"
    text = fill_template(
        _LISTEN,
        PYTHON=quote(_PYTHON),
        PERL=quote(_PERL),
        GIVEN=given,
        PORTS=" ".join(map(str, ports)),
        LIFE=str(life),
        FAMILY="6" if six else "4",
        TOKEN=token,
    )
    return f'main() {{\nexport LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"\n{text}\n}}\nmain </dev/null\n'


async def _dial(
    role: ListenerPlan, listening: Mapping[str, frozenset[int]], tokens: Mapping[str, str], deadlines: Deadlines
) -> Facts:
    """Dial until every listener that may answer has, or for some seconds."""
    snippet = _dialling(role, listening, tokens)
    if snippet is None:
        return Facts(role.target.address, backends={(host, port): frozenset() for host, port, _nodes in role.dials})
    facts = Facts(role.target.address, gaps={"backends": _("not asked")})
    async with aclosing(collect_facts(role.target, role.pinned, deadlines=deadlines, snippets=(snippet,))) as events:
        async for event in events:
            if isinstance(event, NodeFinished):
                facts = event.facts
    return facts


def _dialling(
    role: ListenerPlan, listening: Mapping[str, frozenset[int]], tokens: Mapping[str, str]
) -> Collector | None:
    names = {token: address for address, token in tokens.items()}
    expected = {
        (host, port): sum(port in listening.get(node, frozenset()) for node in backends)
        for host, port, backends in role.dials
    }
    ways = [f"{host} {port} {count}" for (host, port), count in expected.items() if count]
    if not ways:
        return None

    def parse(reading: CollectorOutput) -> Mapping[str, object]:
        heard: dict[tuple[str, int], set[str]] = {way: set() for way in expected}
        strayed: dict[tuple[str, int], set[int]] = {}
        for words in (line.split() for line in lines(reading)):
            if len(words) != 4 or not words[1].isdigit() or not re.fullmatch(r"\d{1,5}", words[3]):
                continue
            way, node, port = (words[0], int(words[1])), names.get(words[2]), int(words[3])
            if node is not None and way in heard and port == way[1]:
                heard[way].add(node)
            elif node is not None and way in heard:
                strayed.setdefault(way, set()).add(port)
        return {
            "backends": {way: frozenset(nodes) for way, nodes in heard.items()},
            "strayed": {way: frozenset(ports) for way, ports in strayed.items()},
        }

    shell = fill_template(_DIAL, WAYS=" ".join(map(quote, ways)), ROUNDS=str(_ROUNDS))
    return Collector("dial", ("backends", "strayed"), shell, parse, timeout=_ROUNDS + 8)

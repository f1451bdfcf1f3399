"""The shell and Python programs of the listener test.

One program opens the listeners on a node. The other program connects to them from a different node.
"""

from collections.abc import Iterable
from shlex import quote

from acp_tui.core.text import fill_template

LISTENER_SECONDS = 60  # after which a listener ends in any case
CONNECT_SECONDS = 20  # a busy node needs seconds to start, a load balancer several health checks for a backend

# For Python 2.7 and 3. Writing a dot per second ends the program soon after the connection is closed.
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

_CONNECT = """
local fds=() i text got left end=$((SECONDS + @ROUNDS@ + 1))
connect_until_complete() {
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
for target in @TARGETS@; do
  exec {fd}< <(connect_until_complete $target)
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


def listening_program(token: str, ports: Iterable[int], *, six: bool, life: int = LISTENER_SECONDS) -> str:
    """Return a program that listens on `ports` for `life` seconds, and sends `token` and the port to every client.

    It prints `listening PORT` or `busy PORT` for each port, then `ready`, and then a dot every second. If a
    client sends a header of the PROXY protocol, it prints `proxied PORT`. If the node has no suitable interpreter, it
    prints only `lacking`."""
    ports = tuple(ports)
    text = fill_template(
        _LISTEN,
        PYTHON=quote(_PYTHON),
        PERL=quote(_PERL),
        GIVEN=f"{token} {life} {'6' if six else '4'} {' '.join(map(str, ports))}",
        PORTS=" ".join(map(str, ports)),
        LIFE=str(life),
        FAMILY="6" if six else "4",
        TOKEN=token,
    )
    return f'main() {{\nexport LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"\n{text}\n}}\nmain </dev/null\n'


def connecting_shell(targets: Iterable[tuple[str, int, int]]) -> str:
    """Return the body of a collector that connects to every target.

    The collector ends when all expected listeners have replied, or when about `CONNECT_SECONDS` have passed.
    `targets`: host, port, and the number of listeners that must reply at that port. The collector prints
    `HOST PORT TOKEN PORT` for each reply: the host and port of the target, and the token and port that the listener
    sent."""
    arguments = " ".join(quote(f"{host} {port} {count}") for host, port, count in targets)
    return fill_template(_CONNECT, TARGETS=arguments, ROUNDS=str(CONNECT_SECONDS))

"""The Python programs of the path test, for Python 2.7 and 3: the echo on each node, and the sender.

A request is `q RUN NUMBER` and padding. The echo replies `r RUN NUMBER NODE SEEN`: the number of its own node, and the
source address that it saw. A reply is never longer than its request, and only requests with the random `RUN` get one,
so nobody can misuse the echo. Over TCP, the echo sends such a reply with the number 0 when a client connects. In
IP-in-IP packets, request and reply follow an inner IP header with the experimental protocol 253.

The echo prints `open SPEC`, `busy SPEC` or `denied SPEC` for each port, then `ready`, then a dot every second. `t53`,
`u53` and `i4` are the specs of TCP port 53, UDP port 53 and IP protocol 4. `noping` means that the kernel ignores
pings. The sender prints `opened KIND COUNT`, `path RESULT HOST SPECS`, `seen ADDRESS COUNT HOSTS`, `lost HOST SENT
LOST` and `done`. The spec `l1500` stands for UDP packets of 1500 bytes that must not be fragmented.
"""

ECHO = """
import errno, os, select, socket, struct, sys, time
run, node, life, patience = sys.argv[1].encode(), sys.argv[2].encode(), float(sys.argv[3]), float(sys.argv[4])
addresses, wanted = sys.argv[5].split(','), sys.argv[6].split(',')
began, sockets, poll = time.time(), {}, select.poll()
def say(text):
    os.write(1, (text + '\\n').encode())
def bind(s, address, port):
    try:
        s.bind((address, port))
    except (OSError, socket.error) as e:
        if e.errno != errno.EADDRNOTAVAIL:
            raise
        s.bind(('', port))
def listen(spec, address):
    kind, port, six = spec[0], int(spec[1:]), ':' in address
    family = socket.AF_INET6 if six else socket.AF_INET
    if kind == 'i':
        s = socket.socket(family, socket.SOCK_RAW, port)
        port = 0
    else:
        s = socket.socket(family, socket.SOCK_STREAM if kind == 't' else socket.SOCK_DGRAM)
    try:
        if six:
            s.setsockopt(41, 26, 1)
        if kind == 't':
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bind(s, address, port)
        if kind == 't':
            s.listen(1024)
        s.setblocking(False)
    except (OSError, socket.error):
        s.close()
        raise
    sockets[s.fileno()] = s, kind
    poll.register(s.fileno(), select.POLLIN)
def inner(source, target, text):
    def pack(total):
        return struct.pack('!BBHHHBBH4s4s', 69, 0, 20 + len(text), 0, 0, 64, 253, total, socket.inet_aton(source),
            socket.inet_aton(target))
    total = sum(struct.unpack('!10H', pack(0)))
    while total >> 16: total = (total & 65535) + (total >> 16)
    return pack(total ^ 65535) + text
def reply(number, seen):
    return b' '.join((b'r', run, number, node, seen.split('%')[0].encode()))
def answer(s, kind):
    if kind == 't':
        c, peer = s.accept()[:2]
        c.settimeout(1)
        c.sendall(reply(b'0', peer[0]) + b'\\n')
        c.close()
        return
    data, peer = s.recvfrom(65535)
    head = (bytearray(data[:1])[0] & 15) * 4 + 20 if kind == 'i' else 0
    words = data[head:head + 80].split()
    if len(words) < 3 or words[:2] != [b'q', run] or not words[2].isdigit(): return
    text = reply(words[2], peer[0])
    s.sendto(inner(source4, peer[0], text) if kind == 'i' else text, peer)
source4 = ([a for a in addresses if ':' not in a] or ['0.0.0.0'])[0]
left = [(spec, a) for spec in wanted for a in addresses if spec[0] != 'i' or ':' not in a]
failed = {}
while left:
    again = []
    for spec, address in left:
        try:
            listen(spec, address)
        except (OSError, socket.error) as e:
            failed[spec] = 'busy' if e.errno == errno.EADDRINUSE else 'denied'
            again.append((spec, address))
    left = [one for one in again if failed[one[0]] == 'busy']
    if time.time() > began + patience: break
    for one in left: failed.pop(one[0], None)
    if left: time.sleep(.3)
for spec in wanted: say('%s %s' % (failed.get(spec, 'open'), spec))
try:
    if open('/proc/sys/net/ipv4/icmp_echo_ignore_all').read(1) == '1': say('noping')
except (OSError, IOError):
    pass
say('ready')
dot = 0
while time.time() < began + life:
    for fd, event in poll.poll(500):
        s, kind = sockets[fd]
        try:
            for _ in range(64): answer(s, kind)
        except (OSError, socket.error, ValueError):
            pass
    if time.time() - dot >= 1:
        dot = time.time()
        say('.')
"""

SENDER = """
import errno, os, select, socket, struct, sys, time
run, most, seconds = sys.argv[1].encode(), int(sys.argv[2]) - 32, float(sys.argv[3])
began, poll, sockets, hosts, paths = time.time(), select.poll(), {}, {}, []
NAMES = {errno.ECONNREFUSED: 'refused', errno.EPERM: 'forbidden', errno.EACCES: 'forbidden', errno.EMSGSIZE: 'silent',
    errno.EHOSTUNREACH: 'unreachable', errno.ENETUNREACH: 'unreachable', errno.EADDRNOTAVAIL: 'unreachable'}
class Path:
    def __init__(self, spec, host, node):
        self.kind, self.port, self.host, self.node = spec[0], int(spec[1:] or 0), host, node
        self.result, self.tries, self.answers, self.refused, self.due, self.open = 'untested', 0, 0, 0, 0, []
        self.family = socket.AF_INET6 if ':' in host else socket.AF_INET
for argument in sys.argv[4:]:
    host, node, specs = argument.split('=')
    hosts[host] = None
    paths += [Path(spec, host, node.encode()) for spec in specs.split(',')]
seen, numbers = {}, dict((id(p), n) for n, p in enumerate(paths))
def keep(s, path):
    s.setblocking(False)
    sockets[s.fileno()] = s, path
    poll.register(s.fileno(), select.POLLIN)
    return s
def drop(s):
    poll.unregister(s.fileno())
    del sockets[s.fileno()]
    s.close()
common = {}
def datagram_socket(kind, family):
    if (kind, family) not in common:
        s = socket.socket(family, socket.SOCK_RAW if kind == 'i' else socket.SOCK_DGRAM, 4 if kind == 'i' else 0)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        common[kind, family] = keep(s, None)
    return common[kind, family]
def inner(target, text):
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.connect((target, 9))
    source = u.getsockname()[0]
    u.close()
    def pack(total):
        return struct.pack('!BBHHHBBH4s4s', 69, 0, 20 + len(text), 0, 0, 64, 253, total, socket.inet_aton(source),
            socket.inet_aton(target))
    total = sum(struct.unpack('!10H', pack(0)))
    while total >> 16: total = (total & 65535) + (total >> 16)
    return pack(total ^ 65535) + text
def attempt(path, now):
    if path.kind == 't':
        if len(sockets) >= most:
            return
        path.due = now + 1.5
        s = socket.socket(path.family, socket.SOCK_STREAM)
        path.open.append(keep(s, path))
        if path.result == 'untested': path.result = 'silent'
        path.tries += 1
        code = s.connect_ex((path.host, path.port))
        if code not in (0, errno.EINPROGRESS): failed(path, code, s)
        return
    if path.tries > 23: return
    path.due = now + .3
    if path.kind == 'l':
        if not hosts[path.host]: return
        if not path.open:
            if len(sockets) >= most: return
            s = keep(socket.socket(path.family, socket.SOCK_DGRAM), None)
            path.open.append(s)
            six = path.family == socket.AF_INET6
            s.setsockopt(41 if six else 0, 23 if six else 10, 2)
            s.connect((path.host, hosts[path.host]))
            path.port = min(s.getsockopt(41 if six else 0, 24 if six else 14), 9000)
        size, s, target = path.port - (48 if path.family == socket.AF_INET6 else 28), path.open[0], None
    else:
        size, s, target = 120, datagram_socket(path.kind, path.family), (path.host, path.port * (path.kind == 'u'))
    number = ('%d ' % (numbers[id(path)] * 64 + path.tries)).encode()
    text = (b'q ' + run + b' ' + number).ljust(size, b'.')
    if path.kind == 'i': text = inner(path.host, text)
    if path.result == 'untested': path.result = 'silent'
    path.tries += 1
    if target: s.sendto(text, target)
    else: s.send(text)
def failed(path, code, s=None):
    if code in (errno.EAGAIN, errno.ENOBUFS): return
    if path.result != 'open':
        path.result = NAMES.get(code, 'silent')
    path.refused += code == errno.ECONNREFUSED
    if s is not None:
        path.open.remove(s)
        drop(s)
        path.due = time.time() + .7
def reached(path, node, address):
    if path.node != node:
        path.result = 'other'
        return
    path.result = 'open'
    path.answers += 1
    entry = seen.setdefault(address, [0, {}])
    entry[0] += 1
    if len(entry[1]) < 5: entry[1][path.host] = 1
    if path.kind == 'u' and not hosts[path.host]: hosts[path.host] = path.port
    if path.kind == 't': close(path)
def close(path):
    for s in path.open: drop(s)
    path.open = []
def receive(s, path):
    try:
        data = s.recv(65535)
    except (OSError, socket.error) as e:
        if path is not None: failed(path, e.errno, s)
        return False
    if path is None and s.type & 15 == socket.SOCK_RAW:
        data = data[(bytearray(data[:1])[0] & 15) * 4 + 20:]
    words = data[:160].split()
    if len(words) == 5 and words[:2] == [b'r', run] and words[2].isdigit():
        number = int(words[2]) // 64
        target = path or (paths[number] if number < len(paths) else None)
        if target is not None: reached(target, words[3], words[4].decode())
        return path is None
    if path is not None and s in path.open:
        path.open.remove(s)
        drop(s)
    return path is None
def waiting(path):
    if path.result in ('open', 'other') or path.refused > 2: return False
    return path.kind == 't' or path.tries < 24 or time.time() < path.due
def drain(fd):
    for _ in range(64):
        if fd not in sockets or not receive(*sockets[fd]): break
def receive_all():
    for fd, event in poll.poll(50): drain(fd)
pending, count = paths, 0
while pending and time.time() < began + seconds:
    now = time.time()
    for path in pending:
        if path.due <= now:
            try:
                attempt(path, now)
            except (OSError, socket.error) as e:
                failed(path, e.errno)
                if path.kind == 'i' and path.tries == 0: path.result, path.refused = 'untested', 9
            count += 1
            if count % 16 == 0:
                for s in common.values(): drain(s.fileno())
    receive_all()
    pending = [path for path in pending if waiting(path)]
end = time.time() + .5
while any(p.tries > p.answers for p in paths if p.kind != 't' and p.result == 'open') and time.time() < end:
    receive_all()
lines, opened, closed, lost = [], {}, {}, {}
for path in paths:
    if path.result == 'open':
        opened[path.kind] = opened.get(path.kind, 0) + 1
        if path.kind in 'ui':
            one = lost.setdefault(path.host, [0, 0])
            one[0] += path.tries
            one[1] += path.tries - path.answers
    elif path.kind != 'l' or path.result != 'untested':
        closed.setdefault((path.result, path.host), []).append('%s%d' % (path.kind, path.port))
lines += ['opened %s %d' % one for one in sorted(opened.items())]
lines += ['path %s %s %s' % (r, h, ','.join(specs)) for (r, h), specs in closed.items()]
lines += ['seen %s %d %s' % (a, count, ','.join(some)) for a, (count, some) in list(seen.items())[:200]]
lines += ['lost %s %d %d' % (h, sent, missing) for h, (sent, missing) in lost.items() if missing > 0]
sys.stdout.write('\\n'.join(lines + ['done', '']))
"""

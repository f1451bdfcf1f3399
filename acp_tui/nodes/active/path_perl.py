"""The Perl programs of the path test, for nodes without Python: the echo on each node, and the sender.

They read and print the same as the programs in `path_python`. They use only the modules Socket and Fcntl, because a
minimal installation has no others. The numbers are socket options and error numbers of Linux.
"""

_COMMON = r"""
use Socket qw(:DEFAULT inet_pton inet_ntop pack_sockaddr_in6 unpack_sockaddr_in6); use Fcntl; $| = 1;
$SIG{PIPE} = sub { };
sub now { open my $f, '<', '/proc/uptime' or return time; (split ' ', <$f>)[0] }
sub family { $_[0] =~ /:/ ? AF_INET6 : AF_INET }
sub name { my ($host, $port) = @_;
  $host =~ /:/ ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $host)) : pack_sockaddr_in($port, inet_aton($host)) }
sub text { my ($name) = @_;
  sockaddr_family($name) == AF_INET6 ? inet_ntop(AF_INET6, (unpack_sockaddr_in6($name))[1])
    : inet_ntoa((unpack_sockaddr_in($name))[1]) }
sub wait_free { fcntl $_[0], F_SETFL, O_NONBLOCK }
sub inner { my ($source, $target, $text) = @_;
  my $pack = sub { pack 'CCnnnCCna4a4', 69, 0, 20 + length $text, 0, 0, 64, 253, $_[0], inet_aton($source),
    inet_aton($target) };
  my $total = unpack '%32n*', $pack->(0);
  $total = ($total & 65535) + ($total >> 16) while $total >> 16;
  $pack->($total ^ 65535) . $text }
"""

ECHO = (
    _COMMON
    + r"""
my ($run, $node, $life, $patience, $addresses, $wanted) = @ARGV;
my @addresses = split /,/, $addresses; my @wanted = split /,/, $wanted;
my ($began, %sockets, $bits) = (now());
sub listen_on { my ($spec, $address) = @_;
  my ($kind, $port, $six) = (substr($spec, 0, 1), substr($spec, 1), $address =~ /:/);
  my $type = $kind eq 'i' ? SOCK_RAW : $kind eq 't' ? SOCK_STREAM : SOCK_DGRAM;
  socket my $s, family($address), $type, $kind eq 'i' ? $port : 0 or return 0;
  setsockopt $s, 41, 26, pack 'i', 1 if $six;
  setsockopt $s, SOL_SOCKET, SO_REUSEADDR, pack 'i', 1 if $kind eq 't';
  $port = 0 if $kind eq 'i';
  unless (bind $s, name($address, $port)) {
    return 0 if $! + 0 != 99;
    bind $s, name($six ? '::' : '0.0.0.0', $port) or return 0;
  }
  if ($kind eq 't') { listen $s, 1024 or return 0 }
  wait_free($s);
  $sockets{fileno $s} = [$s, $kind]; vec($bits, fileno $s, 1) = 1;
  1 }
sub reply { my ($number, $name) = @_; "r $run $number $node " . text($name) }
my ($source4) = grep { !/:/ } @addresses;
sub answer { my ($s, $kind) = @_;
  if ($kind eq 't') {
    my $peer = accept my $c, $s or return 0;
    syswrite $c, reply(0, $peer) . "\n";
    close $c;
    return 1;
  }
  my $peer = recv $s, my $data, 65535, 0;
  return 0 unless defined $peer;
  my $head = $kind eq 'i' ? (ord($data) & 15) * 4 + 20 : 0;
  return 1 if length $data < $head;
  my @words = split ' ', substr $data, $head, 80;
  return 1 unless @words > 2 && $words[0] eq 'q' && $words[1] eq $run && $words[2] =~ /^\d+$/;
  my $text = reply($words[2], $peer);
  send $s, $kind eq 'i' ? inner($source4, text($peer), $text) : $text, 0, $peer;
  1 }
my (@left, %failed);
for my $spec (@wanted) { push @left, map { [$spec, $_] } grep { $spec !~ /^i/ || !/:/ } @addresses }
while (@left) {
  my @again;
  for my $one (@left) {
    next if listen_on(@$one);
    $failed{$one->[0]} = $! + 0 == 98 ? 'busy' : 'denied';
    push @again, $one;
  }
  @left = grep { $failed{$_->[0]} eq 'busy' } @again;
  last if now() > $began + $patience;
  delete $failed{$_->[0]} for @left;
  select undef, undef, undef, .3 if @left;
}
print +($failed{$_} || 'open'), " $_\n" for @wanted;
if (open my $f, '<', '/proc/sys/net/ipv4/icmp_echo_ignore_all') { print "noping\n" if <$f> =~ /^1/ }
print "ready\n";
my $dot = 0;
while (now() < $began + $life) {
  if (select(my $ready = $bits, undef, undef, .5) > 0) {
    for my $fd (grep { vec $ready, $_, 1 } keys %sockets) { for (1 .. 64) { last unless answer(@{$sockets{$fd}}) } }
  }
  if (now() - $dot >= 1) { $dot = now(); print ".\n" or last }
}
"""
)

SENDER = (
    _COMMON
    + r"""
my ($run, $most, $seconds, @arguments) = @ARGV;
my ($began, $bits, %sockets, %hosts, @paths, %seen, %common) = (now(), '');
$most -= 32;
my %names = (111 => 'refused', 1 => 'forbidden', 13 => 'forbidden', 113 => 'unreachable', 101 => 'unreachable',
  99 => 'unreachable');
for (@arguments) {
  my ($host, $node, $specs) = split /=/;
  for (split /,/, $specs) {
    /^(.)(.*)/;
    push @paths, {kind => $1, port => $2 || 0, host => $host, node => $node, result => 'untested', tries => 0,
      answers => 0, refused => 0, due => 0, open => [], number => scalar @paths, family => family($host)};
  }
}
sub keep { my ($s, $path) = @_; wait_free($s); $sockets{fileno $s} = [$s, $path]; vec($bits, fileno $s, 1) = 1; $s }
sub drop { my ($s) = @_; vec($bits, fileno $s, 1) = 0; delete $sockets{fileno $s}; close $s }
sub forget { my ($path, $s) = @_; $path->{open} = [grep { $_ != $s } @{$path->{open}}]; drop($s) }
sub datagram_socket { my ($kind, $family) = @_;
  $common{"$kind$family"} ||= do {
    socket my $s, $family, $kind eq 'i' ? SOCK_RAW : SOCK_DGRAM, $kind eq 'i' ? 4 : 0 or return;
    setsockopt $s, SOL_SOCKET, SO_RCVBUF, pack 'i', 1 << 22;
    keep($s, undef);
  } }
sub source { my ($host) = @_; socket my $u, AF_INET, SOCK_DGRAM, 0; connect $u, name($host, 9) or return '0.0.0.0';
  text(getsockname $u) }
sub failed { my ($path, $code, $s) = @_;
  return if $code == 11 || $code == 105;
  $path->{result} = $names{$code} || 'silent' if $path->{result} ne 'open';
  $path->{refused}++ if $code == 111;
  if ($s) { forget($path, $s); $path->{due} = now() + .7 } }
sub attempt { my ($path, $now) = @_;
  my ($kind, $family, $host) = @$path{qw(kind family host)};
  if ($kind eq 't') {
    return if keys %sockets >= $most;
    $path->{due} = $now + 1.5;
    socket my $s, $family, SOCK_STREAM, 0 or return;
    push @{$path->{open}}, keep($s, $path);
    $path->{result} = 'silent' if $path->{result} eq 'untested';
    $path->{tries}++;
    if (!connect $s, name($host, $path->{port}) and $! + 0 != 115) { failed($path, $! + 0, $s) }
    return;
  }
  return if $path->{tries} > 23;
  $path->{due} = $now + .3;
  my ($size, $s, $target) = (120);
  if ($kind eq 'l') {
    return unless $hosts{$host};
    my $six = $family == AF_INET6;
    unless (@{$path->{open}}) {
      return if keys %sockets >= $most;
      socket $s, $family, SOCK_DGRAM, 0 or return;
      push @{$path->{open}}, keep($s, undef);
      setsockopt $s, $six ? 41 : 0, $six ? 23 : 10, pack 'i', 2;
      connect $s, name($host, $hosts{$host});
      my $mtu = unpack 'i', getsockopt $s, $six ? 41 : 0, $six ? 24 : 14;
      $path->{port} = $mtu > 9000 ? 9000 : $mtu;
    }
    ($size, $s) = ($path->{port} - ($six ? 48 : 28), $path->{open}[0]);
  } else {
    $s = datagram_socket($kind, $family);
    if (!$s) { @$path{qw(result refused)} = ('untested', 9); return }
    $target = name($host, $kind eq 'u' ? $path->{port} : 0);
  }
  my $text = "q $run " . ($path->{number} * 64 + $path->{tries}) . ' ';
  $text .= '.' x ($size - length $text);
  $text = inner(source($host), $host, $text) if $kind eq 'i';
  $path->{result} = 'silent' if $path->{result} eq 'untested';
  $path->{tries}++;
  my $sent = $target ? send $s, $text, 0, $target : send $s, $text, 0;
  failed($path, $! + 0) unless defined $sent; }
sub reached { my ($path, $node, $address) = @_;
  if ($path->{node} ne $node) { $path->{result} = 'other'; return }
  $path->{result} = 'open'; $path->{answers}++;
  my $entry = $seen{$address} ||= [0, {}];
  $entry->[0]++;
  $entry->[1]{$path->{host}} = 1 if keys %{$entry->[1]} < 5;
  $hosts{$path->{host}} ||= $path->{port} if $path->{kind} eq 'u';
  if ($path->{kind} eq 't') { drop($_) for @{$path->{open}}; $path->{open} = [] } }
sub receive { my ($s, $path) = @_;
  my $from = recv $s, my $data, 65535, 0;
  unless (defined $from) { failed($path, $! + 0, $s) if $path; return 0 }
  my $raw = $common{'i' . AF_INET};
  if ($raw && $raw == $s) {
    my $head = (ord($data) & 15) * 4 + 20;
    $data = length $data < $head ? '' : substr $data, $head;
  }
  my @words = split ' ', substr $data, 0, 160;
  if (@words == 5 && $words[0] eq 'r' && $words[1] eq $run && $words[2] =~ /^\d{1,12}$/) {
    my $number = int($words[2] / 64);
    my $target = $path || $paths[$number];
    reached($target, $words[3], $words[4]) if $target;
    return !$path;
  }
  if ($path && grep { $_ == $s } @{$path->{open}}) { forget($path, $s) }
  !$path }
sub drain { my ($fd) = @_; for (1 .. 64) { last unless $sockets{$fd} && receive(@{$sockets{$fd}}) } }
sub receive_all {
  select(my $ready = $bits, undef, undef, .05) > 0 or return;
  drain($_) for grep { vec $ready, $_, 1 } keys %sockets }
sub waiting { my ($path) = @_;
  return 0 if $path->{result} =~ /^o/ || $path->{refused} > 2;
  $path->{kind} eq 't' || $path->{tries} < 24 || now() < $path->{due} }
my ($count, @pending) = (0, @paths);
while (@pending && now() < $began + $seconds) {
  my $now = now();
  for my $path (@pending) {
    next if $path->{due} > $now;
    attempt($path, $now);
    if (++$count % 16 == 0) { drain(fileno $_) for values %common }
  }
  receive_all();
  @pending = grep { waiting($_) } @pending;
}
my $end = now() + .5;
receive_all() while now() < $end
  and grep { $_->{kind} ne 't' && $_->{result} eq 'open' && $_->{tries} > $_->{answers} } @paths;
my (%opened, %closed, %lost);
for my $path (@paths) {
  if ($path->{result} eq 'open') {
    $opened{$path->{kind}}++;
    next unless $path->{kind} =~ /[ui]/;
    $lost{$path->{host}}[0] += $path->{tries};
    $lost{$path->{host}}[1] += $path->{tries} - $path->{answers};
  } elsif ($path->{kind} ne 'l' || $path->{result} ne 'untested') {
    push @{$closed{"$path->{result} $path->{host}"}}, "$path->{kind}$path->{port}";
  }
}
print "opened $_ $opened{$_}\n" for sort keys %opened;
print "path $_ ", join(',', @{$closed{$_}}), "\n" for keys %closed;
my @seen = keys %seen; splice @seen, 200 if @seen > 200;
print "seen $_ $seen{$_}[0] ", join(',', keys %{$seen{$_}[1]}), "\n" for @seen;
$lost{$_}[1] > 0 and print "lost $_ @{$lost{$_}}\n" for keys %lost;
print "done\n";
"""
)

"""Input rules that look at one value: address, domain, CIDR, port, version ... each with the message a person reads.

They are types: a plan field names one, and file, form and schema all obey it.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from acp_tui.core.i18n import _

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_HALF = re.compile(r"[\ud800-\udfff]")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NEVER_PODS = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/8", "fe80::/10", "ff00::/8")
"""This host, loopback, link-local, multicast and reserved: nothing else is ever routed there."""


def is_domain(text: str) -> bool:
    """A DNS name (RFC 1123). One that ends in a number is a mistyped address: programs read `1.2.3` and `0x7f.1` so."""
    name = text.removesuffix(".")
    return len(name) <= 253 and _DOMAIN.fullmatch(text) is not None and not _NUMBER.fullmatch(name.rpartition(".")[2])


def is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def shown(text: str, most: int = 60) -> str:
    """What somebody typed, as a message may quote it: of bearable length, and nothing in it that moves other text."""
    cut = text if len(text) <= most else text[: most - 3] + "..."
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)


def _ip(text: str) -> str:
    text = text.strip()
    if not is_ip(text):
        why = next(_slips(text), _("'{value}' is not an IPv4 or IPv6 address"))
        raise ValueError(why.format(value=shown(text)))
    return _plain_ip(text)


def _ipv6(text: str) -> str:
    text = text.strip()
    if not is_ip(text) or not isinstance(ip_address(text), IPv6Address):
        raise ValueError(_("'{value}' is not an IPv6 address").format(value=shown(text)))
    return _plain_ip(text)


def _plain_ip(text: str) -> str:
    """The one way in which an address is written."""
    address = ip_address(text)
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if inner is not None:
        raise ValueError(
            _("'{value}' is an IPv4 address written as IPv6; write {inner}").format(value=text, inner=inner)
        )
    return str(address)


def _host(text: str) -> str:
    """An address in its usual form, a name in lower case and without the dot at its end: compared, it is one name."""
    text = text.strip()
    if is_ip(text):
        return _plain_ip(text)
    if not is_domain(text):
        why = next(_slips(text), _("'{value}' is neither an IP address nor a domain name"))
        raise ValueError(why.format(value=shown(text)))
    return text.removesuffix(".").lower()


def _slips(text: str) -> Iterator[str]:
    """What people do to addresses and names, each with the way out; `{value}` is left for what they typed."""
    if "://" in text:
        yield _("'{value}': give the address or name alone, without a scheme")
    if "/" in text:
        yield _("'{value}': give the address or name alone, without a path or prefix")
    if "%" in text and is_ip(text.partition("%")[0]):
        yield _("'{value}': give the address without the zone behind %")
    if re.fullmatch(r"(\[[^]]*\]|[^:]*):[0-9]*|\[.*\]", text):
        yield _("'{value}': no port and no brackets here")
    if re.fullmatch(r"[0-9]+(\.[0-9]+){3}", text) and re.search(r"(^|\.)0[0-9]", text):
        yield _("'{value}': the numbers of an IPv4 address have no leading zeros")
    if "_" in text:
        yield _("'{value}': a domain name has letters, digits, hyphens and dots, and no underscore")
    if not text.isascii():
        with suppress(UnicodeError):
            name = text.encode("idna").decode("ascii")
            if is_domain(name) and name == shown(name):  # of a longer one the message would be no help
                yield _("'{{value}}': write it as {name}").format(name=name)


def _endpoint(text: str) -> str:
    text = text.strip()
    if ":" in text and "://" not in text:
        raise ValueError(
            _("'{value}': no port and no IPv6 literal here; give an IPv4 address or a domain name").format(
                value=shown(text)
            )
        )
    return _host(text) if text else ""


def _cidr(text: str, family: type[IPv4Address] | type[IPv6Address]) -> str:
    text = text.strip()
    address, _slash, prefix = text.partition("/")
    network = None
    if is_ip(address) and _PREFIX.fullmatch(prefix):
        with suppress(ValueError):
            network = ip_network(text, strict=False)
    if network is None or not isinstance(network.network_address, family):
        name = "IPv4" if family is IPv4Address else "IPv6"
        raise ValueError(_("'{value}' is not an {family} CIDR").format(value=shown(text), family=name))
    if network.network_address != ip_address(address):
        raise ValueError(
            _("'{value}' has bits set behind the prefix; did you mean {network}?").format(value=text, network=network)
        )
    for never in map(ip_network, _NEVER_PODS):
        if never.version == network.version and network.overlaps(never):
            raise ValueError(
                _("'{value}' meets {never}, which cannot be given to Pods or Services").format(value=text, never=never)
            )
    return str(network)


def _fingerprint(text: str) -> str:
    cleaned = text.replace(" ", "").upper()
    if re.fullmatch(r"[0-9A-F]{40}", cleaned) is None:
        raise ValueError(_("'{value}' is not a full fingerprint of 40 hexadecimal digits").format(value=shown(text)))
    return cleaned


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError(_("must not be empty"))
    return text


def _kubernetes_version(text: str) -> str:
    if re.fullmatch(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}", text) is None:
        raise ValueError(_("'{value}' is not a version like 1.31.6, without a leading v").format(value=shown(text)))
    return text


def _container_runtime(text: str) -> str:
    if re.fullmatch(r"containerd://[!-~]+", text) is None:
        raise ValueError(_("'{value}' is not of the form containerd://<version>").format(value=shown(text)))
    return text


def _registry_address(text: str) -> str:
    """host[:port], or that behind a scheme, of which XR-REG-EXT warns (OQ-REG-SCHEME)."""
    text = text.strip()
    behind = re.fullmatch(r"(https?://)(.+?)/?", text, re.IGNORECASE)
    return behind[1].lower() + _host_and_port(behind[2]) if behind else _host_and_port(text)


def _host_and_port(text: str) -> str:
    if is_ip(text):
        return _plain_ip(text)
    found = re.fullmatch(r"(?P<host>\[[^]]*\]|[^:]*)(?P<port>:[1-9][0-9]{0,4})?", text)
    host, port = (found["host"], found["port"] or "") if found else ("", "")
    bare = host.strip("[]")
    # Brackets are for an IPv6 address with a port, and for nothing else.
    known = is_domain(host) or (is_ip(bare) and (":" in bare) == (host != bare) and bool(port))
    if not known or int(port[1:] or 1) > 65535:
        raise ValueError(_("'{value}' is not host or host:port").format(value=shown(text)))
    return _host(host) + port if host == bare else f"[{_plain_ip(bare)}]{port}"


def printable(value: object) -> object:
    """No control character in any answer: it would end a path, reach a terminal, or show a text in another order than
    it has. Tabs and new lines may be."""
    for part in value if isinstance(value, list | tuple) else (value,):
        if isinstance(part, str) and _CONTROL.search(part):
            raise ValueError(_("has control characters in it"))
        writable(part)
    return value


def writable(value: object) -> object:
    """A secret may be any text, but half a character is none: it could be written to no file and sent nowhere."""
    if isinstance(value, str) and _HALF.search(value):
        raise ValueError(_("has halves of characters in it, which no text can have"))
    return value


def format_version(value: object) -> object:
    if str(value) != "1":
        raise ValueError(_("this is format {value}; this program reads format 1").format(value=shown(str(value))))
    return 1


def _strict_bool(value: object) -> object:
    # QUIRK-BOOL: any other word is an error, never "true".
    if isinstance(value, bool) or value in ("true", "false", "True", "False", "TRUE", "FALSE"):
        return value
    raise ValueError(_("'{value}' is neither true nor false").format(value=shown(str(value))))


def _whole(value: object) -> object:
    # QUIRK-NUMBERS: 1e3, 0o17, 1_000, 443.0 and 022 are read in several ways; none of them is taken.
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(_("not an integer"))


IpText = Annotated[str, AfterValidator(_ip)]
Ipv6Text = Annotated[str, AfterValidator(_ipv6)]
HostText = Annotated[str, AfterValidator(_host)]
EndpointText = Annotated[str, AfterValidator(_endpoint)]
Cidr4 = Annotated[str, AfterValidator(lambda text: _cidr(text, IPv4Address))]
Cidr6 = Annotated[str, AfterValidator(lambda text: _cidr(text, IPv6Address))]
FilledText = Annotated[str, AfterValidator(_not_empty)]
Bool = Annotated[bool, BeforeValidator(_strict_bool)]
Whole = Annotated[int, BeforeValidator(_whole)]
Port = Annotated[Whole, Field(ge=1, le=65535)]

Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
KubernetesVersion = Annotated[str, AfterValidator(_kubernetes_version)]
ContainerRuntime = Annotated[str, AfterValidator(_container_runtime)]
RegistryAddress = Annotated[str, AfterValidator(_registry_address)]

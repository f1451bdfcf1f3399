"""Input rules that look at one value: address, domain, CIDR, port, version ... each with the message a person reads.

They are types: a plan field names one, and file, form and schema all obey it.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from acp_tui.texts import _

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DOTTED_NUMBERS = re.compile(r"[0-9.]+")


def is_domain(text: str) -> bool:
    """A DNS name (RFC 1123). Numbers and dots alone are a mistyped address, never a name."""
    return len(text) <= 253 and _DOMAIN.fullmatch(text) is not None and _DOTTED_NUMBERS.fullmatch(text) is None


def is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _ip(text: str) -> str:
    if not is_ip(text):
        raise ValueError(_("'{value}' is not an IPv4 or IPv6 address").format(value=text))
    return str(ip_address(text))


def _ipv6(text: str) -> str:
    if not is_ip(text) or not isinstance(ip_address(text), IPv6Address):
        raise ValueError(_("'{value}' is not an IPv6 address").format(value=text))
    return str(ip_address(text))


def _host(text: str) -> str:
    if text and not is_ip(text) and not is_domain(text):
        raise ValueError(_("'{value}' is neither an IP address nor a domain name").format(value=text))
    return text


def _endpoint(text: str) -> str:
    if ":" in text:
        raise ValueError(
            _("'{value}': no port and no IPv6 literal here; give an IPv4 address or a domain name").format(value=text)
        )
    return _host(text)


def _cidr(text: str, family: type[IPv4Address] | type[IPv6Address]) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        network = None
    if network is None or "/" not in text or not isinstance(network.network_address, family):
        name = "IPv4" if family is IPv4Address else "IPv6"
        raise ValueError(_("'{value}' is not an {family} CIDR").format(value=text, family=name))
    if str(network.network_address) != str(ip_address(text.split("/")[0])):
        raise ValueError(
            _("'{value}' has bits set behind the prefix; did you mean {network}?").format(value=text, network=network)
        )
    return str(network)


def _fingerprint(text: str) -> str:
    cleaned = text.replace(" ", "").upper()
    if re.fullmatch(r"[0-9A-F]{40}", cleaned) is None:
        raise ValueError(_("'{value}' is not a full fingerprint of 40 hexadecimal digits").format(value=text))
    return cleaned


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError(_("must not be empty"))
    return text


def _kubernetes_version(text: str) -> str:
    if re.fullmatch(r"\d+\.\d+\.\d+", text) is None:
        raise ValueError(_("'{value}' is not a version like 1.31.6, without a leading v").format(value=text))
    return text


def _container_runtime(text: str) -> str:
    if re.fullmatch(r"containerd://\S+", text) is None:
        raise ValueError(_("'{value}' is not of the form containerd://<version>").format(value=text))
    return text


def _registry_address(text: str) -> str:
    if "://" in text:
        raise ValueError(_("'{value}': give host[:port] without a scheme").format(value=text))
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, "1"
    if not port.isdecimal() or not 1 <= int(port) <= 65535 or not (is_ip(host) or is_domain(host)):
        raise ValueError(_("'{value}' is not host or host:port").format(value=text))
    return text


def printable(value: object) -> object:
    """No control character in any answer: it would end a path, or reach a terminal. Tabs and new lines may be."""
    for part in value if isinstance(value, list | tuple) else (value,):
        if isinstance(part, str) and _CONTROL.search(part):
            raise ValueError(_("has control characters in it"))
    return value


def format_version(value: object) -> object:
    if str(value) != "1":
        raise ValueError(_("this is format {value}; this program reads format 1").format(value=value))
    return 1


def _strict_bool(value: object) -> object:
    # QUIRK-BOOL: any other word is an error, never "true".
    if isinstance(value, bool) or value in ("true", "false", "True", "False", "TRUE", "FALSE"):
        return value
    raise ValueError(_("'{value}' is neither true nor false").format(value=value))


IpText = Annotated[str, AfterValidator(_ip)]
Ipv6Text = Annotated[str, AfterValidator(_ipv6)]
HostText = Annotated[str, AfterValidator(_host)]
EndpointText = Annotated[str, AfterValidator(_endpoint)]
Cidr4 = Annotated[str, AfterValidator(lambda text: _cidr(text, IPv4Address))]
Cidr6 = Annotated[str, AfterValidator(lambda text: _cidr(text, IPv6Address))]
FilledText = Annotated[str, AfterValidator(_not_empty)]
Bool = Annotated[bool, BeforeValidator(_strict_bool)]
Port = Annotated[int, Field(ge=1, le=65535)]

Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
KubernetesVersion = Annotated[str, AfterValidator(_kubernetes_version)]
ContainerRuntime = Annotated[str, AfterValidator(_container_runtime)]
RegistryAddress = Annotated[str, AfterValidator(_registry_address)]

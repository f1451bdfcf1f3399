"""The types of plan fields, such as address, domain, CIDR range, port and version.

Each type validates one value. If the value is invalid, the type raises ValueError with a message for the operator. The
plan file and the wizard use the same types, so both accept the same values.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from acp_tui.core.i18n import _
from acp_tui.core.redaction import mask_user_info

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")
_AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NEVER_PODS = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/8", "fe80::/10", "ff00::/8")
"""Special-purpose ranges (this host, loopback, link-local, multicast, reserved). Pods and Services cannot use them."""


def is_domain(text: str) -> bool:
    """Return True if the text is a DNS name (RFC 1123).

    Text such as `1.2.3` or `0x7f.1` is not a name, because many programs parse it as an IPv4 address."""
    name = text.removesuffix(".")
    return len(name) <= 253 and _DOMAIN.fullmatch(text) is not None and not _NUMBER.fullmatch(name.rpartition(".")[2])


def is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def shown(text: str, most: int = 60) -> str:
    """Return text from the operator for use in a message.

    A password before an @ sign is masked. Text with more than `most` characters is shortened, and unprintable
    characters are replaced."""
    text = mask_user_info(text)
    return visible(text if len(text) <= most else text[: most - 3] + "...")


def visible(text: str) -> str:
    """Return `text` with its unprintable characters replaced."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _ip(text: str) -> str:
    text = text.strip()
    if not is_ip(text):
        message = next(_mistakes(text), _("'{value}' is not an IPv4 or IPv6 address"))
        raise ValueError(message.format(value=shown(text)))
    return _plain_ip(text)


def _ipv6(text: str) -> str:
    text = text.strip()
    if not is_ip(text) or not isinstance(ip_address(text), IPv6Address):
        raise ValueError(_("'{value}' is not an IPv6 address").format(value=shown(text)))
    return _plain_ip(text)


def _plain_ip(text: str) -> str:
    """Return the canonical form of an IP address. Raises ValueError for an IPv4 address in IPv6 form."""
    address = ip_address(text)
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    if inner is not None:
        raise ValueError(_("'{value}' is an IPv4 address in IPv6 form. Enter {inner}.").format(value=text, inner=inner))
    return str(address)


def _host(text: str) -> str:
    """Return an IP address in canonical form, or a domain name in lower case without a final dot.

    If two values mean the same host, their results are equal. Raises ValueError if the text is invalid."""
    text = text.strip()
    if is_ip(text):
        return _plain_ip(text)
    if not is_domain(text):
        message = next(_mistakes(text), _("'{value}' is neither an IP address nor a domain name"))
        raise ValueError(message.format(value=shown(text)))
    return text.removesuffix(".").lower()


def _mistakes(text: str) -> Iterator[str]:
    """Yield a message for each common mistake in an address or a name.

    Each message contains the placeholder `{value}`, which the caller replaces with the invalid text."""
    if "@" in text:
        yield _("'{value}' has a user name or a password. Enter only the address or the name.")
    if "://" in text:
        yield _("'{value}' has a scheme such as https://. Enter only the address or the name.")
    if "/" in text:
        yield _("'{value}' has a path or a prefix length. Enter only the address or the name.")
    if "%" in text and is_ip(text.partition("%")[0]):
        yield _("'{value}' has an IPv6 zone. Remove the % sign and the text after it.")
    if re.fullmatch(r"(\[[^]]*\]|[^:]*):[0-9]*|\[.*\]", text):
        yield _("'{value}' has a port or brackets. Enter only the address.")
    if re.fullmatch(r"[0-9]+(\.[0-9]+){3}", text) and re.search(r"(^|\.)0[0-9]", text):
        yield _("'{value}' has leading zeros. Remove them from the IPv4 address.")
    if "_" in text:
        yield _("'{value}' has an underscore. A domain name can contain only letters, digits, hyphens and dots.")
    if not text.isascii():
        with suppress(UnicodeError):
            name = text.encode("idna").decode("ascii")
            if is_domain(name) and name == shown(name):  # a truncated name in the message would not help
                yield _("'{value}' has non-ASCII characters. Enter the ASCII form of the name: {name}").format(
                    value="{value}", name=name
                )


def _endpoint(text: str) -> str:
    text = text.strip()
    if ":" in text and "://" not in text:
        raise ValueError(
            _(
                "'{value}' has a port or is an IPv6 address. Enter an IPv4 address or a domain name without a port."
            ).format(value=shown(text))
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
        raise ValueError(_("'{value}' is not an {family} CIDR range").format(value=shown(text), family=name))
    if network.network_address != ip_address(address):
        raise ValueError(
            _("'{value}' is the address of a host, not of a network. Did you mean {network}?").format(
                value=text, network=network
            )
        )
    for never in map(ip_network, _NEVER_PODS):
        if never.version == network.version and network.overlaps(never):
            raise ValueError(
                _(
                    "'{value}' overlaps the special-purpose range {range}. Pods and Services cannot use that range."
                ).format(value=text, range=never)
            )
    return str(network)


def _fingerprint(text: str) -> str:
    cleaned = text.replace(" ", "").upper()
    if re.fullmatch(r"[0-9A-F]{40}", cleaned) is None:
        raise ValueError(_("'{value}' is not a full fingerprint of 40 hexadecimal digits").format(value=shown(text)))
    return cleaned


def _not_empty(text: str) -> str:
    if not text.strip():
        raise ValueError(_("the value must not be empty"))
    return text


def _kubernetes_version(text: str) -> str:
    if re.fullmatch(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}", text) is None:
        raise ValueError(
            _("'{value}' is not a Kubernetes version. Enter a version such as 1.31.6, without a leading v.").format(
                value=shown(text)
            )
        )
    return text


def _user_name(text: str) -> str:
    """Return the name of an SSH user. Messages do not quote the text, because it can contain a password."""
    if not text.strip():
        raise ValueError(_("the value must not be empty"))
    if ":" in text:
        raise ValueError(
            _(
                "the user name must not contain a colon. Enter only the user name here, and the password as the SSH "
                "password."
            )
        )
    if "@" in text:
        raise ValueError(_("the user name must not contain an @ sign. Enter only the name before the @ sign."))
    if any(character.isspace() for character in text):
        raise ValueError(_("the user name must not contain blanks"))
    return text


def _container_runtime(text: str) -> str:
    if re.fullmatch(r"containerd://[!-~]+", text) is None:
        raise ValueError(_("'{value}' does not have the form containerd://<version>").format(value=shown(text)))
    return text


def _registry_address(text: str) -> str:
    """Validate a registry address of the form host[:port].

    A scheme such as https:// is accepted, because the requirement XR-REG-EXT reports it (OQ-REG-SCHEME)."""
    text = text.strip()
    behind = re.fullmatch(r"(https?://)(.+?)/?", text, re.IGNORECASE)
    return behind[1].lower() + _host_and_port(behind[2]) if behind else _host_and_port(text)


def _host_and_port(text: str) -> str:
    if is_ip(text):
        return _plain_ip(text)
    match = re.fullmatch(r"(?P<host>\[[^]]*\]|[^:]*)(?P<port>:[1-9][0-9]{0,4})?", text)
    host, port = (match["host"], match["port"] or "") if match else ("", "")
    bare = host.strip("[]")
    # Only an IPv6 address with a port has brackets.
    known = is_domain(host) or (is_ip(bare) and (":" in bare) == (host != bare) and bool(port))
    if not known or int(port[1:] or 1) > 65535:
        raise ValueError(_("'{value}' does not have the form host or host:port").format(value=shown(text)))
    return _host(host) + port if host == bare else f"[{_plain_ip(bare)}]{port}"


def format_version(value: object) -> object:
    if str(value) != "1":
        raise ValueError(
            _("plan format {value} is not supported. This version of acp-tui reads only format 1.").format(
                value=shown(str(value))
            )
        )
    return 1


def _amount(value: object) -> int | float:
    """Return a number of at most nine digits and three decimals, as int if it has no decimals."""
    text = str(value).strip() if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    if _AMOUNT.fullmatch(text) is None:
        raise ValueError(_("'{value}' is not a number such as 16 or 7.5").format(value=shown(str(value))))
    number = float(text)
    return int(number) if number.is_integer() else number


def _strict_bool(value: object) -> object:
    # QUIRK-BOOL: any other word is an error, never "true".
    if isinstance(value, bool) or value in ("true", "false", "True", "False", "TRUE", "FALSE"):
        return value
    raise ValueError(_("'{value}' is not a valid value. Enter true or false.").format(value=shown(str(value))))


def _integer(value: object) -> object:
    # QUIRK-NUMBERS: 1e3, 0o17, 1_000, 443.0 and 022 are rejected, because programs parse them differently.
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(_("the value is not an integer"))


IpText = Annotated[str, AfterValidator(_ip)]
Ipv6Text = Annotated[str, AfterValidator(_ipv6)]
HostText = Annotated[str, AfterValidator(_host)]
EndpointText = Annotated[str, AfterValidator(_endpoint)]
Cidr4 = Annotated[str, AfterValidator(lambda text: _cidr(text, IPv4Address))]
Cidr6 = Annotated[str, AfterValidator(lambda text: _cidr(text, IPv6Address))]
UserName = Annotated[str, AfterValidator(_user_name)]
FilledText = Annotated[str, AfterValidator(_not_empty)]
Bool = Annotated[bool, BeforeValidator(_strict_bool)]
Whole = Annotated[int, BeforeValidator(_integer)]
Amount = Annotated[int | float, BeforeValidator(_amount), Field(ge=0)]
"""A number of 0 or more, with at most three decimals."""
Port = Annotated[Whole, Field(ge=1, le=65535)]

Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
KubernetesVersion = Annotated[str, AfterValidator(_kubernetes_version)]
ContainerRuntime = Annotated[str, AfterValidator(_container_runtime)]
RegistryAddress = Annotated[str, AfterValidator(_registry_address)]

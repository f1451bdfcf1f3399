"""Parse key and signature files without gpg, to find the trusted key and to reject private keys.

This module does not verify anything. Only gpg decides whether a key or a signature is valid.
"""

import binascii
import hashlib
from collections.abc import Iterator

_SECRET, _PUBLIC, _SECRET_SUBKEY, _PUBLIC_SUBKEY = 5, 6, 7, 14
_MESSAGE = (4, 8, 11)
"""A signed text starts with a packet of one of these types: one-pass signature, compressed data or literal data."""
_STARTS = (b"-----BEGIN PGP PUBLIC KEY BLOCK-----", b"-----BEGIN PGP PRIVATE KEY BLOCK-----")
_BLANKS = b" \t\r"


def fingerprints(content: bytes) -> tuple[str, ...]:
    """Return the fingerprints of all public keys and subkeys (version 4) in a binary or armored key file."""
    return tuple(
        hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest().upper()
        for kind, body in _all(content)
        if kind in (_PUBLIC, _PUBLIC_SUBKEY) and body[:1] == b"\x04" and len(body) < 1 << 16
    )


def has_private_key(content: bytes) -> bool:
    """Return True if the content has a private key, even if the key is truncated."""
    private = any(kind in (_SECRET, _SECRET_SUBKEY) for kind, _body in _all(content))
    return private or b"PGP PRIVATE KEY BLOCK" in content


def is_message(content: bytes) -> bool:
    """Return True if the content is a signed message that includes its text, not a detached signature.

    Only the start of the content is checked."""
    if content.startswith((b"-----BEGIN PGP SIGNED MESSAGE", b"-----BEGIN PGP MESSAGE")):
        return True
    return bool(content) and bool(content[0] & 0x80) and _kind(content[0]) in _MESSAGE


def _all(content: bytes) -> Iterator[tuple[int, bytes]]:
    blocks = list(_armored(content))
    for block in blocks or [content]:
        try:
            yield from _packets(binascii.a2b_base64(block) if blocks else block)
        except (ValueError, IndexError):  # the content is truncated or is not OpenPGP data
            continue


def _armored(content: bytes) -> Iterator[bytes]:
    """Yield the base64 text of each complete armored key: the lines between the blank line and the checksum or end."""
    body: list[bytes] | None = None
    headers = False
    for line in content.split(b"\n"):
        text = line.rstrip(_BLANKS)
        if text in _STARTS:
            body, headers = None, True
        elif headers and not text:
            body, headers = [], False
        elif headers:
            headers = b":" in text
        elif body is not None and line.startswith((b"=", b"-----END")):
            yield b"\n".join(body)
            body = None
        elif body is not None:
            body.append(line)


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield type and body of each packet (RFC 4880, section 4.2).

    Raises ValueError or IndexError after the last valid packet."""
    at = 0
    while at < len(data):
        tag, first = data[at], data[at + 1]
        if not tag & 0x80:
            raise ValueError("the data is not an OpenPGP packet")
        if tag & 0x40:
            if first < 192:
                wide, length = 1, first
            elif first < 224:
                wide, length = 2, ((first - 192) << 8) + data[at + 2] + 192
            elif first == 255:
                wide, length = 5, _number(data, at + 2, 4)
            else:
                raise ValueError("the packet has several parts, which a key never has")
        else:
            wide = (1, 2, 4, 0)[tag & 3]
            length = _number(data, at + 1, wide) if wide else len(data) - at - 1
        body = data[at + 1 + wide : at + 1 + wide + length]
        if len(body) < length:
            raise ValueError("the packet is truncated")
        yield _kind(tag), body
        at += 1 + wide + length


def _kind(tag: int) -> int:
    return tag & 0x3F if tag & 0x40 else tag >> 2 & 0xF


def _number(data: bytes, at: int, wide: int) -> int:
    return int.from_bytes(data[at : at + wide], "big")

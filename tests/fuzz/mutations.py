"""Hostile variants of valid samples: damaged, cut, repeated and nested bytes, and two samples in one."""

from collections.abc import Sequence

from hypothesis import strategies as st

FRAGMENTS = (
    *(b"\x00", b"\x1b[31m", b"\x7f", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(b"\xed\xa0\x80", b'"\\ud800"', b"\\u0000", b"\xc2\xb2", b"\xd9\xa3", b"\xf0\x9f\x98\x80"),  # surrogates, digits
    *(b"\n", b"\r", b"\r\n", b"\t", b" ", b"  ", b"\n\n", b",", b";", b":", b": ", b"=", b"#", b"%", b"-", b"/", b"@"),
    *(b"'", b'"', b"\\", b"`", b"{", b"}", b"[", b"]", b"(", b")", b"<", b">", b"|", b"&a ", b"*a", b"!", b"? ", b"- "),
    *(b"-1", b"0", b"07", b"1e999", b"-0", b"NaN", b"Infinity", b"null", b"true", b"65536", b"2026-01-01T00:00:00"),
    *(b"!!python/object:os.system ", b"<<: *a\n", b"---\n", b"{env: HOME}", b"{file: /dev/zero}", b"$(id)", b"../.."),
    *(b"9" * 5000, b"-" + b"9" * 400, b"9." * 2000, b"\xd9\xa3" * 5000, b"1." + b"0" * 5000, b"k" * 3000),
    *(b"[" * 950, b'{"a":' * 950, b"[[" * 3000, b"- " * 300, b"? " * 300, b"{a: " * 300, b"(" * 3000, b"\n" * 3000),
)
"""Texts that are special in at least one of the formats, long runs of digits, and deep nesting."""
_MOST = 64 * 1024
"""The maximum size in bytes of a variant."""

_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "delete", "repeat", "insert", "insert", "replace", "splice", "move"]),
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFFFF),
        st.integers(0, len(FRAGMENTS) - 1),
    ),
    min_size=1,
    max_size=5,
)


def variants(samples: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Generate variants of `samples`, and now and then arbitrary bytes."""
    indexes = st.integers(0, len(samples) - 1)
    changed = st.tuples(indexes, indexes, _CHANGES).map(
        lambda drawn: _changed(samples[drawn[0]], samples[drawn[1]], drawn[2])
    )
    return st.one_of(changed, changed, changed, changed, st.binary(max_size=200))


def _changed(sample: bytes, other: bytes, changes: Sequence[tuple[str, int, int, int]]) -> bytes:
    """Apply the changes. Two numbers from 0 to 65535 select positions in the bytes."""
    data = sample
    for kind, first, second, chosen in changes:
        at, end = sorted((_at(data, first), _at(data, second)))
        fragment = FRAGMENTS[chosen]
        match kind:
            case "flip":
                data = data[:at] + bytes([second & 0xFF]) + data[at + 1 :]
            case "cut":
                data = data[:at]
            case "delete":
                data = data[:at] + data[end:]
            case "repeat":
                data = data[:at] + data[at:end] * (2 + chosen % 20) + data[end:]
            case "insert":
                data = data[:at] + fragment + data[at:]
            case "replace":
                data = data[:at] + fragment + data[at + min(end - at, 20) :]
            case "splice":
                data = data[:at] + other[_at(other, second) :]
            case "move":
                data = data[:at] + data[end:] + data[at:end]
        data = data[:_MOST]
    return data


def _at(data: bytes, number: int) -> int:
    return number * (len(data) + 1) >> 16

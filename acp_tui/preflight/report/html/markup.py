"""The few pieces of HTML that the report's page is made of. Every text goes through `escape` here and nowhere else.

A piece that is ready is `Html`; a `str` is a text from somewhere and becomes one only by being escaped.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NewType

Html = NewType("Html", str)

_LONGEST = 4000
"""Characters of one text; a longer one is cut, the whole stands in preflight.json."""


def text(value: str) -> Html:
    """Any text, as text."""
    shown = value if len(value) <= _LONGEST else value[:_LONGEST] + " […]"
    return Html(escape(shown))


def joined(parts: Iterable[Html]) -> Html:
    return Html("\n".join(part for part in parts if part))


def inline(parts: Iterable[Html]) -> Html:
    return Html(" ".join(part for part in parts if part))


def tag(name: str, content: Html, css: str = "", *, id: str = "") -> Html:
    marks = "".join(f' {key}="{escape(value)}"' for key, value in (("id", id), ("class", css)) if value)
    return Html(f"<{name}{marks}>{content}</{name}>")


def commands(value: str) -> Html:
    """Lines to copy; nothing where there are none."""
    return tag("pre", text(value.strip())) if value.strip() else Html("")


def link(anchor: str, shown: str) -> Html:
    """To another place of the same page."""
    return Html(f'<a href="#{escape(anchor)}">{text(shown)}</a>')


def pairs(rows: Iterable[tuple[str, Html]]) -> Html:
    """Names with their contents; a name without content is left out."""
    lines = [Html(f"{tag('dt', text(name))}{tag('dd', content)}") for name, content in rows if content]
    return tag("dl", joined(lines)) if lines else Html("")


def bullets(items: Sequence[Html]) -> Html:
    """A list; a single item needs no bullet."""
    if len(items) < 2:
        return joined(items)
    return tag("ul", joined(tag("li", item) for item in items))


def table(heads: Sequence[str], rows: Sequence[Sequence[Html]], css: str = "") -> Html:
    if not rows:
        return Html("")
    head = Html("".join(f'<th scope="col">{text(word)}</th>' for word in heads))
    body = joined(tag("tr", Html("".join(tag("td", cell) for cell in row))) for row in rows)
    whole = Html(f"<thead>{tag('tr', head)}</thead>\n<tbody>\n{body}\n</tbody>")
    return tag("div", tag("table", whole, css), "wide")


def section(title: str, content: Html, css: str = "", *, id: str = "") -> Html:
    """A part of the page under its heading; nothing where it is empty."""
    if not content:
        return Html("")
    return tag("section", joined((tag("h2", text(title)), content)), css, id=id)


def folded(title: str, content: Html, css: str = "") -> Html:
    """A part that is closed at first; nothing where it is empty."""
    if not content:
        return Html("")
    return tag("details", joined((tag("summary", text(title)), content)), css)

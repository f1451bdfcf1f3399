"""Build the HTML of the report. Only this module sanitises and escapes text.

A value of type `Html` is finished markup. A `str` is any text, and becomes `Html` only through the function `text`,
which escapes it.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NewType

from acp_tui.core.text import sanitize

Html = NewType("Html", str)


def text(value: str) -> Html:
    """Return `value` as sanitised and escaped HTML. A text that is too long is cut; preflight.json has all of it."""
    return Html(escape(sanitize(value)))


def joined(parts: Iterable[Html]) -> Html:
    """Join parts as lines. Empty parts are left out."""
    return Html("\n".join(part for part in parts if part))


def inline(parts: Iterable[Html]) -> Html:
    """Join parts in one line. Empty parts are left out."""
    return Html(" ".join(part for part in parts if part))


def tag(name: str, content: Html, css: str = "", *, id: str = "") -> Html:
    """Return an HTML element. `css` is its class."""
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in (("id", id), ("class", css)) if value)
    return Html(f"<{name}{attributes}>{content}</{name}>")


def commands(value: str) -> Html:
    """Return shell commands as preformatted text, for copying; an empty text if `value` is empty."""
    return tag("pre", text(value.strip())) if value.strip() else Html("")


def link(anchor: str, label: str) -> Html:
    """Return a link to a different place on the same page."""
    return Html(f'<a href="#{escape(anchor)}">{text(label)}</a>')


def pairs(rows: Iterable[tuple[str, Html]]) -> Html:
    """Return an HTML list of labels, each with its content. A label without content is left out."""
    lines = [Html(f"{tag('dt', text(name))}{tag('dd', content)}") for name, content in rows if content]
    return tag("dl", joined(lines)) if lines else Html("")


def bullets(items: Sequence[Html]) -> Html:
    """Return an HTML list. If there is only one item, return it without a bullet."""
    if len(items) < 2:
        return joined(items)
    return tag("ul", joined(tag("li", item) for item in items))


def table(heads: Sequence[str], rows: Sequence[Sequence[Html]], css: str = "") -> Html:
    """Return a table; an empty text if it has no rows."""
    if not rows:
        return Html("")
    head = Html("".join(f'<th scope="col">{text(heading)}</th>' for heading in heads))
    body = joined(tag("tr", Html("".join(tag("td", cell) for cell in row))) for row in rows)
    content = Html(f"<thead>{tag('tr', head)}</thead>\n<tbody>\n{body}\n</tbody>")
    return tag("div", tag("table", content, css), "wide")


def section(title: str, content: Html, css: str = "", *, id: str = "") -> Html:
    """Return a section with a heading; an empty text if the section is empty."""
    if not content:
        return Html("")
    return tag("section", joined((tag("h2", text(title)), content)), css, id=id)


def folded(title: str, content: Html, css: str = "") -> Html:
    """Return a section that the reader can open and that is closed at first; an empty text if it is empty."""
    if not content:
        return Html("")
    return tag("details", joined((tag("summary", text(title)), content)), css)

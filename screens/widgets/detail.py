"""The detail area at the bottom of a step. It shows help, facts and problems of the focused field or row."""

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from acp_tui.checks.catalog import catalogue
from acp_tui.checks.verdict import Verdict
from acp_tui.core.i18n import _, ngettext, pgettext
from acp_tui.plan.model import field_at, rule_of
from screens.formatting.glyphs import glyphs, outcome_mark
from screens.session.wizard_session import Session
from screens.widgets.answer_line import AnswerLine
from screens.widgets.form import Field
from screens.widgets.panel import Panel

_PROBLEM_LINES = 2


class Detail(Vertical):
    """The help or the facts of the focused field or row and, below them, the problems of the step."""

    def compose(self) -> ComposeResult:
        yield AnswerLine(id="help")
        yield Panel(id="problems")

    @property
    def answer_line(self) -> AnswerLine:
        return self.query_one(AnswerLine)

    def show(self, text: Text | str) -> None:
        """Show the help or the facts of the focused field or row."""
        # A closed step has no widgets, but its background tasks can still send results.
        for line in self.query(AnswerLine):
            line.show(text if isinstance(text, Text) else Text(text))

    def show_problems(self, problems: Iterable[Text]) -> None:
        """Show the most urgent problems, and the number of the other problems."""
        lines = list(problems)
        text = joined(lines[:_PROBLEM_LINES])
        if len(lines) > _PROBLEM_LINES:
            more = len(lines) - 1
            others = ngettext(
                "{count} more problem. Press ^O to show it.", "{count} more problems. Press ^O to show them.", more
            ).format(count=more)
            text = joined([lines[0], Text(others, "dim")])
        for panel in self.query("#problems").results(Panel):
            panel.show(text)


def field_help(session: Session, field: Field, lead: Text) -> Text:
    """Return the help of a field: the text `lead`, then description, requirement and an example of the field."""
    text = lead
    text.append("\n" if text else "")
    if description := field_at(field.path).description:
        text.append(_(description))
    row = catalogue(session.plan.effective_release).get(rule_of(field.path) or "")
    if row is not None:
        text.append("\n" + pgettext("detail", "Requirement: {title}").format(title=_(row.title)), "dim")
    if field.example:
        text.append("\n" + pgettext("detail", "Example: {example}").format(example=_(field.example)), "dim")
    return text


def problem_lines(
    session: Session, field: Field | None, sections: tuple[str, ...], verdicts: Sequence[Verdict]
) -> Iterator[Text]:
    """Yield the problems of a step, one per line. Those of the focused `field` are first."""
    failed = glyphs().failed
    path = field.path if field is not None else None
    if session.save_error:
        yield Text(
            f"{failed} " + pgettext("detail", "The draft was not saved: {reason}").format(reason=session.save_error),
            "bold red",
        )
    if path in session.field_errors:
        yield _line(f"{failed} {session.field_errors[path]}", "bold red")
    for other, message in session.field_errors.items():
        if other != path and sections and other.startswith(sections):
            yield _line(f"{failed} {other}: {message}", "red")
    if path in session.draft.secrets_asked:
        yield Text("? " + _("Secrets are not saved. Enter this secret again."), "yellow")
    for verdict in verdicts:
        if any(path in session.field_errors for path in verdict.paths):
            continue  # the error of the field is already in the list
        mark, style = outcome_mark(verdict.outcome)
        values = " — ".join(part for part in (verdict.observed, verdict.expected) if part)
        yield _line(f"{mark} {values}", style)


def joined(lines: Sequence[Text]) -> Text:
    """Join lines to one text. Long lines are cut and not wrapped, so that the layout does not move."""
    text = Text("\n").join(lines)
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _line(text: str, style: str) -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")

"""The answer line: the result of the last key, such as "Written to /root/acp/plan.yaml"."""

from rich.text import Text

from screens.widgets.panel import Panel


class AnswerLine(Panel):
    """Shares the lines of the detail's text: an answer stays until the detail shows another place."""

    def answer(self, text: Text | str) -> None:
        """Show the result of a key."""
        self.show(text if isinstance(text, Text) else Text(text))

    def fail(self, text: str) -> None:
        """Show why a key had no effect."""
        self.show(Text(text, "bold red"))

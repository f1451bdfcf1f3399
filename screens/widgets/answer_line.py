"""The answer line. It shows the result of the last key press, such as "acp-tui wrote /root/acp/plan.yaml"."""

from rich.text import Text

from screens.widgets.panel import Panel


class AnswerLine(Panel):
    """Shows the result in place of the detail text, until the detail shows a different field or row."""

    def answer(self, text: Text | str) -> None:
        """Show the result of a key press."""
        self.show(text if isinstance(text, Text) else Text(text))

    def fail(self, text: str) -> None:
        """Show why a key press had no effect."""
        self.show(Text(text, "bold red"))

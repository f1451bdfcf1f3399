"""Run the wizard's application in the terminal."""

from acp_tui.core.errors import ExitStatus
from screens.app import AcpApp


async def run_app(app: AcpApp) -> int:
    """Run the wizard until the operator closes it. Return its exit status."""
    # The mouse stays with the terminal: with mouse capture the operator could not select text.
    await app.run_async(mouse=False)
    return app.return_code or ExitStatus.DONE

"""Quitting the wizard: late errors of missing widgets are ignored, errors of an open screen are not."""

from pathlib import Path

import pytest
from textual.css.query import NoMatches
from textual.worker import WorkerFailed

from tests.support.factories.plans import valid_plan
from tests.support.wizard_pilot import SIZE, show, staged_app


@pytest.mark.parametrize("error", [NoMatches("#nodes"), WorkerFailed(NoMatches("#nodes"))])
async def test_missing_widget_while_quitting_is_not_an_error(tmp_path: Path, error: Exception) -> None:
    app = staged_app(tmp_path, valid_plan())
    async with app.run_test(size=SIZE) as pilot:
        session = await show(pilot, "nodes")
        await session.close()
    assert not app.is_running
    app._handle_exception(error)
    assert app._exception is None


async def test_missing_widget_of_an_open_screen_is_an_error(tmp_path: Path) -> None:
    async def raise_on_open_screen() -> None:
        app = staged_app(tmp_path, valid_plan())
        async with app.run_test(size=SIZE) as pilot:
            session = await show(pilot, "nodes")
            await session.close()
            app._handle_exception(NoMatches("#nodes"))

    with pytest.raises(NoMatches):
        await raise_on_open_screen()

"""Replies of the installer about its progress, by the vendor's rule."""

import json

import pytest
from pydantic import JsonValue

from acp_tui.install.api.progress_reply import Says, read_progress


def pretty(**values: JsonValue) -> str:
    return json.dumps(values, indent=2)


@pytest.mark.parametrize(
    ("text", "says", "step"),
    [
        (pretty(status="Running", step=3, total=9), Says.RUNNING, "3"),
        (pretty(status="Success", step=9), Says.SUCCESS, "9"),
        (pretty(status="Failed", step=4), Says.FAILED, "4"),
        (pretty(data={"items": [{"state": "Failed"}]}, step="etcd"), Says.FAILED, "etcd"),
        (pretty(status="Failed", last="Success"), Says.SUCCESS, None),
        (pretty(status="Running", message="Failed to pull, will retry until Success"), Says.RUNNING, None),
        (pretty(status="NotFailed"), Says.RUNNING, None),
        ('"Success"', Says.SUCCESS, None),
        ('{\n  "status": "Running",\n  "step": 7,\n broken', Says.RUNNING, "7"),
        ("all is Success now", Says.SUCCESS, None),
        ('{"step": 3, "message": "etcd member: Success, going on wi', Says.RUNNING, "3"),
        ('[{"message": "Failed, tried again"}, {"st', Says.RUNNING, None),
        ('{"status": "Success", "step": 9, "mess', Says.SUCCESS, "Success"),
        (r'{"step": "\ud800etcd"}', Says.RUNNING, "etcd"),
        ("it Failed", Says.FAILED, None),
        ("Failed, then Success", Says.SUCCESS, None),
        ("step", Says.RUNNING, None),
        ("[" * 100_000, Says.RUNNING, None),
        ("[" * 900 + '{"step": "etcd"}' + "]" * 900, Says.RUNNING, "etcd"),
        ('{"status": "Success", "step": %s}' % ("9" * 800_000), Says.SUCCESS, "Success"),
        ('{"status": "Failed", "left": NaN, "step": 4}', Says.FAILED, "4"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_progress_is_read_by_the_vendors_rule(text: str, says: Says, step: str | None) -> None:
    reply = read_progress(text)
    assert (reply.says, reply.step) == (says, step)

"""The plan as a file, `plan.yaml`, with its secrets in an overlay beside it, `secrets.yaml`."""

from acp_tui.plan.file.reader import SECRETS_NAME, PlanErrors, PlanReading, Problem, load_plan, read_plan
from acp_tui.plan.file.writer import dump_plan, dump_secrets, save_plan, schema, secret_values

__all__ = [
    "SECRETS_NAME",
    "PlanErrors",
    "PlanReading",
    "Problem",
    "dump_plan",
    "dump_secrets",
    "load_plan",
    "read_plan",
    "save_plan",
    "schema",
    "secret_values",
]

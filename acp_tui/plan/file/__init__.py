"""Read and write the plan file `plan.yaml` and the secrets overlay `secrets.yaml` next to it."""

from acp_tui.plan.file.document import Problem
from acp_tui.plan.file.reader import SECRETS_NAME, PlanErrors, PlanReading, load_plan, read_plan
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

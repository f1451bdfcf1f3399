"""Read and write the plan file `plan.yaml` and the secrets overlay `secrets.yaml` next to it."""

from acp_tui.plan.file.document import Problem
from acp_tui.plan.file.reader import SECRETS_NAME, PlanErrors, PlanReading, load_plan, plan_of, read_plan
from acp_tui.plan.file.references import FoundReferences, ReferencePolicy, ReferencesRefused, only_trusted
from acp_tui.plan.file.writer import dump_plan, dump_secrets, save_plan, schema, secret_values

__all__ = [
    "SECRETS_NAME",
    "FoundReferences",
    "PlanErrors",
    "PlanReading",
    "Problem",
    "ReferencePolicy",
    "ReferencesRefused",
    "dump_plan",
    "dump_secrets",
    "load_plan",
    "only_trusted",
    "plan_of",
    "read_plan",
    "save_plan",
    "schema",
    "secret_values",
]

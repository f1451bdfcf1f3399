"""Read the plan of the primary cluster. The plan of the standby cluster names it: as a plan file, or as a bundle.

For a bundle, the certificate is read from the installer configuration in the bundle, because the paths in the plan of
the bundle belong to a different host.
"""

from base64 import b64decode
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr
from pydantic_core import from_json

from acp_tui.checks.certificate_facts import CertificateFacts
from acp_tui.checks.local_file_facts import PrimaryCluster
from acp_tui.core.files import resolve_path
from acp_tui.core.i18n import _
from acp_tui.plan.file import FoundReferences, PlanErrors, Problem, ReferencesRefused, only_trusted, read_plan
from acp_tui.plan.model import Plan, field_at
from acp_tui.plan.sections.section import is_secret
from acp_tui.preflight.bundle import DOCUMENT, BundleCorrupt, is_bundle, is_sealed, open_bundle
from acp_tui.preflight.certificates.pem import PemFile
from acp_tui.preflight.certificates.reader import facts_for, pair_facts


def primary_of(plan: Plan, plan_dir: Path) -> PrimaryCluster | None:
    """Return the primary cluster that `plan` names; None if `plan` is not for a standby cluster, or names no primary.

    A relative path starts from `plan_dir`. Raises nothing: if the plan of the primary cluster cannot be read, `error`
    has the reason.
    """
    recovery = plan.disaster_recovery
    if recovery.role != "standby" or not recovery.primary:
        return None
    path = resolve_path(plan_dir, recovery.primary)
    try:
        return _from_bundle(path) if is_bundle(path) else _from_plan(path)
    except (PlanErrors, BundleCorrupt, ReferencesRefused) as error:
        reason = " ".join(str(error).splitlines())
        return PrimaryCluster(
            str(path), error=_("the plan of the primary cluster cannot be used: {reason}").format(reason=reason)
        )
    except OSError as error:
        return PrimaryCluster(str(path), error=f"{path}: {error.strerror or error}")


def _only_trusted_secrets(found: FoundReferences) -> None:
    """Raise ReferencesRefused if another user can change the plan and it has references to secrets.

    Its rules for packages do not matter, because the packages of the primary cluster are not used here."""
    secrets = tuple(one for one in found.references if one.kind != "package")
    if secrets:
        only_trusted(replace(found, references=secrets))


def _from_plan(path: Path) -> PrimaryCluster:
    if path.exists() and not path.is_file():
        trouble = _("{path} is neither a plan file nor a bundle folder").format(path=path)
        return PrimaryCluster(str(path), error=trouble)
    reading = read_plan(path, references=_only_trusted_secrets)
    closed = [str(problem) for problem in reading.problems if _is_of_secret(problem)]
    if reading.plan is None or len(closed) < len(reading.problems):
        raise PlanErrors(reading.problems)
    if reading.plan.admin.password is None and not closed:
        closed = [
            _("{path} contains no secrets, and the file secrets.yaml is missing in the same folder").format(path=path)
        ]
    certificate = facts_for(reading.plan, path.parent)
    return PrimaryCluster(str(path), reading.plan, secrets_error="; ".join(closed), certificate=certificate)


def _from_bundle(path: Path) -> PrimaryCluster:
    sealed = is_sealed(path)
    bundle = open_bundle(path, secrets=not sealed)
    if bundle.document is None:
        reason = (
            _("the secrets of the bundle {path} are encrypted")
            if sealed
            else _("the bundle {path} was written without its secrets")
        )
        return PrimaryCluster(str(path), bundle.plan, secrets_error=reason.format(path=path))
    return PrimaryCluster(str(path), bundle.plan, certificate=_certificate_in(bundle.document, path / DOCUMENT))


def _certificate_in(document: SecretStr, path: Path) -> CertificateFacts | None:
    """Return the facts of the certificate and key in the installer configuration; None if they are missing."""
    try:
        pair = from_json(document.get_secret_value())["console"]["cert"]["thirdParty"]
        certificate, key = (PemFile(path, b64decode(pair[name])) for name in ("certificate", "privateKey"))
    except (ValueError, KeyError, TypeError):
        return None
    return pair_facts(certificate, key)


def _is_of_secret(problem: Problem) -> bool:
    try:
        return is_secret(field_at(problem.path).annotation)
    except KeyError:
        return False

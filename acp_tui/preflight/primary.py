"""The primary that a standby's plan names, read: a plan file with its secrets beside it, or a bundle folder.

The pair of a bundle is what its own document holds: the paths in its plan are those of another machine.
"""

import json
from base64 import b64decode
from pathlib import Path

from pydantic import SecretStr

from acp_tui.checks.certificates.model import CertificateFacts
from acp_tui.checks.local_files import PrimaryCluster
from acp_tui.core.errors import AcpError
from acp_tui.core.files import resolve_path
from acp_tui.core.i18n import _
from acp_tui.plan.file import PlanErrors, Problem, read_plan
from acp_tui.plan.model import Plan, field_at, is_secret
from acp_tui.preflight.bundle import DOCUMENT, is_bundle, is_sealed, open_bundle
from acp_tui.preflight.certificates.pem import PemFile
from acp_tui.preflight.certificates.reader import facts_for, pair_facts


def primary_of(plan: Plan, base: Path) -> PrimaryCluster | None:
    """The primary that `plan` names, its path relative to `base`; None where the plan is no standby's or names none.

    Raises nothing: why it cannot be read is its `error`."""
    recovery = plan.disaster_recovery
    if recovery.role != "standby" or not recovery.primary:
        return None
    place = resolve_path(base, recovery.primary)
    try:
        return _bundled(place) if is_bundle(place) else _planned(place)
    except AcpError as error:
        why = " ".join(str(error).splitlines())
        return PrimaryCluster(str(place), error=_("the primary's plan is of no use: {why}").format(why=why))
    except OSError as error:
        return PrimaryCluster(str(place), error=_("{path}: {why}").format(path=place, why=error.strerror or error))


def _planned(place: Path) -> PrimaryCluster:
    if place.exists() and not place.is_file():
        return PrimaryCluster(
            str(place), error=_("{path} is neither a plan file nor a bundle folder").format(path=place)
        )
    reading = read_plan(place)
    closed = [str(problem) for problem in reading.problems if _of_a_secret(problem)]
    if reading.plan is None or len(closed) < len(reading.problems):
        raise PlanErrors(reading.problems)
    if reading.plan.admin.password is None and not closed:
        closed = [_("{path} has no secrets in it or beside it").format(path=place)]
    pair = facts_for(reading.plan, place.parent)
    return PrimaryCluster(str(place), reading.plan, secrets_error="; ".join(closed), certificate=pair)


def _bundled(place: Path) -> PrimaryCluster:
    sealed = is_sealed(place)
    bundle = open_bundle(place, secrets=not sealed)
    if bundle.document is None:
        why = _("the secrets of {path} are encrypted") if sealed else _("{path} was written without its secrets")
        return PrimaryCluster(str(place), bundle.plan, secrets_error=why.format(path=place))
    return PrimaryCluster(str(place), bundle.plan, certificate=_pair_in(bundle.document, place / DOCUMENT))


def _pair_in(document: SecretStr, place: Path) -> CertificateFacts | None:
    """The pair that the installer's document holds; None where it holds none."""
    try:
        pair = json.loads(document.get_secret_value())["console"]["cert"]["thirdParty"]
        certificate, key = (PemFile(place, b64decode(pair[name])) for name in ("certificate", "privateKey"))
    except (ValueError, KeyError, TypeError):
        return None
    return pair_facts(certificate, key)


def _of_a_secret(problem: Problem) -> bool:
    try:
        return is_secret(field_at(problem.path).annotation)
    except KeyError:
        return False

"""One near miss: a fault, or a healthy setting that resembles one, on a distribution."""

from tests.lab.kit.profiles import Fault

U, U20, C, R, R7, K, ARM = (
    "ubuntu-22.04", "ubuntu-20.04", "centos-7.9", "rhel-8.6", "rhel-7.8", "kylin-v10-sp3", "kylin-v10-sp3-arm",
)  # fmt: skip


def case(base: str, name: str, shell: str, **expects: str) -> tuple[str, Fault]:
    """Return the distribution and the fault. `expects`: requirement IDs with `_` for `-`."""
    return base, Fault(name, shell, {rule.replace("_", "-"): outcome for rule, outcome in expects.items()})

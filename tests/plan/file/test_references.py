"""References of a plan to secrets of this host: nothing is read before a policy has decided."""

import os
from pathlib import Path

import pytest

from acp_tui.core.ownership import Weakness, weakness_of
from acp_tui.plan.file import FoundReferences, PlanErrors, ReferencesRefused, document, load_plan, read_plan
from acp_tui.plan.file.confirmed_references import is_confirmed, remember_confirmed
from acp_tui.plan.sections.package import VENDOR_FINGERPRINT
from tests.support.other_users import STRANGER, needs_root

PLAN = """\
ssh: {password: {file: /etc/shadow}, key_file: id_rsa, key_passphrase: {env: PHRASE}}
nodes:
  - address: 203.0.113.7
  - address: 203.0.113.8
    ssh: {password: {env: NODE_PASSWORD}, key_file: /root/node_key}
admin: {password: {env: ADMIN}}
registry: {mode: external, address: "r.example.com:5000", username: u, password: {file: token}}
certificate: {mode: existing, cert_file: tls.crt, key_file: /etc/ssl/private/other.key}
package: {public_key: verify-key.pub, core_signature: core.sig}
"""


class Refused(Exception):
    pass


def found_in(path: Path) -> FoundReferences:
    """Return the references of a plan. The policy ends the reading, so no secret is needed."""
    seen: list[FoundReferences] = []

    def stop(found: FoundReferences) -> None:
        seen.append(found)
        raise Refused

    with pytest.raises(Refused):
        read_plan(path, references=stop)
    return seen[0]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_each_reference_names_source_and_receiver(plan: Path) -> None:
    installer, folder = "the installer and the cluster", plan.parent
    rows = {one.path: (one.kind, one.source, one.receiver) for one in found_in(plan).references}
    assert rows == {
        "ssh.password": ("file", "/etc/shadow", f"the nodes 203.0.113.7, 203.0.113.8, {installer}"),
        "ssh.key_passphrase": ("env", "PHRASE", "no other machine; acp-tui uses the passphrase only on this host"),
        "ssh.key_file": ("content", f"{folder}/id_rsa", installer),
        "nodes[1].ssh.password": ("env", "NODE_PASSWORD", f"the nodes 203.0.113.8, {installer}"),
        "nodes[1].ssh.key_file": ("content", "/root/node_key", installer),
        "admin.password": ("env", "ADMIN", installer),
        "registry.password": ("file", f"{folder}/token", f"the registry r.example.com:5000, {installer}"),
        "certificate.cert_file": ("content", f"{folder}/tls.crt", installer),
        "certificate.key_file": ("content", "/etc/ssl/private/other.key", installer),
        "package.core_signature": (
            "content",
            f"{folder}/core.sig",
            "the installer node, if the install runs on a different host",
        ),
        "package.public_key": (
            "content",
            f"{folder}/verify-key.pub",
            "the installer node, if the install runs on a different host",
        ),
    }


def test_references_of_the_overlay_count(plan: Path) -> None:
    plan.write_text("nodes: [{address: 10.0.0.1}]\n")
    plan.with_name("secrets.yaml").write_text("nodes: [{address: 10.0.0.1, ssh: {password: {env: A}}}]\n")
    [reference] = found_in(plan).references
    assert (reference.file, reference.path) == ("secrets.yaml", "nodes[0].ssh.password")
    assert "10.0.0.1" in reference.receiver


def test_plan_without_references_needs_no_decision(plan: Path) -> None:
    plan.write_text("admin: {password: secret}\n")

    def fail(found: FoundReferences) -> None:
        pytest.fail(f"{found} needs no decision")

    assert read_plan(plan, references=fail).problems == ()


def test_own_plan_is_read_without_a_question(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan.write_text("admin: {password: {env: ADMIN}}\n")
    monkeypatch.setenv("ADMIN", "secret")
    admin = load_plan(plan).admin
    assert admin.password is not None
    assert admin.password.get_secret_value() == "secret"


@needs_root
@pytest.mark.parametrize(("name", "harm"), [("plan.yaml", "owner"), ("plan.yaml", "mode"), ("secrets.yaml", "mode")])
def test_plan_that_another_user_can_change_reads_nothing(plan: Path, name: str, harm: str) -> None:
    secret = plan.with_name("pipe")
    os.mkfifo(secret)  # reading it is an error or waits
    plan.write_text(f"admin: {{password: {{file: {secret}}}}}\n")
    plan.with_name("secrets.yaml").write_text("ssh: {password: pw}\n")
    weak = plan.with_name(name)
    if harm == "owner":
        os.chown(weak, STRANGER, -1)
    else:
        weak.chmod(0o666)
    with pytest.raises(ReferencesRefused) as refused:
        load_plan(plan)
    assert f"admin.password: the file {secret}. Receiver: the installer and the cluster." in str(refused.value)
    assert str(weak) in str(refused.value)
    with pytest.raises(PlanErrors, match="the file is a device or a pipe"):
        load_plan(plan, references=lambda _found: None)


def test_control_characters_of_a_reference_do_not_reach_the_terminal(plan: Path) -> None:
    plan.write_text('admin: {password: {env: "A\\e[2K\\u202eB"}}\n')
    lines = found_in(plan).lines()
    assert all(line.isprintable() for line in lines)


def test_confirmation_holds_for_the_same_sources_and_receivers(plan: Path, tmp_path: Path) -> None:
    home, found = tmp_path / "state", found_in(plan)
    assert not is_confirmed(home, found)
    remember_confirmed(home, found)
    assert is_confirmed(home, found_in(plan))
    assert (home / "confirmed-references").stat().st_mode & 0o777 == 0o600
    for old, new in (("/etc/shadow", "/etc/passwd"), ("203.0.113.7", "203.0.113.9"), ("5000", "5001")):
        plan.write_text(PLAN.replace(old, new))
        assert not is_confirmed(home, found_in(plan)), f"{old} -> {new}"


@needs_root
def test_overlay_of_another_user_chooses_no_password_of_a_trusted_plan(plan: Path) -> None:
    plan.write_text("admin: {password: mine}\n")
    overlay = plan.with_name("secrets.yaml")
    overlay.write_text("admin: {password: theirs}\n")
    os.chown(overlay, STRANGER, -1)
    with pytest.raises(PlanErrors, match=r"secrets.yaml:1 the file cannot be read: .* belongs to the user nobody"):
        load_plan(plan)
    os.chown(plan, STRANGER, -1)  # the author of the plan is the author of its overlay
    admin = load_plan(plan).admin
    assert admin.password is not None
    assert admin.password.get_secret_value() == "theirs"


@needs_root
def test_overlay_that_another_user_removes_after_it_was_opened_is_not_used(
    plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.write_text("admin: {password: mine}\n")
    overlay = plan.with_name("secrets.yaml")
    overlay.write_text("admin: {password: theirs}\n")
    os.chown(overlay, STRANGER, -1)

    def removed(path: Path) -> Weakness | None:
        if path == overlay:
            overlay.unlink()
        return weakness_of(path)

    monkeypatch.setattr(document, "weakness_of", removed)
    with pytest.raises(PlanErrors, match="the file cannot be read"):
        load_plan(plan)


@needs_root
def test_reference_through_a_link_of_another_user_is_not_read(plan: Path) -> None:
    """After the confirmation, that user could make the link lead to any file of root."""
    secret, link = plan.with_name("secret"), plan.with_name("link")
    secret.write_text("hidden\n")
    link.symlink_to(secret)
    plan.write_text(f"admin: {{password: {{file: {link}}}}}\n")
    [reference] = found_in(plan).references
    assert reference.source == str(secret)
    load_plan(plan, references=lambda _found: None)
    os.lchown(link, STRANGER, -1)
    with pytest.raises(PlanErrors, match=r"link belongs to the user nobody"):
        load_plan(plan, references=lambda _found: None)


@pytest.mark.parametrize(
    ("text", "path", "source"),
    [
        (f"package: {{core: core.tar, fingerprint: {'AB' * 20}}}", "package.fingerprint", "AB" * 20),
        ("package: {core: core.tar}\nwaivers: [{requirement: BND-SIGN, reason: r, by: b}]", "waivers[0]", "BND-SIGN"),
    ],
    ids=["fingerprint", "waiver"],
)
def test_own_rule_for_packages_needs_a_decision(plan: Path, text: str, path: str, source: str) -> None:
    """Root runs the scripts of the package. The author of an untrusted plan must not choose them unseen."""
    plan.write_text(text)
    [reference] = found_in(plan).references
    assert (reference.path, reference.kind, reference.source) == (path, "package", source)
    assert reference.receiver == str(plan.with_name("core.tar"))
    remember_confirmed(plan.parent / "state", found_in(plan))
    assert not is_confirmed(plan.parent / "state", found_in(plan)), "the package can change"
    assert "packages that the vendor has not signed" in found_in(plan).lines()[0]


def test_vendor_fingerprint_and_other_waivers_need_no_decision(plan: Path) -> None:
    fingerprint = f"{VENDOR_FINGERPRINT[:20].lower()} {VENDOR_FINGERPRINT[20:]}"
    plan.write_text(
        f"package: {{core: core.tar, fingerprint: {fingerprint}}}\n"
        "waivers: [{requirement: OS-KERNEL, reason: r, by: b}]\n"
    )

    def fail(found: FoundReferences) -> None:
        pytest.fail(f"{found} needs no decision")

    assert read_plan(plan, references=fail).problems == ()

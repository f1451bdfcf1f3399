"""Rendering the configuration for the installer: files of the plan, missing keys, masked secrets and any text."""

import base64
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acp_tui.core.redaction import MASK, mask_document
from acp_tui.install.config.render import RenderError, document, render
from tests.support.factories.installer_config import FILES, b64, plan_of, read
from tests.support.factories.plans import node


def test_files_are_relative_to_the_plan(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "id").write_bytes(FILES["id_rsa"])
    plan = plan_of(ssh={"key_file": "keys/id"}, admin={"username": "админ"})
    text = render(plan, tmp_path)
    assert text.endswith("}\n")
    assert '"username": "админ"' in text
    assert json.loads(text)["cluster"]["features"]["machines"][4]["privateKey"] == b64(FILES["id_rsa"])


def test_all_missing_keys_are_in_one_error(tmp_path: Path) -> None:
    plan = plan_of(
        admin={"password": None},
        ssh={"password": None},
        nodes=[node("10.20.0.11"), node("10.20.0.12", ssh={"key_file": "gone"})],
        network={"ip_family": "dual"},
        address={"cluster_endpoint": ""},
        certificate={"mode": "existing", "cert_file": "tls.crt"},
        registry={"mode": "external"},
    )
    with pytest.raises(RenderError) as caught:
        render(plan, tmp_path)
    assert {key.path for key in caught.value.missing} == {
        "admin.password",
        "ssh.password",
        "nodes[0].ipv6",
        "nodes[1].ipv6",
        "nodes[1].ssh.key_file",
        "address.cluster_endpoint",
        "certificate.cert_file",
        "certificate.key_file",
        "registry.address",
    }
    assert "cannot read gone: No such file or directory" in str(caught.value)


def test_key_file_above_the_size_limit_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(b"\0" * (1024 * 1024 + 1))
    with pytest.raises(RenderError, match="larger than 1 MiB"):
        render(plan_of(ssh={"key_file": "disk.img"}), tmp_path)


def test_masked_document_has_no_secret() -> None:
    plan = plan_of(
        admin={"password": "canary-admin"},
        ssh={"password": "canary-ssh", "key_file": "id_rsa"},
        registry={"username": "u", "password": "canary-registry"},
        certificate={"mode": "existing", "cert_file": "tls.crt", "key_file": "tls.key"},
    )
    masked = json.dumps(mask_document(document(plan, read)), ensure_ascii=False)
    for secret in ("canary-admin", "canary-ssh", "canary-registry", FILES["id_rsa"], FILES["tls.key"]):
        assert b64(secret) not in masked
    assert masked.count(MASK) == 3 + 2 * 5
    assert b64(FILES["tls.crt"]) in masked


def test_empty_secret_is_not_masked() -> None:
    assert '"password": ""' in json.dumps(mask_document(document(plan_of(), read))["registry"])


SHOWN = st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Characters that a name in the plan can contain."""


@given(
    name=st.text(SHOWN, min_size=1, max_size=40).filter(lambda text: not re.search(r"[\s:@]", text)),
    password=st.text(SHOWN, min_size=1, max_size=40),
)
def test_any_text_survives_rendering_and_parsing(name: str, password: str) -> None:
    plan = plan_of(
        admin={"username": name, "password": password},
        ssh={"username": name, "password": password},
        components={"products": ["base", "acp", name]},
    )
    text = json.dumps(document(plan, read), indent=2, ensure_ascii=False)
    parsed = json.loads(text.encode())
    assert parsed["basic"]["username"] == name
    assert base64.b64decode(parsed["basic"]["password"]).decode() == password
    assert parsed["cluster"]["features"]["machines"][0]["username"] == name
    assert base64.b64decode(parsed["cluster"]["features"]["machines"][0]["password"]).decode() == password
    assert parsed["product"][2] == name

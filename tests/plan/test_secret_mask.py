"""The secrets of a plan are masked in text from its nodes, and other text stays as it is."""

from acp_tui.core.redaction import MASK
from acp_tui.plan.secret_mask import secret_mask
from tests.support.factories.plans import nodes, valid_plan


def test_every_secret_of_the_plan_is_masked() -> None:
    plan = valid_plan(
        admin={"password": "admin-secret"},
        ssh={"password": "ssh-secret", "key_passphrase": "phrase-secret"},
        registry={"username": "user", "password": "registry-secret"},
        nodes=nodes(ssh={"password": "own-secret"}),
    )
    text = "admin-secret ssh-secret phrase-secret registry-secret own-secret user"
    assert secret_mask(plan)(text) == " ".join([MASK] * 5 + ["user"])


def test_text_without_secrets_and_sentences_about_passwords_stay() -> None:
    text = "sudo: a password is required; password: wrong"
    assert secret_mask(valid_plan())(text) == text


def test_a_changed_secret_is_masked() -> None:
    first, second = valid_plan(ssh={"password": "first-one"}), valid_plan(ssh={"password": "second-one"})
    assert secret_mask(first)("first-one second-one") == f"{MASK} second-one"
    assert secret_mask(second)("first-one second-one") == f"first-one {MASK}"

"""The base class of all sections of the plan, and the declaration of a plan field."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator

from acp_tui.plan.text_rules import check_secret, printable

T = TypeVar("T")


def answer(default: T, *, id: str, help: str, rule: str | None = None) -> T:
    """Return a plan field with its default value, parameter ID and help text.

    `rule`: the requirement that an invalid value violates."""
    field: T = Field(default, description=help, json_schema_extra={"parameter": id, "rule": rule or id})
    return field


def is_secret(annotation: object) -> bool:
    """Return True if a plan field with this annotation contains a secret."""
    return annotation is SecretStr or any(is_secret(part) for part in getattr(annotation, "__args__", ()))


class Section(BaseModel):
    """Base class of all sections of the plan. A section is immutable and rejects unknown keys.

    Error messages of pydantic do not contain the invalid values, because a value can be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_unset(cls, data: object) -> object:
        """Treat empty text as a missing value, if the default of the field is null.

        An empty field of the wizard and `key: ""` in the plan file are empty text. Text that consists of blanks also
        counts as empty, except in a secret. A section whose keys are all commented out counts as missing."""
        if not isinstance(data, dict):
            return data
        unset = {name for name, info in cls.model_fields.items() if info.default is None}
        secret = {name for name in unset if is_secret(cls.model_fields[name].annotation)}
        empty = {
            key
            for key, value in data.items()
            if key in unset and isinstance(value, str) and not (value if key in secret else value.strip())
        }
        sections = {name for name, info in cls.model_fields.items() if isinstance(info.default, Section)}
        return {
            key: None if key in empty else value
            for key, value in data.items()
            if not (value is None and key in sections)
        }

    @field_validator("*", mode="before")
    @classmethod
    def _printable(cls, value: object, info: ValidationInfo) -> object:
        """Reject control characters. A secret must also be one line without a byte order mark."""
        if not is_secret(cls.model_fields[info.field_name or ""].annotation):
            return printable(value)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str):
            check_secret(text)
        return value

"""Read the YAML files of the requirement catalogue and apply the changes of each release.

An error message names the file, the row and the key, for example:
"assets/catalog/kernel.yaml: KRN-THP: expected: Input should be a valid string".
The messages are for people who edit the catalogue, and are not translated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from acp_tui.plan.release import Release, listed_releases

TRAITS = "traits"
"""The key in a release file that contains the traits. `release_traits.py` describes the traits."""

Model = TypeVar("Model", bound=BaseModel)


class CatalogueError(ValueError):
    """A file of the catalogue is invalid. The message names file, row and key, one error per line."""


@dataclass(frozen=True)
class RawRow:
    """The keys of a catalogue row before validation.

    `file` is the file that defines the row. `files` names the file of each key that a release changed.
    """

    file: str
    values: Mapping[str, object]
    files: Mapping[str, str]

    def changed(self, file: str, values: Mapping[str, object]) -> "RawRow":
        """Return a copy of the row in which `values` from the file `file` replace or complete the old values."""
        return RawRow(self.file, {**self.values, **values}, {**self.files, **dict.fromkeys(values, file)})

    def build(self, name: str, model: type[Model]) -> Model:
        """Return the row as an object of type `model`.

        Raises CatalogueError: a value is invalid, or a key is missing or unknown.
        """
        try:
            return model.model_validate(self.values)
        except ValidationError as error:
            lines = []
            for detail in error.errors(include_url=False, include_input=False):
                key = ".".join(map(str, detail["loc"]))
                file = self.files.get(str(detail["loc"][0]), self.file) if detail["loc"] else self.file
                lines.append(f"{file}: {name}: {key}: {detail['msg']}")
            raise CatalogueError("\n".join(lines)) from error


def read_rows(folder: Path, release: Release) -> Mapping[str, RawRow]:
    """Return the rows of all requirements by ID, with the changes of all releases up to `release`.

    The rows have the order of the files. Raises CatalogueError: a file is not valid YAML, an ID is missing or
    duplicate, or an ID in a release file is unknown.
    """
    rows: dict[str, RawRow] = {}
    for path in sorted(folder.glob("*.yaml")):
        file = _label(path)
        for name, row in _listed_rows(file, _load(path)):
            if name in rows:
                raise CatalogueError(f"{file}: {name}: duplicate ID; {rows[name].file} has it, too")
            rows[name] = row
    for file, content in _release_files(folder, release):
        for name, changes in content.items():
            if name == TRAITS:
                continue
            if name not in rows:
                raise CatalogueError(f"{file}: {name}: unknown ID; a release changes only existing requirements")
            if "id" in (values := _mapping(changes, f"{file}: {name}")):
                raise CatalogueError(f"{file}: {name}: id: a release cannot change an ID")
            rows[name] = rows[name].changed(file, values)
    return rows


def read_traits(folder: Path, release: Release) -> RawRow:
    """Return the traits of `release`: differences between releases that are not requirements.

    If the file of `release` does not contain a trait, the trait keeps the value of the previous release. Raises
    CatalogueError: a file is not valid YAML, or its traits are not a mapping.
    """
    traits = RawRow("", {}, {})
    for file, content in _release_files(folder, release):
        values = _mapping(content.get(TRAITS), f"{file}: {TRAITS}")
        traits = RawRow(traits.file or file, traits.values, traits.files).changed(file, values)
    return traits


def _release_files(folder: Path, release: Release) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the name and the content of each release file up to `release`, the oldest first."""
    for known in listed_releases(folder / "releases"):
        if known <= release:
            path = folder / "releases" / f"{known}.yaml"
            yield _label(path), _mapping(_load(path), _label(path))


def _listed_rows(file: str, content: object) -> Iterator[tuple[str, RawRow]]:
    if content is None:
        return
    if not isinstance(content, list):
        raise CatalogueError(f"{file}: expected a list of requirements")
    for number, item in enumerate(content, 1):
        values = _mapping(item, f"{file}: row {number}")
        name = values.get("id")
        if not isinstance(name, str):
            raise CatalogueError(f"{file}: row {number}: id: missing, or not a text")
        yield name, RawRow(file, values, {})


def _label(path: Path) -> str:
    folder = "releases/" if path.parent.name == "releases" else ""
    return f"assets/catalog/{folder}{path.name}"


def _mapping(value: object, where: str) -> Mapping[str, object]:
    """Return `value` as a mapping. None becomes an empty mapping.

    `where`: the place of `value`, with which an error message begins. Raises CatalogueError: `value` is not a mapping.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise CatalogueError(f"{where}: expected a mapping of keys to values")
    return {str(key): item for key, item in value.items()}


def _load(path: Path) -> object:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(path.read_bytes())  # the one in C is 8 times faster
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _reject_duplicates(node, _label(path))
        content: object = loader.construct_document(node)
    except yaml.YAMLError as error:
        raise CatalogueError(f"{_label(path)}: {error}") from error
    finally:
        loader.dispose()
    return content


def _reject_duplicates(node: yaml.Node, file: str) -> None:
    """Raise CatalogueError if a mapping contains a key twice. PyYAML would silently use the last value."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _reject_duplicates(item, file)
    elif isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in keys:
                raise CatalogueError(f"{file}: line {key.start_mark.line + 1}: duplicate key {name}")
            keys.add(name)
            _reject_duplicates(value, file)

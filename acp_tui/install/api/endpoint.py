"""The address of the installer's API."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Endpoint:
    """The URL of the API. `base`: such as http://127.0.0.1:8080. `prefix`: "" or "/cpaas-installer"."""

    base: str
    prefix: str = ""

    def url(self, path: str) -> str:
        return f"{self.base}{self.prefix}{path}"

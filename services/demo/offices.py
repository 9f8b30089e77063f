"""The offices of the sample city: departments beside the catalogue's, and the accounts of the portal."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import yaml

AUTHORITY: Final = "data_bureau"
"""The department that reviews the catalogue and rules on disputes."""
POLICY_PACKS: Final = ("national-2025",)
"""What the sample city's cases are bound to."""
_FILE: Final = "offices.yaml"


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A person who answers for a department."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Office:
    """A department with its three named persons."""

    id: str
    zh: str
    en: str
    credit_code: str
    head: NamedPerson
    deputy: NamedPerson
    clerk: NamedPerson


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of one clerk with one role."""

    login: str
    name: str
    department: str
    role: str


@dataclass(frozen=True, slots=True)
class Offices:
    """All of them."""

    departments: tuple[Office, ...]
    accounts: tuple[DemoAccount, ...]
    audit: tuple[DemoAccount, ...]
    """Who audits a played week, and who operates the bus meanwhile."""


def offices() -> Offices:
    """What the packaged file says."""
    text = (resources.files(__package__) / _FILE).read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return Offices(
        tuple(_office(one) for one in found["departments"]),
        tuple(DemoAccount(**one) for one in found["accounts"]),
        tuple(DemoAccount(**one) for one in found["audit"]),
    )


def _office(said: Mapping[str, Any]) -> Office:
    persons = {who: NamedPerson(**said[who]) for who in ("head", "deputy", "clerk")}
    return Office(**{**said, **persons})

"""Reads the file that says what groups of the identity provider give, and says what is wrong with it."""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.control.accounts.groups import GroupRule
from services.control.accounts.roles import Role
from services.control.signing_in.oidc import GroupMapping

_Department = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
_Overseen = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,59}|\*)$")]


class CorrectGroupFile(ValueError):  # noqa: N818 - says what to do
    """The file cannot be used: correct what the message names."""


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Group(_Declared):
    group: Annotated[str, Field(min_length=1, max_length=200)]
    department: _Department | None = None
    roles: frozenset[Role] = frozenset()
    oversees: frozenset[_Overseen] = frozenset()


class _File(_Declared):
    claim: Annotated[str, Field(min_length=1)] = "groups"
    groups: Annotated[tuple[_Group, ...], Field(min_length=1)]


def read_groups(path: Path) -> GroupMapping:
    """Read the mapping of groups.

    Raises:
        CorrectGroupFile: it cannot be read, or something in it is wrong.
    """
    try:
        found = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise CorrectGroupFile(f"{path} cannot be read") from error
    except yaml.YAMLError as error:
        raise CorrectGroupFile(f"{path} is no YAML: {error}") from error
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise CorrectGroupFile(f"{path}: {'; '.join(wrong)}") from error
    rules = (GroupRule(each.group, each.department, each.roles, each.oversees) for each in found.groups)
    return GroupMapping(found.claim, tuple(rules))

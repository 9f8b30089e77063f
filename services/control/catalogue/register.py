"""What a catalogue says beside the definitions: codes and contacts of departments, conditions, basis.

It stands in catalogue.yaml in the folder of definitions, and may be missing; nothing of it changes what is
delivered.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from services.control.catalogue.entry import Contact, Contacts
from services.control.catalogue.vocabulary import BasisLevel, Library, OpenType, Use
from services.control.definitions import DefinitionsInvalid
from services.control.yaml_source import form_errors, read_yaml
from topics.event import ProviderId, ResourceId
from topics.resource import Declared

REGISTER: Final = "catalogue.yaml"


class Person(Declared):
    """A named person of a department."""

    name: str
    phone: str


class OfDepartment(Declared):
    """What an entry says of its provider (requirement A1-08: three named persons)."""

    credit_code: str
    head: Person
    deputy: Person
    clerk: Person

    @property
    def contacts(self) -> Contacts:
        """The persons as an entry has them."""
        return Contacts(*(Contact(each.name, each.phone) for each in (self.head, self.deputy, self.clerk)))


class OfResource(Declared):
    """What an entry says beside what the resource's definition says."""

    summary: str = ""
    library: Library | None = None
    licensing: bool = False
    share_condition: str = ""
    share_use: Use | None = None
    basis_level: BasisLevel | None = None
    open_type: OpenType | None = None
    open_condition: str = ""
    lengths: Mapping[str, int] = Field(default_factory=dict)
    """Length of items whose rules do not say it."""


class Register(Declared):
    """The whole file."""

    departments: Mapping[ProviderId, OfDepartment] = Field(default_factory=dict)
    resources: Mapping[ResourceId, OfResource] = Field(default_factory=dict)


def load_register(folder: Path) -> Register:
    """Read catalogue.yaml of a folder of definitions; an empty register where there is none.

    Raises:
        DefinitionsInvalid: something in it is wrong; with file, line, field and remedy.
    """
    if not (folder / REGISTER).exists():
        return Register()
    source, errors = read_yaml(folder / REGISTER, REGISTER)
    if source is None:
        raise DefinitionsInvalid(errors)
    try:
        return Register.model_validate(source.data)
    except ValidationError as error:
        raise DefinitionsInvalid(form_errors(error, source)) from error

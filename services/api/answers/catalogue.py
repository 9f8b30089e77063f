"""Entries of the catalogue as bodies of the API, in and out: the same names both ways."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.api.forms import Form, Text
from services.api.shapes import Answer, Document
from services.api.uses.catalogue import Shown
from services.control.catalogue.entry import (
    Contact,
    Contacts,
    Entry,
    EntryItem,
    Format,
    Opening,
    ResourceCode,
    Sharing,
    read_code,
)
from services.control.catalogue.lifecycle import Action, State, Step, Version
from services.control.catalogue.vocabulary import (
    BasisLevel,
    Cycle,
    FormatClass,
    Grade,
    ItemType,
    Library,
    OpenType,
    ResourceClass,
    Sensitivity,
    ShareMode,
    Use,
)
from services.control.store.catalogue.documents import document_of, item_values
from services.control.store.catalogue.dossiers import Stored
from topics.resource import ShareType

_CODE = r"^\d{6}\d*/\d+$"
CodeText = Annotated[str, Field(pattern=_CODE, max_length=60, description="Such as `3013205/000001`.")]


class FormatForm(Form):
    """The form in which a resource lies with its provider."""

    class_: Annotated[FormatClass | None, Field(alias="class")] = None
    type: Text = ""


class SharingForm(Form):
    """Who may have it, on which condition and basis."""

    type: ShareType = ShareType.UNCONDITIONAL
    condition: Text = ""
    mode: ShareMode | None = None
    use: Use | None = None
    basis_level: BasisLevel | None = None
    basis: Text = ""


class OpeningForm(Form):
    """Whether the public may have it."""

    type: OpenType | None = None
    condition: Text = ""


class ContactForm(Form):
    """A person who answers for an entry."""

    name: Text = ""
    phone: Text = ""


class ContactsForm(Form):
    """The three named persons."""

    head: ContactForm = ContactForm()
    deputy: ContactForm = ContactForm()
    clerk: ContactForm = ContactForm()


class ItemForm(Form):
    """One item."""

    name: Text
    item_type: ItemType | None = None
    length: Annotated[int | None, Field(ge=1, le=2**31 - 1)] = None
    name_en: Text = ""
    key: bool = False
    sensitivity: Sensitivity | None = None
    grade: Grade | None = None
    owner: Text = ""

    @property
    def item(self) -> EntryItem:
        """The item that the rules know."""
        return EntryItem(**self.model_dump())


class EntryForm(Form):
    """An entry as its department writes it; whose it is, is said by who writes it."""

    code: CodeText | None = None
    name: Text
    name_en: Text = ""
    summary: Text = ""
    format: FormatForm = FormatForm()
    items: Annotated[tuple[ItemForm, ...], Field(max_length=2000)] = ()
    sharing: SharingForm = SharingForm()
    opening: OpeningForm = OpeningForm()
    update_cycle: Cycle | None = None
    related: Annotated[tuple[CodeText, ...], Field(max_length=200)] = ()
    resource_class: ResourceClass | None = None
    library: Library | None = None
    licensing: bool = False
    contacts: ContactsForm = ContactsForm()

    @property
    def entry(self) -> Entry:
        """The entry that the rules know."""
        sharing = self.sharing.model_dump()
        return Entry(
            code=None if self.code is None else _code(self.code),
            name=self.name,
            name_en=self.name_en,
            summary=self.summary,
            form=Format(self.format.class_, self.format.type),
            items=tuple(each.item for each in self.items),
            sharing=Sharing(share_type=sharing.pop("type"), **sharing),
            opening=Opening(self.opening.type, self.opening.condition),
            update_cycle=self.update_cycle,
            related=tuple(map(_code, self.related)),
            resource_class=self.resource_class,
            library=self.library,
            licensing=self.licensing,
            contacts=_contacts(self.contacts),
        )


class ListedAnswer(Answer):
    """An entry as a list shows it."""

    id: UUID
    code: str | None
    name: str
    provider: str
    provider_code: str
    state: State
    newest: int
    published: int | None
    resource_class: str | None
    library: str | None
    share_type: ShareType
    open_type: str | None
    update_cycle: str | None
    format_class: str | None
    item_count: int
    changed_at: datetime
    lock_version: int


class CountAnswer(Answer):
    """How many entries have a value."""

    value: str
    count: int
    name: str


class FoundAnswer(Answer):
    """Some entries of a question, how many there are, and how many have each value of each facet."""

    items: list[ListedAnswer]
    next: str | None
    total: int
    facets: dict[str, list[CountAnswer]]


class VersionAnswer(Answer):
    """One version of an entry."""

    number: int
    state: State
    published_on: date | None
    filing: str = Field(description="Of a revision: the number under which it was filed; empty where none.")
    entry: Document
    items: list[Document]


class EntryStepAnswer(Answer):
    """What happened to a version: who, when, why."""

    version: int
    action: Action
    before: State | None
    after: State
    person: str
    role: str
    department: str
    when: datetime
    why: str
    changed_on: date | None


class EntryAnswer(Answer):
    """An entry: all of it for its department and who reviews it, what is published for everybody."""

    id: UUID
    lock_version: int
    department: str
    state: State
    published: int | None
    versions: list[VersionAnswer]
    steps: list[EntryStepAnswer]
    allowed: list[Action] = Field(description="What the reader can ask for now.")


class TakenAnswer(Answer):
    """An entry after a step."""

    id: UUID
    lock_version: int
    code: str | None
    state: State
    version: int


def entry_answer(found: Shown, allowed: Iterable[Action]) -> EntryAnswer:
    """An entry as its reader may see it."""
    dossier, published = found.stored.dossier, found.stored.dossier.published
    seen = dossier.versions if found.whole or published is None else (published,)
    newest = dossier.versions[-1] if found.whole or published is None else published
    return EntryAnswer(
        id=found.stored.id,
        lock_version=found.stored.lock_version,
        department=dossier.department,
        state=newest.state,
        published=None if published is None else published.number,
        versions=[_version(each) for each in seen],
        steps=[_step(each) for each in dossier.steps] if found.whole else [],
        allowed=list(allowed),
    )


def taken_answer(stored: Stored) -> TakenAnswer:
    """An entry after a step."""
    newest = stored.dossier.versions[-1]
    return TakenAnswer(
        id=stored.id,
        lock_version=stored.lock_version,
        code=None if newest.entry.code is None else str(newest.entry.code),
        state=newest.state,
        version=newest.number,
    )


def _version(version: Version) -> VersionAnswer:
    document = document_of(version.entry)
    document.pop("published_on")
    return VersionAnswer(
        number=version.number,
        state=version.state,
        published_on=version.entry.published_on,
        filing=version.filing,
        entry=document,
        items=[item_values(each) for each in version.entry.items],
    )


def _step(step: Step) -> EntryStepAnswer:
    return EntryStepAnswer(
        version=step.version,
        action=step.action,
        before=step.before,
        after=step.after,
        person=step.who.person,
        role=step.who.role.value,
        department=step.who.department,
        when=step.when,
        why=step.why,
        changed_on=step.changed_on,
    )


def _contacts(form: ContactsForm) -> Contacts:
    head, deputy, clerk = (Contact(each.name, each.phone) for each in (form.head, form.deputy, form.clerk))
    return Contacts(head, deputy, clerk)


def _code(text: str) -> ResourceCode:
    found = read_code(text)
    if found is None:
        raise ValueError("the pattern lets through what is no resource code")
    return found

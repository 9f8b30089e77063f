"""``/api/v1/catalogue/schemas``: what became of the schema of an entry's topics, from version to version."""

from datetime import datetime

from fastapi import APIRouter, Request

from services.api.routes.snapshots import TroubleAnswer
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer
from services.api.uses import schemas
from services.control.catalogue.schema_steps import Step
from topics.resource import Resource
from topics.schema_breaks import How
from topics.schema_changes import What

router = APIRouter(prefix="/catalogue/schemas", tags=["catalogue"])


class SchemaChangeAnswer(Answer):
    """One difference: where, in what, what stood there and stands there now; empty where nothing does."""

    path: str
    what: What
    was: str
    now: str


class SchemaBreakAnswer(Answer):
    """An item that readers of the older version cannot follow: gone, of another type, or empty at times."""

    item: str
    how: How
    was: str
    now: str


class SchemaStepAnswer(Answer):
    """From one version to the next: numbers of registered schemas, or ids of two versions of the resource."""

    before: str
    after: str
    changes: list[SchemaChangeAnswer]
    breaks: list[SchemaBreakAnswer]


class SchemaTopicAnswer(Answer):
    """A resource under the entry, with the newest step of its schema first."""

    resource: str
    topic: str
    steps: list[SchemaStepAnswer]


class SchemasAnswer(Answer):
    """The resources under an entry, the newest version last; `as_of` is null where nobody has looked."""

    items: list[SchemaTopicAnswer]
    as_of: datetime | None
    trouble: TroubleAnswer | None


@router.get("/{entry:path}")
def show_schemas(request: Request, entry: str) -> SchemasAnswer:
    """Show how the schemas of an entry's topics differ by version, by its id or its resource code."""
    found = schemas.of_entry(parts_of(request), principal_of(request), entry)
    return SchemasAnswer(
        items=[_topic(resource, steps) for resource, steps in found.resources],
        as_of=found.as_of,
        trouble=None if found.trouble is None else TroubleAnswer.model_validate(found.trouble),
    )


def _topic(resource: Resource, steps: tuple[Step, ...]) -> SchemaTopicAnswer:
    return SchemaTopicAnswer(
        resource=resource.id,
        topic=resource.canonical_topic,
        steps=[SchemaStepAnswer(**each.document()) for each in steps],
    )

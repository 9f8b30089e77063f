"""``/api/v1/notices/addresses`` and ``/deliveries``: where notices go, and whether they arrive."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints
from sqlalchemy import Connection

from services.api.forms import DepartmentFilter, Form, Key, Limit, Number
from services.api.repeating import Made, once
from services.api.repeating import Request as Asked
from services.api.security.asking import principal_of
from services.api.security.cookies import parts_of
from services.api.shapes import Answer, Page
from services.api.uses import notice_addresses
from services.api.uses.notice_addresses import Shown, Wanted
from services.control.notices.retrying import Failure
from services.control.notices.words import Channel, Kind, Language
from services.control.store.notices.addresses import KnownAddress
from services.control.store.notices.tables import Progress, Way

router = APIRouter(prefix="/notices", tags=["notices"])

Target = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class AddressForm(Form):
    """A mailbox or an endpoint of the own department."""

    way: Way
    target: Target
    language: Language = Language.ZH


class AddressAnswer(Answer):
    """An address. `previous_until`: so long the secret before the current one counts beside it."""

    id: int
    department: str
    way: Way
    target: str
    language: Language
    active: bool
    secret_version: int
    previous_until: datetime | None


class SecretAnswer(AddressAnswer):
    """An address with the secret of an endpoint: it is shown this once; null for a mailbox."""

    secret: str | None = None


class DeliveryAnswer(Answer):
    """What became of a notice on its way to an address; `detail` is a status or a code."""

    id: int
    address: int
    channel: Channel
    kind: Kind
    happened_at: datetime
    progress: Progress
    attempts: int
    due_at: datetime
    failure: Failure | None
    detail: str


@router.get("/addresses")
def list_addresses(request: Request, department: DepartmentFilter = None) -> Page[AddressAnswer]:
    """List where a department's notices go, the reader's own unless another is named."""
    found = notice_addresses.listed(parts_of(request), principal_of(request), department)
    return Page(items=[_address(each) for each in found])


@router.post("/addresses", status_code=201, response_model=SecretAnswer)
def add_address(request: Request, form: AddressForm, key: Key = None) -> Response:
    """Add a mailbox or an endpoint; the endpoint's secret is shown this once."""
    parts, principal = parts_of(request), principal_of(request)
    wanted = Wanted(form.way, form.target, form.language)

    def work(connection: Connection) -> Made:
        return _made(notice_addresses.added(parts, principal, connection, wanted), 201)

    return once(parts, principal, Asked(key, "add-notice-address", (form.model_dump(mode="json"),)), work)


@router.post("/addresses/{number}/secret", status_code=201, response_model=SecretAnswer)
def rotate_secret(request: Request, number: Number, key: Key = None) -> Response:
    """Give an endpoint a new secret, shown this once; the one before counts for a week more."""
    parts, principal = parts_of(request), principal_of(request)

    def work(connection: Connection) -> Made:
        return _made(notice_addresses.rotated(parts, principal, connection, number), 201)

    return once(parts, principal, Asked(key, "rotate-notice-secret", (number,)), work)


@router.delete("/addresses/{number}", status_code=204)
def switch_address_off(request: Request, number: Number) -> None:
    """Send nothing there any more; adding it again switches it on, with another secret."""
    notice_addresses.switched_off(parts_of(request), principal_of(request), number)


@router.get("/deliveries")
def list_deliveries(
    request: Request, department: DepartmentFilter = None, limit: Limit = 50
) -> Page[DeliveryAnswer]:
    """List the last deliveries to a department, the reader's own unless another is named."""
    found = notice_addresses.sent(parts_of(request), principal_of(request), department, limit)
    return Page(items=[DeliveryAnswer.model_validate(each) for each in found])


@router.post("/deliveries/{number}/try", status_code=204)
def try_delivery_anew(request: Request, number: Number) -> None:
    """Have a dead delivery tried from the beginning."""
    notice_addresses.tried_anew(parts_of(request), principal_of(request), number)


def _made(shown: Shown, status: int) -> Made:
    answer = SecretAnswer(**_address(shown.address).model_dump())
    return Made(answer, status, once={"secret": shown.secret} if shown.secret else {})


def _address(known: KnownAddress) -> AddressAnswer:
    return AddressAnswer(
        id=known.id,
        department=known.department,
        way=known.way,
        target=known.target,
        language=known.language,
        active=known.active,
        secret_version=known.secrets.current,
        previous_until=known.secrets.previous_until,
    )

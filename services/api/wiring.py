"""Puts the parts of the web process together from its settings and the stack that the environment names."""

import logging
import secrets
from datetime import UTC, datetime
from functools import partial
from typing import Final

from services.api.on_stack import BusOfStack
from services.api.parts import Parts
from services.api.routes.session import return_address
from services.api.settings import ApiSettings
from services.api.switch_on_stack import switch_on
from services.api.uses.case_following import follow_work
from services.control.accounts.hashing import Hasher
from services.control.definitions import load_definitions, packaged_definitions
from services.control.desk.catalogued import PublishedEntries, StoredCalendars
from services.control.desk.desk import Desk
from services.control.retirements.settings import RetirementSettings
from services.control.sending.courier import Means
from services.control.sending.wiring import RestoreSecret, means_of
from services.control.settings import ApplySettings
from services.control.signing_in.group_file import read_groups
from services.control.signing_in.local import LocalLogins
from services.control.signing_in.oidc import OidcLogins
from services.control.signing_in.oidc_client import Client, OidcClient
from services.control.stack_access import notice_settings
from services.control.store.cases.grant_requests import GrantOutbox
from services.control.store.database import Address, ControlDatabase
from services.control.store.ids import new_id
from services.stack.api import Stack
from services.stack.postgres import CONTROL, CONTROL_SECRET
from services.stack.settings import StackSettings

_log: Final = logging.getLogger(__name__)


class CorrectWebSettings(ValueError):  # noqa: N818 - says what to do
    """A file that the settings name cannot be used; the message says which and why."""


def parts(settings: ApiSettings, stack: Stack | None = None) -> Parts:
    """Everything that requests need; nothing is asked of the database yet.

    Args:
        settings: of the web process.
        stack: where the bus runs; the one that the environment names if it is not given.

    Raises:
        ValueError: a setting of notices is not allowed.
        pydantic.ValidationError: a setting of retirements or of the kill switch is not allowed.
        CorrectWebSettings: the secret of the identity provider cannot be read.
        CorrectGroupFile: the file with its groups is wrong.
        DefinitionsInvalid: the definitions cannot be used.
        RestorePassword: the address of the database holds a password.
    """
    stack = stack or Stack(StackSettings.from_environment())
    database = ControlDatabase(_address(stack), program="govbus-portal")
    definitions = load_definitions(settings.definitions or packaged_definitions())
    made = Parts(
        settings=settings,
        database=database,
        clock=_now,
        new_id=new_id,
        random=secrets.token_bytes,
        definitions=definitions,
        desk=Desk(PublishedEntries(definitions), StoredCalendars(), GrantOutbox()),
        logins=LocalLogins(database, Hasher(), secrets.token_bytes),
        oidc=_oidc(settings, database),
        bus=BusOfStack(stack, settings),
        switch=switch_on(stack, ApplySettings.from_environment()),
        session_rules=settings.session_rules,
        means=means_on(stack),
        parallel_days=RetirementSettings.from_environment().working_days,
    )
    made.switch.done = partial(follow_work, made)
    return made


def means_on(stack: Stack) -> Means | None:
    """As the control process sends; without its secret everything but endpoints goes on."""
    try:
        return means_of(notice_settings(stack))
    except RestoreSecret as error:
        _log.warning("endpoints of notices cannot be added: %s", error)
        return None


def _now() -> datetime:
    return datetime.now(UTC)


def _address(stack: Stack) -> Address:
    """The stack's own database, unless the environment names another."""
    endpoints, secret = stack.endpoints(), stack.context.secrets.path(CONTROL_SECRET)
    own = Address.at(endpoints.postgres_host, endpoints.postgres_port, CONTROL, CONTROL, secret)
    return Address.from_environment(own)


def _oidc(settings: ApiSettings, database: ControlDatabase) -> OidcLogins | None:
    secret, groups = settings.oidc_secret_file, settings.oidc_groups_file
    if not settings.oidc_issuer or secret is None or groups is None:
        return None
    try:
        text = secret.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CorrectWebSettings(f"the identity provider's secret {secret} cannot be read") from error
    client = Client(settings.oidc_issuer, settings.oidc_client_id, text, return_address(settings.origin))
    return OidcLogins(database, OidcClient(client, _now), read_groups(groups), secrets.token_bytes)

"""How the control plane reaches an embedded stack: its brokers, registry, Connect, users and secrets."""

import os

from producers.connect_client import ConnectClient, RetryPolicy
from producers.connector import ConnectEnvironment
from schemas.registry import RegistryCredentials
from services.control.access import Access, CaptureSource
from services.control.process.address import As, stack_address
from services.control.retention.adopted import asked_floor
from services.control.sending.settings import PREFIX, NoticeSettings
from services.control.store.database import Address, ControlDatabase
from services.stack.api import NOTICES_SECRET, Stack
from services.stack.probes import HOST
from services.stack.registry import REGISTRY_USERS
from services.stack.users import half_done_users, users_with_passwords


def access_of(stack: Stack) -> Access:
    """How apply reaches an embedded stack."""
    endpoints = stack.endpoints()

    def registry_credentials(user: str) -> RegistryCredentials:
        is_ours = user in REGISTRY_USERS
        auth = stack.registry_auth(user) if is_ours else stack.department_registry_auth(user)
        return RegistryCredentials(endpoints.registry_url, *auth)

    def withdraw_user(user: str) -> None:
        stack.users().withdraw(user)
        stack.withdraw_registry_login(user)

    return Access(
        home=stack.settings.home,
        bootstrap=endpoints.departments_bootstrap,
        registry_url=endpoints.registry_url,
        kafka_config=stack.kafka_config,
        registry_credentials=registry_credentials,
        ensure_user=lambda user: stack.users().ensure(user),
        withdraw_user=withdraw_user,
        lock_user=lambda user: stack.users().withdraw(user),
        renew_user=lambda user: stack.users().renew(user),
        settle_user=lambda user: stack.users().settle(user),
        half_done_users=lambda: half_done_users(stack.context.secrets),
        users_with_passwords=lambda: users_with_passwords(stack.context.secrets),
        known_users=lambda: stack.users().known(),
        capture_source=lambda name: _capture_source(stack, name),
        connect=lambda: ConnectClient(
            endpoints.connect_url, *stack.connect_auth(), retries=RetryPolicy(attempts=3)
        ),
        connect_environment=ConnectEnvironment(
            str(stack.context.layout.connect_secrets), endpoints.kafka_bootstrap
        ),
        master_secret=lambda version: stack.secret(f"master-v{version}").encode(),
        audit_floor=lambda: asked_floor(lambda: _control_database(stack)),
    )


def _control_database(stack: Stack) -> ControlDatabase:
    address = Address.from_environment(stack_address(stack, As.APPLICATION))
    return ControlDatabase(address, program="govbus apply")


def notice_settings(stack: Stack) -> NoticeSettings:
    """How notices leave a stack: as the environment says, with the stack's own secret and portal else.

    Raises:
        ValueError: a value of the environment is not allowed.
    """
    own = {
        PREFIX + "MASTER_FILE": str(stack.context.secrets.path(NOTICES_SECRET)),
        PREFIX + "PORTAL": f"http://{HOST}:{stack.settings.portal_port}",
    }
    return NoticeSettings.from_environment(own | dict(os.environ))


def _capture_source(stack: Stack, name: str) -> CaptureSource | None:
    """``secrets/connect/<name>.properties``: user, password; host, port, database if not ours."""
    path = stack.context.layout.connect_secrets / f"{name}.properties"
    if not path.exists():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    endpoints = stack.endpoints()
    return CaptureSource(
        host=found.get("host", endpoints.postgres_host),
        port=int(found.get("port", endpoints.postgres_port)),
        database=found.get("database", name),
        user=found["user"],
        password=found["password"],
    )

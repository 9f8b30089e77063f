"""The schema registry (Apicurio), with its storage in PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from schemas.registry import RegistryCredentials, RegistryRefused, RegistryUnavailable, SchemaRegistry
from services.stack.errors import StartStack
from services.stack.java import environment, runtime
from services.stack.java_part import JavaPart
from services.stack.probes import HOST, http_ok, loopback_session
from services.stack.process import Command
from services.stack.registry_logins import READERS, DepartmentLogins, Login
from services.stack.render import fill, shared_configuration, shared_values
from services.stack.secret_files import write_private

#: Who may log in besides departments; ``apply`` and ``connect`` may register schemas, the others only read.
REGISTRY_USERS = ("apply", "connect", *READERS)
#: In the shared file, which containers read too.
_DECLARED = ("apply", "connect", "reader")
COMPATIBILITY = "BACKWARD"


def secret_name(user: str) -> str:
    """Return the name of the secret file with a registry user's password."""
    return f"registry-{user}"


class Registry(JavaPart):
    """The schema registry's process."""

    name = "registry"
    configuration = ("registry.properties",)
    needs = ("postgres",)

    @property
    def ports(self) -> Mapping[str, int]:
        """The API's port and the management port."""
        settings = self.context.settings
        return {
            "registry_port": settings.registry_port,
            "registry_management_port": settings.registry_management_port,
        }

    @property
    def archives(self) -> Sequence[Path]:
        """The jar that names all others."""
        folder = self.context.jars.unpacked("registry")
        return [*folder.glob("quarkus-run.jar"), *folder.glob("*/quarkus-run.jar")]

    @property
    def ccompat_url(self) -> str:
        """The base of the Confluent-compatible API."""
        return f"http://{HOST}:{self.context.settings.registry_port}/apis/ccompat/v7"

    def prepare(self) -> None:
        """Write the configuration."""
        write_private(self.context.layout.conf / self.configuration[0], self._rendered())

    def knows_its_logins(self) -> bool:
        """Whether the configuration that the process has read names exactly the logins that there are now."""
        path = self.context.layout.conf / self.configuration[0]
        return path.exists() and path.read_text(encoding="utf-8") == self._rendered()

    def _rendered(self) -> str:
        settings, secrets = self.context.settings, self.context.secrets
        values = shared_values(settings) | {
            "GOVBUS_SECRET_POSTGRES_REGISTRY": secrets.read("postgres-registry"),
        }
        for user in _DECLARED:
            values[f"GOVBUS_SECRET_REGISTRY_{user.upper()}"] = secrets.read(secret_name(user))
        name = self.configuration[0]
        template = (shared_configuration() / name).read_text(encoding="utf-8")
        own = [Login(user, secrets.read(secret_name(user))) for user in READERS if user not in _DECLARED]
        return fill(template, values, name) + _read_only([*own, *DepartmentLogins(secrets).all()])

    def command(self) -> Command:
        """Return the registry's command."""
        settings = self.context.settings
        (program,) = self.archives
        location = {"QUARKUS_CONFIG_LOCATIONS": str(self.context.layout.conf / "registry.properties")}
        argv = [
            runtime(),
            *self.jvm(settings.registry_heap_mb),
            "-jar",
            str(program),
        ]
        return Command(argv, environment() | location, self.context.layout.run)

    def ready(self) -> bool:
        """Say whether the reader can list subjects, which needs the storage too."""
        reader = ("reader", self.context.secrets.read(secret_name("reader")))
        return http_ok(f"{self.ccompat_url}/subjects", reader)

    def settle(self) -> None:
        """Refuse, for every subject, schemas that old readers' data does not fit (BACKWARD).

        Also for the tables whose next schema was being accepted when that command was killed.
        """
        auth = ("apply", self.context.secrets.read(secret_name("apply")))
        self._set_level(auth)
        with loopback_session() as session:
            registry = SchemaRegistry(RegistryCredentials(self.ccompat_url, *auth), session)
            try:
                captured = [each for each in registry.subjects() if each.startswith("raw.")]
                for subject in captured:
                    if not registry.is_checked(subject):
                        registry.check_again(subject)
            except (RegistryRefused, RegistryUnavailable) as error:
                raise StartStack(f"registry: {error}") from error

    def _set_level(self, auth: tuple[str, str]) -> None:
        address = f"{self.ccompat_url}/config"
        with loopback_session(auth) as session:
            current = session.get(address, timeout=10)
            if current.ok and current.json().get("compatibilityLevel") == COMPATIBILITY:
                return
            answer = session.put(address, json={"compatibility": COMPATIBILITY}, timeout=10)
        if not answer.ok:
            raise StartStack(f"registry: setting {COMPATIBILITY} was answered with {answer.status_code}")


def _read_only(logins: Iterable[Login]) -> str:
    users = "quarkus.security.users.embedded"
    lines = [
        f"{users}.users.{login.name}={login.password}\n{users}.roles.{login.name}=sr-readonly\n"
        for login in logins
    ]
    return "".join(lines)

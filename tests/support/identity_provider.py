"""A real OpenID provider for tests: Django OAuth Toolkit in a process of its own, with its login and consent.

Nothing of it is ours but what a site configures: its people, clients and claims. What it says of them stands
in a file that is read at each token, so that a test can change groups, or have the provider make a mistake.

``python -m tests.support.identity_provider FOLDER RETURN_TO LEFT_TO`` reads ``people.json`` there and prints
its port.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
CLIENT: Final = "govbus"
SECRET: Final = "s3cret/with:signs+and%41"
"""Signs that are changed on their way where one side forgets to write them as a form does."""
OTHER_CLIENT: Final = "another-application"
PASSWORD: Final = "Tanne-41-Wolke"
_PEOPLE: Final = "people.json"
_START_S: Final = 60


@dataclass(frozen=True)
class IdentityProvider:
    """The provider as a test sees it."""

    issuer: str
    folder: Path

    def says(self, people: Mapping[str, Mapping[str, Any]]) -> None:
        """From now on it says this of these people, by login name."""
        unfinished = self.folder / f"{_PEOPLE}.new"
        unfinished.write_text(json.dumps(people), encoding="utf-8")
        unfinished.replace(self.folder / _PEOPLE)


@contextmanager
def running(
    folder: Path, logins: tuple[str, ...], return_to: str, left_to: str
) -> Iterator[IdentityProvider]:
    """The provider, until the end of the block.

    Args:
        folder: where it keeps everything.
        logins: the names of its people; all have the same password.
        return_to: the one address to which its clients may have browsers sent back.
        left_to: the one to which they may have browsers sent that have logged out.
    """
    (folder / _PEOPLE).write_text(json.dumps({login: {} for login in logins}), encoding="utf-8")
    argv = [sys.executable, "-m", "tests.support.identity_provider", str(folder), return_to, left_to]
    # It speaks plain http on loopback only, which its library asks to be told.
    environment = {**os.environ, "OAUTHLIB_INSECURE_TRANSPORT": "1", "PYTHONPATH": str(ROOT)}
    with (folder / "stderr").open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, (folder / "stderr").read_text(encoding="utf-8")
            yield IdentityProvider(f"http://127.0.0.1:{int(line)}/o", folder)
        finally:
            process.terminate()
            process.wait(_START_S)
            if process.stdout is not None:
                process.stdout.close()


def serve(folder: Path, return_to: str, left_to: str) -> None:
    """Be the provider, until somebody ends it."""
    import django
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from django.conf import settings

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings.configure(**_settings(folder, pem))
    django.setup()
    _fill(json.loads((folder / _PEOPLE).read_text(encoding="utf-8")), return_to, left_to)
    _listen()


def _settings(folder: Path, pem: str) -> dict[str, Any]:
    templates = {"registration/login.html": "<form method='post'>{% csrf_token %}{{ form }}</form>"}
    loaders = [
        ("django.template.loaders.locmem.Loader", templates),
        "django.template.loaders.app_directories.Loader",
    ]
    return {
        "SECRET_KEY": os.urandom(32).hex(),
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "ROOT_URLCONF": "tests.support.identity_provider_site",
        "DATABASES": {
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "provider.sqlite3")}
        },
        "INSTALLED_APPS": [
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.staticfiles",
            "oauth2_provider",
        ],
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": loaders,
                    "context_processors": ["django.template.context_processors.request"],
                },
            }
        ],
        "LOGIN_URL": "/login/",
        "STATIC_URL": "/static/",
        "USE_TZ": True,
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "OAUTH2_PROVIDER": _openid(pem),
        "PEOPLE": str(folder / _PEOPLE),
    }


def _openid(pem: str) -> dict[str, Any]:
    return {
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": pem,
        "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
        # It asks only where it cannot tell whose session is meant.
        "OIDC_RP_INITIATED_LOGOUT_ALWAYS_PROMPT": False,
        "PKCE_REQUIRED": True,
        "SCOPES": {"openid": "Who somebody is", "profile": "Name and groups", "email": "E-mail"},
        "OAUTH2_VALIDATOR_CLASS": "tests.support.identity_provider_site.Claims",
    }


def _fill(people: Mapping[str, Any], return_to: str, left_to: str) -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from oauth2_provider.models import get_application_model

    call_command("migrate", verbosity=0)
    for login in people:
        User.objects.create_user(login, password=PASSWORD)
    application = get_application_model()
    for client in (CLIENT, OTHER_CLIENT):
        application.objects.create(
            name=client,
            client_id=client,
            client_secret=SECRET,
            client_type=application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=application.GRANT_AUTHORIZATION_CODE,
            redirect_uris=return_to,
            post_logout_redirect_uris=left_to,
            algorithm=application.RS256_ALGORITHM,
        )


def _listen() -> None:
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIServer, make_server

    from django.core.wsgi import get_wsgi_application

    class Threaded(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    # A site that is configured by hand has no module of settings to name.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "none")
    with make_server("127.0.0.1", 0, get_wsgi_application(), server_class=Threaded) as server:
        print(server.server_port, flush=True)
        server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3])

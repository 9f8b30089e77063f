"""Makes the courier's means of its settings: files of secrets are read, and refused where others can."""

import stat
from functools import partial
from pathlib import Path
from typing import Final

from services.control.notices.retrying import Retry
from services.control.sending.courier import Means
from services.control.sending.mailer import MailServer
from services.control.sending.settings import PREFIX, NoticeSettings
from services.control.sending.webhook import Reach

_SHORTEST_MASTER: Final = 32


class RestoreSecret(Exception):  # noqa: N818 - named after what its catcher must do
    """A file with a secret is missing, too short, or readable by others; the text says which."""


def means_of(settings: NoticeSettings) -> Means:
    """By what notices leave.

    Raises:
        RestoreSecret: the master secret cannot be used.
    """
    if settings.master_file is None:
        raise RestoreSecret(f"{PREFIX}MASTER_FILE names no file; webhooks cannot be signed without it")
    master = read_secret(settings.master_file)
    if len(master) < _SHORTEST_MASTER:
        raise RestoreSecret(
            f"{settings.master_file} has fewer than {_SHORTEST_MASTER} bytes; generate another"
        )
    return Means(
        portal=settings.portal,
        sender=settings.sender,
        server=_server(settings),
        reach=Reach(
            settings.webhook_allow, settings.webhook_plain, settings.webhook_ca_file, settings.timeout_s
        ),
        master=master,
        retry=Retry(attempts=settings.attempts),
    )


def read_secret(path: Path) -> bytes:
    """The bytes of a file that nobody else can read, without white space around them.

    Raises:
        RestoreSecret: it is not there, or others can read it.
    """
    try:
        mode, value = path.stat().st_mode, path.read_bytes().strip()
    except OSError as error:
        raise RestoreSecret(f"secret file {path} cannot be read: {error.strerror}") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RestoreSecret(f"secret file {path} can be read by others; run: chmod 600 {path}")
    return value


def _server(settings: NoticeSettings) -> MailServer | None:
    if not settings.smtp_host:
        return None
    file = settings.smtp_password_file
    password = str if file is None else partial(_text, file)
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_user,
        password,
        settings.smtp_ca_file,
        settings.timeout_s,
    )


def _text(path: Path) -> str:
    return read_secret(path).decode()

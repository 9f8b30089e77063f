"""Hands letters to a mail server: encrypted, its certificate verified, and never in clear text."""

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from services.control.notices.retrying import Delivered, Failure, Never, NotNow, Outcome

_PERMANENT: Final = range(500, 600)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where letters are handed over."""

    host: str
    port: int
    user: str = ""
    password: Callable[[], str] = str
    """Reads the password anew for each letter, so that none is kept."""
    ca_file: Path | None = None
    timeout_s: float = 10.0


def send(server: MailServer, message: EmailMessage) -> Outcome:
    """Hand one letter over; every failure is an outcome, and none of them holds what the server said."""
    try:
        context = ssl.create_default_context(cafile=server.ca_file)
        with smtplib.SMTP(server.host, server.port, timeout=server.timeout_s) as session:
            session.starttls(context=context)
            if server.user:
                session.login(server.user, server.password())
            session.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        return _outcome(error)
    return Delivered()


def _outcome(error: OSError | smtplib.SMTPException) -> Outcome:
    """What an error means; SMTPException is an OSError, so the order matters."""
    match error:
        case ssl.SSLError():
            return NotNow(Failure.TLS_REFUSED, type(error).__name__)
        case smtplib.SMTPNotSupportedError():
            return NotNow(Failure.TLS_REFUSED, "the server offers no such extension")
        case smtplib.SMTPAuthenticationError():
            return NotNow(Failure.LOGIN_REFUSED, str(error.smtp_code))
        case smtplib.SMTPRecipientsRefused():
            codes = sorted(code for code, _ in error.recipients.values())
            return _by_code(Failure.RECIPIENT_REFUSED, codes[0] if codes else 0)
        case smtplib.SMTPConnectError() | smtplib.SMTPServerDisconnected():
            return NotNow(Failure.UNREACHABLE, type(error).__name__)
        case smtplib.SMTPResponseException():
            return _by_code(Failure.SERVER_REFUSED, error.smtp_code)
        case smtplib.SMTPException():
            return NotNow(Failure.SERVER_REFUSED, type(error).__name__)
        case _:
            return NotNow(Failure.UNREACHABLE, type(error).__name__)


def _by_code(failure: Failure, code: int) -> Outcome:
    """A recipient that is refused for good is not asked again; a server may be mended."""
    final = failure is Failure.RECIPIENT_REFUSED and code in _PERMANENT
    return Never(failure, str(code)) if final else NotNow(failure, str(code))

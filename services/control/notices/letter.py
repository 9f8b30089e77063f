"""A notice, or a day's digest, as a mail message that no content can break out of; pure.

Headers are made of ids, numbers and days (`shown`), and the standard library refuses line breaks in them. The
addresses are checked before, because they are what an administrator typed.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from services.control.notices.text import Text
from services.control.notices.words import Language

_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAILBOX: Final = re.compile(rf"(?P<local>{_LOCAL})@(?P<domain>{_LABEL}(\.{_LABEL})*)")
_LONGEST_MAILBOX: Final = 254
_LONGEST_LOCAL: Final = 64

_DIGEST: Final = {Language.ZH: "{count} 条提醒", Language.EN: "{count} reminders"}
_SENT_BY: Final = {
    Language.ZH: "本邮件由政务数据共享平台自动发送，请勿回复。详情以平台页面为准。",
    Language.EN: "Sent by the data sharing platform; please do not reply. The portal says more.",
}


def is_mailbox(address: str) -> bool:
    """Whether an address is plain: local part, domain, nothing quoted and no comment."""
    found = _MAILBOX.fullmatch(address)
    if found is None or len(address) > _LONGEST_MAILBOX:
        return False
    return len(found["local"]) <= _LONGEST_LOCAL


def letter(
    texts: Sequence[Text], language: Language, sender: str, recipient: str, at: datetime, id_: str
) -> EmailMessage:
    """One message with one notice, or with several as a digest.

    Args:
        texts: at least one.
        language: of the recipient.
        sender: the address it comes from.
        recipient: the address it goes to.
        at: when it is sent.
        id_: unique for this message, so that one sent twice can be told: letters, digits, dots and hyphens.

    Raises:
        ValueError: an address or the id is not of its form, or there is nothing to say.
    """
    if not texts or not is_mailbox(sender) or not is_mailbox(recipient):
        raise ValueError("a letter needs a notice and two plain addresses")
    if re.fullmatch(r"[A-Za-z0-9.-]{1,100}", id_) is None:
        raise ValueError("the id of a message is made of letters, digits, dots and hyphens")
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = _subject(texts, language)
    message["Date"] = at
    message["Message-ID"] = f"<{id_}@{sender.rpartition('@')[2]}>"
    # Nobody's out-of-office answer is wanted (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    text = "\n\n".join([*map(_paragraph, texts), _SENT_BY[language]]) + "\n"
    # In ASCII, whatever the servers on the way understand.
    message.set_content(text, cte="base64")
    # Setting the content clears what was said of another.
    message["Content-Language"] = language.value
    return message


def _subject(texts: Sequence[Text], language: Language) -> str:
    return texts[0].subject if len(texts) == 1 else _DIGEST[language].format(count=len(texts))


def _paragraph(text: Text) -> str:
    return f"{text.subject}\n{text.what_to_do}\n{text.link}"

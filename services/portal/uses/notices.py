"""Notices in the language of a page."""

from services.control.notices.event import Happened
from services.control.notices.text import Text, text_of
from services.control.notices.words import Language
from services.portal.languages import CHINESE, Tongue


def text_for(happened: Happened, tongue: Tongue) -> Text:
    """What happened, what to do, and the path of the page about it."""
    return text_of(happened, Language.ZH if tongue == CHINESE else Language.EN, "")

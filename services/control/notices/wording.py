"""What each kind of notice says in each language; a test checks that both languages name the same slots."""

from collections.abc import Mapping
from typing import Final

from services.control.notices.said import Said
from services.control.notices.wording_of_accounts import ACCOUNTS
from services.control.notices.wording_of_cases import CASES, TICKETS
from services.control.notices.wording_of_entries import ENTRIES
from services.control.notices.wording_of_grants import GRANTS, OTHERS
from services.control.notices.wording_of_needs import NEEDS, OBJECTIONS
from services.control.notices.words import Kind, Language

SAID: Final[Mapping[tuple[Kind, Language], Said]] = {
    (kind, language): said
    for kind, both in (*CASES, *TICKETS, *GRANTS, *OTHERS, *NEEDS, *OBJECTIONS, *ENTRIES, *ACCOUNTS)
    for language, said in zip(Language, both, strict=True)
}
"""Each kind in each language."""

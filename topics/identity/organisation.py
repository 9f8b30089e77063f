"""Unified social credit codes (GB 32100-2015) and organisation codes (GB 11714)."""

import re
from typing import Final

from topics.identity.digits import (
    CREDIT_ALPHABET,
    credit_code_check_digit,
    organisation_code_check_digit,
)
from topics.identity.kinds import (
    IdentityKind,
    IdentityNote,
    IdentityReason,
    IdentityVerdict,
    accepted,
    refused,
)
from topics.identity.regions import PROVINCES

# Registered by a national authority: the area code of the whole country instead of a province's.
_WHOLE_COUNTRY: Final = "10"
_CREDIT_FORM: Final = re.compile(rf"[{CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{CREDIT_ALPHABET}]{{10}}")
_CREDIT_CHARACTERS: Final = re.compile(rf"[{CREDIT_ALPHABET}]*")
_ORGANISATION_FORM: Final = re.compile(r"[0-9A-Z]{8}[0-9X]")
_ORGANISATION_PRINTED: Final = re.compile(r"([0-9A-Z]{8})-([0-9X])")


def check_credit_code(code: str) -> IdentityVerdict:
    """Check a normalised unified social credit code, the organisation code inside it included."""
    kind = IdentityKind.CREDIT_CODE
    reason = _credit_form_reason(code) or _credit_digit_reason(code)
    if reason is not None:
        return refused(kind, code, reason)
    if code[2:4] in PROVINCES or code[2:4] == _WHOLE_COUNTRY:
        return accepted(kind, code)
    return accepted(kind, code, IdentityNote.REGION_UNKNOWN)


def check_organisation_code(code: str) -> IdentityVerdict:
    """Check a normalised organisation code; the printed form with a hyphen is accepted with a note."""
    kind = IdentityKind.ORGANISATION_CODE
    printed = _ORGANISATION_PRINTED.fullmatch(code)
    machine = printed[1] + printed[2] if printed else code
    reason = _organisation_reason(machine)
    if reason is not None:
        return refused(kind, machine, reason)
    return accepted(kind, machine, *((IdentityNote.HYPHEN_REMOVED,) if printed else ()))


def _credit_form_reason(code: str) -> IdentityReason | None:
    if not code:
        return IdentityReason.EMPTY
    if len(code) != 18:
        return IdentityReason.LENGTH
    if _CREDIT_CHARACTERS.fullmatch(code) is None:
        return IdentityReason.CHARACTERS
    if not code.strip("0") or not code[8:17].strip("0"):
        # The arithmetic accepts an organisation of nothing but zeros; no register issues it.
        return IdentityReason.ALL_ZERO
    return None if _CREDIT_FORM.fullmatch(code) else IdentityReason.FORM


def _credit_digit_reason(code: str) -> IdentityReason | None:
    if credit_code_check_digit(code[:17]) != code[17]:
        return IdentityReason.CHECK_DIGIT
    if organisation_code_check_digit(code[8:16]) != code[16]:
        return IdentityReason.ORGANISATION_CHECK_DIGIT
    return None


def _organisation_reason(code: str) -> IdentityReason | None:
    if not code:
        return IdentityReason.EMPTY
    if len(code) != 9:
        return IdentityReason.LENGTH
    if _ORGANISATION_FORM.fullmatch(code) is None:
        return IdentityReason.CHARACTERS
    if not code.strip("0"):
        return IdentityReason.ALL_ZERO
    return None if organisation_code_check_digit(code[:8]) == code[8] else IdentityReason.CHECK_DIGIT

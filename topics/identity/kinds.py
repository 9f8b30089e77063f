"""The words of identity checks: kinds of identifiers, reasons for a refusal, notes, and the verdict."""

from dataclasses import dataclass
from enum import StrEnum


class IdentityKind(StrEnum):
    """The kinds of identifiers by which persons and organisations are keyed."""

    RESIDENT_ID = "resident_id"
    CREDIT_CODE = "credit_code"
    PASSPORT = "passport"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    FOREIGN_PERMANENT_RESIDENT = "foreign_permanent_resident"
    ORGANISATION_CODE = "organisation_code"


class IdentityReason(StrEnum):
    """Why an identifier is refused; a closed list, its codes are stable and public."""

    EMPTY = "EMPTY"
    LENGTH = "LENGTH"
    OBSOLETE_15_DIGITS = "OBSOLETE_15_DIGITS"
    CHARACTERS = "CHARACTERS"
    FORM = "FORM"
    ALL_ZERO = "ALL_ZERO"
    PROVINCE_UNKNOWN = "PROVINCE_UNKNOWN"
    BIRTH_DATE_NOT_REAL = "BIRTH_DATE_NOT_REAL"
    BIRTH_DATE_BEFORE_1850 = "BIRTH_DATE_BEFORE_1850"
    BIRTH_DATE_IN_FUTURE = "BIRTH_DATE_IN_FUTURE"
    CHECK_DIGIT = "CHECK_DIGIT"
    ORGANISATION_CHECK_DIGIT = "ORGANISATION_CHECK_DIGIT"
    COUNTRY_MALFORMED = "COUNTRY_MALFORMED"
    # Given only where identifiers come in as text of unknown shape, never by `check`.
    KIND_UNKNOWN = "KIND_UNKNOWN"
    UNREADABLE = "UNREADABLE"


class IdentityNote(StrEnum):
    """What is worth knowing of an identifier that is accepted all the same."""

    OVER_130_YEARS = "OVER_130_YEARS"
    COUNTY_UNKNOWN = "COUNTY_UNKNOWN"
    COUNTY_ABOLISHED = "COUNTY_ABOLISHED"
    COUNTY_NOT_CHECKED = "COUNTY_NOT_CHECKED"
    REGION_UNKNOWN = "REGION_UNKNOWN"
    COUNTRY_NOT_GIVEN = "COUNTRY_NOT_GIVEN"
    ISSUE_COUNT_INCLUDED = "ISSUE_COUNT_INCLUDED"
    HYPHEN_REMOVED = "HYPHEN_REMOVED"


@dataclass(frozen=True, slots=True)
class IdentityVerdict:
    """The answer for one identifier; `value` is its normalised text, also when it is refused."""

    kind: IdentityKind
    value: str
    valid: bool
    reason: IdentityReason | None
    notes: tuple[IdentityNote, ...]


def accepted(kind: IdentityKind, value: str, *notes: IdentityNote) -> IdentityVerdict:
    """Return the verdict of an accepted identifier with its notes."""
    return IdentityVerdict(kind, value, True, None, notes)


def refused(kind: IdentityKind, value: str, reason: IdentityReason) -> IdentityVerdict:
    """Return the verdict of a refused identifier."""
    return IdentityVerdict(kind, value, False, reason, ())

"""The one entrance to identity checks: normalise, check by kind, and make the key of an identity."""

from datetime import date
from typing import Final

from topics.identity.documents import (
    check_foreign_permanent_resident,
    check_hk_macao_permit,
    check_passport,
    check_taiwan_permit,
)
from topics.identity.kinds import IdentityKind, IdentityVerdict
from topics.identity.organisation import check_credit_code, check_organisation_code
from topics.identity.resident import check_resident_id
from topics.identity.text import normalise

__all__ = ["check", "identity_key", "normalise"]


def check(kind: IdentityKind, value: str, today: date, issuing_country: str | None = None) -> IdentityVerdict:
    """Normalise an identifier and check it by the rules of its kind; never raises for bad text.

    Args:
        kind: what the identifier claims to be.
        value: its text as it came.
        today: the day that decides whether a birth date lies in the future.
        issuing_country: three-letter code of the state that issued a passport (ICAO Doc 9303 / ISO 3166-1);
            other kinds ignore it.
    """
    number = normalise(value)
    match kind:
        case IdentityKind.RESIDENT_ID:
            return check_resident_id(number, today)
        case IdentityKind.CREDIT_CODE:
            return check_credit_code(number)
        case IdentityKind.PASSPORT:
            return check_passport(number, None if issuing_country is None else normalise(issuing_country))
        case IdentityKind.HK_MACAO_PERMIT:
            return check_hk_macao_permit(number)
        case IdentityKind.TAIWAN_PERMIT:
            return check_taiwan_permit(number)
        case IdentityKind.FOREIGN_PERMANENT_RESIDENT:
            return check_foreign_permanent_resident(number)
        case IdentityKind.ORGANISATION_CODE:
            return check_organisation_code(number)


_LIFELONG_LENGTH: Final = {IdentityKind.HK_MACAO_PERMIT: 9, IdentityKind.TAIWAN_PERMIT: 8}
"""Travel permits carry a count of issues after the number that a person keeps for life."""


def identity_key(kind: IdentityKind, normalised: str, country: str | None = None) -> str:
    """Return the key of an identity: `resident_id:<number>`, `passport:<country>:<number>` and so on.

    Args:
        kind: the kind of the identifier.
        normalised: the `value` of an accepted verdict.
        country: the issuing state of a passport, without which two persons could share a key.

    Raises:
        ValueError: a passport without its issuing country.
    """
    if kind is not IdentityKind.PASSPORT:
        return f"{kind}:{normalised[: _LIFELONG_LENGTH.get(kind)]}"
    issuer = normalise(country or "")
    if not issuer:
        raise ValueError("a passport is an identity only together with its issuing country: give the country")
    return f"{kind}:{issuer}:{normalised}"

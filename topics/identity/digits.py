"""Check digits of resident numbers, credit codes and organisation codes, to verify and to generate them."""

from typing import Final

RESIDENT_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
RESIDENT_CHECKS: Final = "10X98765432"
CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
ORGANISATION_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
ORGANISATION_CHECKS: Final = "0123456789X"


def resident_id_check_digit(first17: str) -> str:
    """Return the 18th character of a resident number (GB 11643-1999, ISO 7064 MOD 11-2).

    Raises:
        ValueError: `first17` is not 17 ASCII digits.
    """
    return RESIDENT_CHECKS[_weighted(first17, "0123456789", RESIDENT_WEIGHTS) % 11]


def credit_code_check_digit(first17: str) -> str:
    """Return the 18th character of a unified social credit code (GB 32100-2015, MOD 31).

    Raises:
        ValueError: `first17` is not 17 characters of the code's alphabet, which lacks I, O, S, V and Z.
    """
    return CREDIT_ALPHABET[-_weighted(first17, CREDIT_ALPHABET, CREDIT_WEIGHTS) % 31]


def organisation_code_check_digit(first8: str) -> str:
    """Return the ninth character of an organisation code (GB 11714, MOD 11; ten is written X).

    Raises:
        ValueError: `first8` is not 8 ASCII digits or upper-case letters.
    """
    return ORGANISATION_CHECKS[-_weighted(first8, ORGANISATION_ALPHABET, ORGANISATION_WEIGHTS) % 11]


def _weighted(text: str, alphabet: str, weights: tuple[int, ...]) -> int:
    if len(text) != len(weights):
        raise ValueError(f"{len(weights)} characters are needed, {len(text)} were given")
    return sum(alphabet.index(character) * weight for character, weight in zip(text, weights, strict=True))

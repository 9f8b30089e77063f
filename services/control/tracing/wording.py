"""The words of the person trace in Chinese and English: kinds of identities, and why an answer is empty."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from services.control.bilingual import Said, speaker_of
from services.control.tracing.answer import Link, Why
from topics.identity.kinds import IdentityKind, IdentityReason

LISTS: Final = (IdentityKind, IdentityReason, Link, Why)
"""The lists whose words stand here."""
_OURS: Final[Sequence[tuple[StrEnum, Said]]] = (
    (IdentityKind.RESIDENT_ID, ("居民身份证号", "resident's number")),
    (IdentityKind.CREDIT_CODE, ("统一社会信用代码", "credit code")),
    (IdentityKind.PASSPORT, ("护照号码", "passport")),
    (
        IdentityKind.HK_MACAO_PERMIT,
        ("港澳居民来往内地通行证", "permit of residents of Hong Kong and Macao"),
    ),
    (IdentityKind.TAIWAN_PERMIT, ("台湾居民来往大陆通行证", "permit of residents of Taiwan")),
    (
        IdentityKind.FOREIGN_PERMANENT_RESIDENT,
        ("外国人永久居留身份证", "permanent residence card of foreigners"),
    ),
    (IdentityKind.ORGANISATION_CODE, ("组织机构代码", "organisation code")),
    (IdentityReason.EMPTY, ("未填写", "nothing was given")),
    (IdentityReason.LENGTH, ("长度不符", "its length is wrong")),
    (IdentityReason.OBSOLETE_15_DIGITS, ("15 位旧号码已停用", "numbers of 15 digits are obsolete")),
    (IdentityReason.CHARACTERS, ("含有不允许的字符", "it has characters that it cannot have")),
    (IdentityReason.FORM, ("格式不符", "its form is wrong")),
    (IdentityReason.ALL_ZERO, ("全部为零", "it is all zeros")),
    (IdentityReason.PROVINCE_UNKNOWN, ("省级代码不存在", "there is no such province")),
    (IdentityReason.BIRTH_DATE_NOT_REAL, ("出生日期不存在", "there is no such day of birth")),
    (IdentityReason.BIRTH_DATE_BEFORE_1850, ("出生日期早于 1850 年", "the birth is before 1850")),
    (IdentityReason.BIRTH_DATE_IN_FUTURE, ("出生日期在今天之后", "the birth is in the future")),
    (IdentityReason.CHECK_DIGIT, ("校验码不符", "the check digit does not fit")),
    (
        IdentityReason.ORGANISATION_CHECK_DIGIT,
        ("主体标识码的校验码不符", "the organisation's check digit does not fit"),
    ),
    (
        IdentityReason.COUNTRY_MALFORMED,
        ("签发国代码缺失或格式不符", "the issuing state is missing or wrong"),
    ),
    (IdentityReason.KIND_UNKNOWN, ("证件类型未知", "its kind is not known")),
    (IdentityReason.UNREADABLE, ("无法读取", "it cannot be read")),
    (Link.OWN, ("本号码", "this number")),
    (Link.CORRECTED, ("经更正的号码", "by a corrected number")),
    (Why.NOT_BEGUN, ("索引尚未建立", "the index was not begun")),
    (Why.UNKNOWN_SUBJECT, ("没有此人的记录", "no record about this person")),
    (Why.NOBODY_RECEIVED, ("没有部门收到过", "nobody received one")),
    (Why.NOT_YOURS, ("本部门没有此人的记录", "none of your department")),
)
said: Final = speaker_of(_OURS)
"""The word for a value of one of the lists, in a language."""

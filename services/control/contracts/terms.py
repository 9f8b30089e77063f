"""What both forms of a contract say of a grant in words: title, purpose, rows, days, masks; pure."""

from services.control.catalogue.vocabulary import Language
from services.control.contracts.agreement import Agreement
from services.control.contracts.wording import Phrase, say
from topics.grants.declaration import Mask, PartialMask
from topics.resource import Titles


def titled(titles: Titles, language: Language) -> str:
    """The title in that language."""
    return titles.zh if language is Language.ZH else titles.en


def title_of(agreement: Agreement, language: Language) -> str:
    """The resource and the department that gets it."""
    resource, consumer = agreement.resource.titles, agreement.consumer.titles
    return say(
        Phrase.TITLE, language, resource=titled(resource, language), consumer=titled(consumer, language)
    )


def description_of(agreement: Agreement, language: Language) -> str:
    """Purpose, legal basis, rows and days in one text."""
    grant = agreement.grant
    return say(
        Phrase.DESCRIPTION,
        language,
        purpose=grant.purpose,
        basis=grant.legal_basis,
        rows=rows_of(agreement, language),
        days=days_of(agreement, language),
    )


def rows_of(agreement: Agreement, language: Language) -> str:
    """Which records the grant covers."""
    rows = agreement.grant.rows
    if not rows:
        return say(Phrase.ALL_ROWS, language)
    between, after = ("、", "，且") if language is Language.ZH else (", ", " and ")
    is_one_of = "属于" if language is Language.ZH else " is one of "
    items = agreement.resource.item
    filters = [
        f"{titled(items(row.item).titles, language)}{is_one_of}{between.join(row.values)}" for row in rows
    ]
    return say(Phrase.ROWS, language, filters=after.join(filters))


def days_of(agreement: Agreement, language: Language) -> str:
    """From when until when the grant is in force, and whether changes follow."""
    grant = agreement.grant
    days = say(Phrase.DAYS, language, start=grant.valid_from, end=grant.valid_until)
    between = "" if language is Language.ZH else " "
    return f"{days}{between}{say(Phrase.ONCE, language)}" if grant.once else days


def mask_of(mask: Mask, language: Language) -> str:
    """What a mask leaves."""
    if isinstance(mask, PartialMask):
        return say(Phrase.MASK_PARTIAL, language, first=mask.keep_first, last=mask.keep_last)
    return say(Phrase(mask.kind), language)

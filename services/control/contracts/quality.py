"""Quality rules of a resource as checks of the contract of one grant; pure.

Only rules are told whose items the grant gives: another rule would describe what the consumer must not know.
A rule about a masked item was judged before the mask, so it is told as govbus's own and not as a check that
the consumer could repeat.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from services.control.catalogue.vocabulary import Language
from services.control.contracts.agreement import Agreement
from services.control.contracts.wording import Phrase, say
from topics.quality import declaration as declared
from topics.quality.compiler import compile_rules
from topics.quality.rules import CodeList
from topics.quality.verdict import Rule, Severity

ENGINE: Final = "govbus"
_SEVERITIES: Final = {Severity.STOP: "error", Severity.MARK: "warning"}
_DIMENSIONS: Final[dict[str, str]] = {
    "required": "completeness",
    "type": "conformity",
    "length": "conformity",
    "pattern": "conformity",
    "code_list": "conformity",
    "range": "conformity",
    "date_order": "consistency",
    "equal": "consistency",
    "implication": "consistency",
    "identity_birth_date": "consistency",
    "identity_sex": "consistency",
    "timeliness": "timeliness",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One declared rule and its compiled form, which knows its name and its items."""

    declaration: declared.RuleDeclaration
    rule: Rule


def checks(agreement: Agreement) -> tuple[Check, ...]:
    """The rules of the resource whose items are all given, in declared order."""
    given = set(agreement.grant.items)
    return tuple(each for each in _compiled(agreement) if given.issuperset(each.rule.items))


def possible_marks(agreement: Agreement) -> tuple[str, ...]:
    """Names of all rules that mark: a record carries them whether the items are given or not."""
    return tuple(each.rule.id for each in _compiled(agreement) if each.rule.severity is Severity.MARK)


def of_item(agreement: Agreement, item: str, language: Language) -> list[dict[str, Any]]:
    """The checks that concern this item alone."""
    return [_quality(agreement, each, language) for each in checks(agreement) if each.rule.items == (item,)]


def across(agreement: Agreement, language: Language) -> list[dict[str, Any]]:
    """The checks that concern several items, or the record as a whole."""
    return [_quality(agreement, each, language) for each in checks(agreement) if len(each.rule.items) != 1]


def _compiled(agreement: Agreement) -> Iterator[Check]:
    resource = agreement.resource
    lists = [_code_list(name, codes) for name, codes in agreement.code_lists.items()]
    names = [item.name for item in resource.items]
    compiled = compile_rules(resource.rules, lists, names, resource.update_cycle)
    return map(Check, resource.rules, compiled.rules)


def _code_list(key: str, codes: tuple[str, ...]) -> CodeList:
    name, _, version = key.rpartition("@")
    return CodeList(name, version, frozenset(codes))


def _quality(agreement: Agreement, check: Check, language: Language) -> dict[str, Any]:
    masked = any(item in agreement.grant.masks for item in check.rule.items)
    said = [say(Phrase(check.rule.severity.value), language)]
    if masked:
        said.append(say(Phrase.BEFORE_MASK, language))
    repeatable = None if masked else _library(agreement, check.declaration)
    return {
        "name": check.rule.id,
        "description": " ".join(said),
        "dimension": _DIMENSIONS[check.declaration.rule],
        "severity": _SEVERITIES[check.rule.severity],
        **(repeatable or _own(check.declaration)),
    }


def _library(agreement: Agreement, rule: declared.RuleDeclaration) -> dict[str, Any] | None:
    """The rule as one of the metrics that every tool for contracts knows, or None where there is none."""
    found: dict[str, Any]
    match rule:
        case declared.RequiredDeclaration():
            found = {"metric": "missingValues", "arguments": {"missingValues": [None, ""]}}
        case declared.CodeListDeclaration():
            codes = agreement.code_lists[f"{rule.list}@{rule.version}"]
            found = {"metric": "invalidValues", "arguments": {"validValues": list(codes)}}
        case declared.PatternDeclaration():
            found = {"metric": "invalidValues", "arguments": {"pattern": rule.pattern}}
        case _:
            return None
    return {"type": "library", **found, "mustBe": 0, "unit": "rows"}


def _own(rule: declared.RuleDeclaration) -> dict[str, Any]:
    """The declaration itself, which only govbus carries out."""
    implementation = rule.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"type": "custom", "engine": ENGINE, "implementation": implementation}

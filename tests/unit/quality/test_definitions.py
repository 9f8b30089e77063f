"""What a definition of quality rules may not say, and with which words it is refused."""

import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from topics.quality.compiler import QualityDefinitionError, compile_rules
from topics.quality.declaration import parse_declarations
from topics.quality.pattern import MAX_TEXT, UnsafePatternError, compile_pattern
from topics.quality.rules import CodeList
from topics.quality.verdict import CompiledRules, Severity


def compiled(text: str, **more: Any) -> CompiledRules:
    return compile_rules(parse_declarations(yaml.safe_load(f"[{text}]")), **more)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^[0-9A-Z]{2}-?\\d+$", "A1-5", "A1-"),
        ("^(?:19|20)\\d{2}$", "1999", "2199"),
        ("^(a|b)?c$", "ac", "abc"),
        ("^(?:ab){2}$", "abab", "ab"),
        ("^[^\\]\\-]*$", "x", "-"),
        ("^[]x]$", "]", "y"),
        ("^\\.\\$\\^\\\\$", ".$^\\", "a"),
        ("^[\u4e00-\u9fff·]{2,50}$", "王五", "Wang"),
        ("^$", "", " "),
    ],
)
def test_a_safe_pattern_compiles_and_matches(pattern: str, good: str, bad: str) -> None:
    assert compile_pattern(pattern).fullmatch(good)
    assert not compile_pattern(pattern).fullmatch(bad)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("", "anchor"),
        ("^", "anchor"),
        ("a$", "anchor"),
        ("^a", "anchor"),
        ("^a\\$", "escaped punctuation"),
        ("^a|b$", "into a group"),
        ("^(a+)+$", "repeated group"),
        ("^(a*)*$", "repeated group"),
        ("^(a?){50}$", "repeated group"),
        ("^(a|a)*$", "repeated group"),
        ("^((a+)b)+$", "repeated group"),
        ("^(?:(?:x|y)z){2}$", "repeated group"),
        ("^a*a*a*$", "small upper bounds"),
        ("^" + "a?" * 30 + "$", "small upper bounds"),
        ("^a{1001}$", "at most"),
        ("^a{3,2}$", "least before the most"),
        ("^a+?$", "lazy"),
        ("^a++$", "lazy"),
        ("^a{2}{3}$", "lazy"),
        ("^(?=a)a$", "look-around"),
        ("^(?P<n>a)$", "look-around"),
        ("^(?i)a$", "look-around"),
        ("^(a)\\1$", "only"),
        ("^\\ba$", "only"),
        ("^a^b$", "may not stand"),
        ("^*a$", "may not stand"),
        ("^a)$", "without its"),
        ("^(a$", "not closed"),
        ("^[a$", "class is not closed"),
        ("^[a\\b]$", "class is not closed"),
        ("^[[a]$", "class is not closed"),
        ("^[a--b]$", "class is not closed"),
        ("^[z-a]$", "not a regular expression"),
        ("^" + "(" * 21 + "a" + ")" * 21 + "$", "nested"),
    ],
)
def test_a_pattern_outside_the_subset_is_refused_with_the_reason(pattern: str, reason: str) -> None:
    with pytest.raises(UnsafePatternError, match=reason):
        compile_pattern(pattern)


@given(st.text("^$ab()[]{}*+?|\\d,1:-", max_size=25))
def test_every_pattern_compiles_or_is_refused(inner: str) -> None:
    try:
        pattern = compile_pattern(f"^{inner}$")
    except UnsafePatternError:
        return
    pattern.fullmatch("ab1" * 50)


@pytest.mark.parametrize("pattern", ["^a*a*b$", "^a{0,99}a{0,99}a{0,99}b$", "^.*.*x$"])
def test_the_most_costly_pattern_allowed_ends_soon(pattern: str) -> None:
    began = time.process_time()
    assert compile_pattern(pattern).fullmatch("a" * MAX_TEXT) is None
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{rule: required, item: a}, {rule: required, item: a}", r"two rules are called a\.required"),
        ("{rule: pattern, item: a, pattern: '^(a+)+$'}", r"rule a\.pattern: a repeated group"),
        ("{rule: code_list, item: a, list: sex, version: '1'}", r"needs code list sex 1"),
        ("{rule: range, item: a, min: 2, max: 1}", r"min is over max"),
        ("{rule: range, item: a, min: now}", r"the bound now is not a number"),
        ("{rule: range, item: a, unit: date, min: 5}", r"the bound 5 is not a date"),
        ("{rule: range, item: a, unit: date, max: tomorrow}", r"the bound tomorrow is not a date"),
        ("{rule: range, item: a, max: .nan}", r"the bound nan is not a number"),
    ],
)
def test_rules_that_cannot_be_compiled_are_refused(text: str, reason: str) -> None:
    with pytest.raises(QualityDefinitionError, match=reason):
        compiled(text)


def test_a_rule_about_an_item_that_the_resource_has_not_is_refused() -> None:
    text = "{rule: date_order, earlier: a, later: b}"
    assert compiled(text, items={"a", "b"}).rules
    with pytest.raises(QualityDefinitionError, match="about b, which is no item"):
        compiled(text, items={"a"})


def test_a_kind_item_must_be_an_item_too() -> None:
    text = "{rule: identity_sex, identity_item: a, sex_item: b, kind_item: c}"
    with pytest.raises(QualityDefinitionError, match="about c, which is no item"):
        compiled(text, items={"a", "b"})


def test_a_code_list_is_of_one_version() -> None:
    text = "{rule: code_list, item: a, list: sex, version: '1'}"
    assert compiled(text, code_lists=[CodeList("sex", "1", frozenset("12"))]).rules
    with pytest.raises(QualityDefinitionError, match="sex 1"):
        compiled(text, code_lists=[CodeList("sex", "2", frozenset("12"))])


@pytest.mark.parametrize(
    "text",
    [
        "{item: a}",
        "{rule: unheard-of, item: a}",
        "{rule: required}",
        "{rule: required, item: a, note: x}",
        "{rule: required, item: a, severity: warn}",
        "{rule: type, item: a, type: string, scale: 2}",
        "{rule: type, item: a, type: decimal, precision: 2, scale: 3}",
        "{rule: length, item: a, min: 3, max: 2}",
        "{rule: length, item: a, min: -1}",
        "{rule: range, item: a}",
        "{rule: date_order, earlier: a, later: b, unit: number}",
        "{rule: implication, when: {item: a}, then: {item: b, present: true}}",
        "{rule: implication, when: {item: a, equals: 1, present: true}, then: {item: b, present: true}}",
        "{rule: timeliness, update_cycle: daily, within_seconds: 5}",
        "{rule: timeliness, update_cycle: daily, item: a, unit: date}",
    ],
)
def test_a_declaration_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        parse_declarations(yaml.safe_load(f"[{text}]"))


def test_rules_below_an_item_are_about_that_item() -> None:
    declarations = parse_declarations([{"rule": "required", "severity": "mark"}], item="name")
    (rule,) = compile_rules(declarations).rules
    assert (rule.id, rule.items, rule.severity) == ("name.required", ("name",), Severity.MARK)

"""Turns declared quality rules into frozen rule objects, once per definition."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from topics.quality import cross, rules
from topics.quality import declaration as declared
from topics.quality.pattern import UnsafePatternError, compile_pattern
from topics.quality.values import Unit, as_number, count_of_moment
from topics.quality.verdict import CompiledRules, Rule, RuleId

NOW: Final = "now"
_MS: Final = 1_000

_CodeLists = Mapping[tuple[str, str], rules.CodeList]


class QualityDefinitionError(ValueError):
    """The declared rules cannot be compiled: change the definition as the message says."""


def compile_rules(
    declarations: Iterable[declared.RuleDeclaration],
    code_lists: Iterable[rules.CodeList] = (),
    items: Collection[str] | None = None,
    update_cycle: declared.UpdateCycle = declared.UpdateCycle.REAL_TIME,
) -> CompiledRules:
    """Compile the rules of one resource.

    Args:
        declarations: in the order in which findings shall be listed.
        code_lists: every list and version that a rule may name.
        items: the resource's items; given, a rule about any other item is refused.
        update_cycle: the resource's, by which timeliness is judged where its rule names nothing shorter.

    Raises:
        QualityDefinitionError: two rules of one name, an unsafe pattern, an unknown code list or item, or a
            bound that is not of its unit.
    """
    lists = {(each.name, each.version): each for each in code_lists}
    compiled: dict[RuleId, Rule] = {}
    for declaration in declarations:
        rule = _compile(declaration, lists, update_cycle)
        if rule.id in compiled:
            raise QualityDefinitionError(f"two rules are called {rule.id}: give one of them an id of its own")
        unknown = [item for item in rule.items if items is not None and item not in items]
        if unknown:
            raise QualityDefinitionError(
                f"rule {rule.id} is about {unknown[0]}, which is no item: correct the name"
            )
        compiled[rule.id] = rule
    return CompiledRules(tuple(compiled.values()))


def _compile(declaration: declared.RuleDeclaration, lists: _CodeLists, cycle: declared.UpdateCycle) -> Rule:
    match declaration:
        case declared.CodeListDeclaration():
            return _code_list(declaration, lists)
        case declared.PatternDeclaration():
            return _pattern(declaration)
        case declared.RangeDeclaration():
            return _range(declaration)
        case declared.TimelinessDeclaration():
            return _timeliness(declaration, cycle)
        case _:
            return _SIMPLE[type(declaration)](declaration)


def _id(declaration: declared.RuleDeclaration, *items: str) -> RuleId:
    return RuleId(declaration.id or ".".join((*items, declaration.rule)))


def _required(d: declared.RequiredDeclaration) -> Rule:
    return rules.Required(_id(d, d.item), d.severity, d.item)


def _type(d: declared.TypeDeclaration) -> Rule:
    return rules.TypeIs(_id(d, d.item), d.severity, d.item, d.type, d.precision, d.scale)


def _length(d: declared.LengthDeclaration) -> Rule:
    return rules.LengthWithin(_id(d, d.item), d.severity, d.item, d.min, d.max)


def _pattern(d: declared.PatternDeclaration) -> Rule:
    name = _id(d, d.item)
    try:
        return rules.MatchesPattern(name, d.severity, d.item, compile_pattern(d.pattern))
    except UnsafePatternError as error:
        raise QualityDefinitionError(f"rule {name}: {error}") from error


def _code_list(d: declared.CodeListDeclaration, lists: _CodeLists) -> Rule:
    name = _id(d, d.item)
    codes = lists.get((d.list, d.version))
    if codes is None:
        raise QualityDefinitionError(
            f"rule {name} needs code list {d.list} {d.version}: add it or correct the name"
        )
    return rules.InCodeList(name, d.severity, d.item, codes)


def _range(d: declared.RangeDeclaration) -> Rule:
    name = _id(d, d.item)
    least, most = _bound(name, d.min, d.unit), _bound(name, d.max, d.unit)
    fixed = [bound.value for bound in (least, most) if bound is not None and bound.value is not None]
    if len(fixed) == 2 and fixed[0] > fixed[1]:
        raise QualityDefinitionError(f"rule {name}: min is over max, so no value is in the range")
    return rules.InRange(name, d.severity, d.item, d.unit, least, most)


def _bound(name: RuleId, value: declared.BoundValue | None, unit: Unit) -> rules.Bound | None:
    if value is None:
        return None
    if value == NOW and unit is not Unit.NUMBER:
        return rules.Bound(None)
    measured = _declared_number(value) if unit is Unit.NUMBER else _declared_moment(value, unit)
    if measured is None:
        raise QualityDefinitionError(f"rule {name}: the bound {value} is not a {unit}")
    return rules.Bound(measured)


def _declared_number(value: declared.BoundValue) -> Decimal | None:
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    # A declared 0.1 means one tenth, not the binary fraction next to it.
    return as_number(repr(value) if isinstance(value, float) else value)


def _declared_moment(value: declared.BoundValue, unit: Unit) -> int | None:
    if isinstance(value, date):
        return count_of_moment(value, unit)
    if not isinstance(value, str):
        return None
    try:
        return count_of_moment(datetime.fromisoformat(value), unit)
    except ValueError:
        return None


def _date_order(d: declared.DateOrderDeclaration) -> Rule:
    return cross.DatesInOrder(_id(d, d.earlier, d.later), d.severity, d.earlier, d.later, d.unit)


def _equal(d: declared.EqualDeclaration) -> Rule:
    return cross.ItemsEqual(_id(d, *d.items), d.severity, *d.items)


def _implication(d: declared.ImplicationDeclaration) -> Rule:
    name = _id(d, d.when.item, d.then.item)
    return cross.Implies(name, d.severity, _condition(d.when), _condition(d.then))


def _condition(d: declared.ConditionDeclaration) -> cross.Condition:
    among = d.among if d.equals is None else (d.equals,)
    return cross.Condition(d.item, among, present=d.present is True)


def _birth_date(d: declared.IdentityBirthDateDeclaration) -> Rule:
    name = _id(d, d.identity_item, d.birth_date_item)
    return cross.BirthDateAgrees(name, d.severity, d.identity_item, d.kind_item, d.birth_date_item)


def _sex(d: declared.IdentitySexDeclaration) -> Rule:
    name = _id(d, d.identity_item, d.sex_item)
    codes = (d.male, d.female)
    return cross.SexAgrees(name, d.severity, d.identity_item, d.kind_item, d.sex_item, codes)


def _timeliness(d: declared.TimelinessDeclaration, cycle: declared.UpdateCycle) -> Rule:
    name = _id(d, *(() if d.item is None else (d.item,)))
    return cross.InTime(name, d.severity, d.limit_seconds(cycle) * _MS, d.item, d.unit)


_SIMPLE: Final[Mapping[type, Callable[..., Rule]]] = {
    declared.RequiredDeclaration: _required,
    declared.TypeDeclaration: _type,
    declared.LengthDeclaration: _length,
    declared.DateOrderDeclaration: _date_order,
    declared.EqualDeclaration: _equal,
    declared.ImplicationDeclaration: _implication,
    declared.IdentityBirthDateDeclaration: _birth_date,
    declared.IdentitySexDeclaration: _sex,
}

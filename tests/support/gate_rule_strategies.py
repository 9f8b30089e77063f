"""Random quality rules of every kind, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

Shape = dict[str, st.SearchStrategy[Any]]
Rule = dict[str, Any]

_MOMENT_UNITS = ("timestamp-millis", "timestamp-micros")
_UNITS = st.sampled_from(["date", *_MOMENT_UNITS])
_KINDS = st.sampled_from(
    ["string", "integer", "number", "boolean", "bytes", "date", "timestamp-millis", "timestamp-micros"]
)
_BOUNDS = st.sampled_from([0, 1, 5, "12.5", 0.1, -3])
_MOMENTS = st.sampled_from(["now", "2020-01-01", "2026-01-01"])
_PATTERNS = st.sampled_from(
    ["^[1-9][0-9]{5}$", "^\\d+(?:\\.\\d{1,2})?$", "^[^a]*$", "^.{1,3}$", "^\\w+\\s?$"]
)
_SCALARS = st.sampled_from(["1", "2", "a", "x", 1, 2, True, False, "resident_id"])
_SEVERITIES = st.sampled_from(["stop", "mark", "mark"])


@st.composite
def rules(draw: st.DrawFn, names: list[str]) -> list[Rule]:
    """Rules of every kind over these items."""
    item = st.sampled_from(names)
    shapes = [*_of_one_item(item), *_of_several_items(item), *_of_time(item)]
    chosen = draw(st.lists(st.sampled_from(shapes), max_size=6))
    return [
        {**draw(st.fixed_dictionaries(shape)), "id": f"r{n}", "severity": draw(_SEVERITIES)}
        for n, shape in enumerate(chosen)
    ]


def _shape(rule: str, **fields: st.SearchStrategy[Any]) -> Shape:
    return {"rule": st.just(rule), **fields}


def _of_one_item(item: st.SearchStrategy[str]) -> list[Shape]:
    return [
        _shape("required", item=item),
        _shape("type", item=item, type=_KINDS),
        _shape("type", item=item, type=st.just("decimal"), precision=st.just(4), scale=st.just(1)),
        _shape("length", item=item, min=st.integers(0, 3), max=st.none() | st.integers(3, 9)),
        _shape("pattern", item=item, pattern=_PATTERNS),
        _shape("code_list", item=item, list=st.just("sex"), version=st.just("2003")),
        _shape("range", item=item, min=_BOUNDS),
        _shape("range", item=item, max=_BOUNDS),
        _shape("range", item=item, unit=_UNITS, max=_MOMENTS),
        _shape("range", item=item, unit=_UNITS, min=_MOMENTS),
    ]


def _of_several_items(item: st.SearchStrategy[str]) -> list[Shape]:
    condition = _conditions(item)
    identity = {"identity_item": item, "kind_item": st.none() | item}
    return [
        _shape("date_order", earlier=item, later=item, unit=_UNITS),
        _shape("equal", items=st.tuples(item, item)),
        _shape("implication", when=condition, then=condition),
        _shape("identity_birth_date", birth_date_item=item, **identity),
        _shape("identity_sex", sex_item=item, **identity),
    ]


def _of_time(item: st.SearchStrategy[str]) -> list[Shape]:
    return [
        _shape("timeliness", within_seconds=st.sampled_from([1, 100_000])),
        _shape("timeliness", item=item, within_seconds=st.just(10_000), unit=st.sampled_from(_MOMENT_UNITS)),
    ]


def _conditions(item: st.SearchStrategy[str]) -> st.SearchStrategy[Rule]:
    return st.one_of(
        st.fixed_dictionaries({"item": item, "equals": _SCALARS}),
        st.fixed_dictionaries({"item": item, "in": st.lists(_SCALARS, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"item": item, "present": st.booleans()}),
    )

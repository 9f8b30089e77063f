"""Each mask on each kind of text: every engine delivers what the mask's own function says."""

import pytest

from services.fanout.plan import spec_of
from tests.support.fanout_cases import TOPIC, GrantCase, assert_alike, canonical_record, item_schema, plan_of
from topics.canonical import envelope_schema
from topics.delivery import is_mark
from topics.engine.fanout_compile import compile_fanout
from topics.engine.reference import without_logical_types
from topics.engine.schema import parse
from topics.grants.declaration import DistrictMask, DropMask, HashMask, Mask, PartialMask, RowFilter, YearMask
from topics.grants.masks import compile_mask
from topics.wire import split

TEXTS = [
    "",
    "a",
    "ab",
    "abc",
    "abcdef",
    "abcdefg",
    "王",
    "王小",
    "王小明",
    "欧阳小明",
    "é̀",
    "👩‍👩‍👧x",
    "a" * 63,
    "王" * 64,
    "x" * 9000,
]
MASKS: list[Mask] = [
    *(
        PartialMask(keep_first=first, keep_last=last)
        for first in (0, 1, 2, 3, 200)
        for last in (0, 1, 2, 3, 200)
    ),
    HashMask(),
    DistrictMask(),
    YearMask(),
    DropMask(),
]
DAYS = [
    -719_162,
    -719_163,
    2_932_896,
    2_932_897,
    0,
    -1,
    1,
    58,
    59,
    364,
    365,
    11_016,
    19_723,
    -25_509,
    -141_428,
]


@pytest.mark.parametrize("mask", MASKS, ids=str)
@pytest.mark.parametrize("avro_type", ["string", ["null", "string"], ["string", "null"]], ids=str)
def test_a_masked_text_is_what_the_masks_function_says(mask: Mask, avro_type: object) -> None:
    texts = TEXTS if avro_type == "string" else [*TEXTS, None]
    schema = item_schema([{"name": "a", "type": avro_type}])
    plan = plan_of(schema, [GrantCase(("a",), {"a": mask})])
    records = [canonical_record(schema, (), {"a": text}, offset=at) for at, text in enumerate(texts)]
    found = assert_alike(plan, envelope_schema(schema, ()), records)
    [grant] = next(iter(plan.resources.values())).grants
    function = compile_mask(mask, "a", grant.secret_key)
    delivered = [output.value or b"" for lane in found.lanes for output in lane]
    assert [grant.value_codec.decode(split(value)[1])["a"] for value in delivered] == list(
        map(function, texts)
    )


@pytest.mark.parametrize("avro_type", ["int", ["null", "int"], ["int", "null"]], ids=str)
def test_a_date_is_delivered_as_1_january_and_what_is_no_date_is_withheld(avro_type: object) -> None:
    schema = item_schema([{"name": "d", "type": avro_type}])
    plan = plan_of(schema, [GrantCase(("d",), {"d": YearMask()})])
    records = [canonical_record(schema, (), {"d": day}, offset=at) for at, day in enumerate(DAYS)]
    found = assert_alike(plan, envelope_schema(schema, ()), records)
    assert found.grants[0].delivered == len(DAYS) - 2
    assert dict(found.grants[0].withheld) == {"INTERNAL": 2}


MARKS = [
    "length",
    "a-b_c.1",
    "",
    " ",
    "a b",
    "a,b",
    *(f"a{chr(code)}b" for code in range(33)),
    "\x7f",
    "a\x85b",
    "汉",
]


@pytest.mark.parametrize("mark", MARKS, ids=repr)
def test_marks_are_delivered_or_refused_alike(mark: str) -> None:
    """A mark that may not stand in the header withholds the record; a tombstone carries no marks."""
    schema = item_schema([{"name": "a", "type": ["null", "string"]}])
    plan = plan_of(schema, [GrantCase(("a",)), GrantCase(("a",), rows=(RowFilter(item="a", values=("x",)),))])
    records = [
        canonical_record(schema, ("a",), {"a": "y"}, offset=at, marks=marks, previous={"a": "x"})
        for at, marks in enumerate(([mark], ["first", mark], [mark, mark, "last"]))
    ]
    found = assert_alike(plan, envelope_schema(schema, ("a",)), records)
    assert found.grants[0].delivered == (3 if is_mark(mark) else 0)
    assert found.grants[1].tombstoned == 3


@pytest.mark.parametrize(
    ("second", "projections"),
    [
        (GrantCase(("a", "b"), {"a": PartialMask(keep_first=1)}), 1),
        (
            GrantCase(
                ("a", "b"), {"a": PartialMask(keep_first=1)}, rows=(RowFilter(item="b", values=("x",)),)
            ),
            1,
        ),
        (GrantCase(("a", "b"), {"a": PartialMask(keep_first=2)}), 2),
        (GrantCase(("a",), {"a": PartialMask(keep_first=1)}), 2),
        (GrantCase(("a", "b"), {"a": HashMask()}), 2),
    ],
    ids=["the same", "other rows", "another mask", "fewer items", "a mask with the grant's own key"],
)
def test_grants_of_equal_items_and_masks_share_one_projection(second: GrantCase, projections: int) -> None:
    items = item_schema([{"name": "a", "type": "string"}, {"name": "b", "type": "string"}])
    first = GrantCase(("a", "b"), {"a": PartialMask(keep_first=1)})
    plan = plan_of(items, [first, second])
    spec = spec_of(plan, plan.resources[TOPIC])
    compiled = compile_fanout(spec, parse(without_logical_types(envelope_schema(items, ("b",)))))
    assert len(compiled.projections) == projections

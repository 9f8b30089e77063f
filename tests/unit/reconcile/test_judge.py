"""A source's rows judged by each of the gate's engines: the same as by the gate's functions, one by one."""

from collections import Counter
from datetime import date
from functools import cache
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.columns import Column
from producers.debezium import UNAVAILABLE, record_id_of
from services.gate.plan import compile_gate
from services.reconcile.judge import Judged, RowJudge, moment, take
from services.reconcile.row_bytes import RowBytes
from services.reconcile.rows import key_bytes
from services.reconcile.scan import form_of, values_of
from tests.support.policy import sample_policy
from tests.unit.gate.line_cases import ID_A, ID_B
from topics.engine import native
from topics.engine.choose import Implementation
from topics.event import Record, RecordId, ResourceId, SchemaId, Stopped
from topics.wire import split

AT_MS = 1_790_000_000_000
COMPILED = [Implementation.NATIVE] if native.compiled() else []
IMPLEMENTATIONS = [*COMPILED, Implementation.GENERATED, Implementation.REFERENCE]
ENTRY = sample_policy().resources[ResourceId("population.person.v1")]
PLAN = compile_gate(sample_policy())
SOURCE = PLAN.sources[ENTRY.resource.raw_topic]
FORM = form_of(ENTRY, SOURCE)
COLUMNS = (
    Column("id", "int8"),
    *(Column(name, "text") for name in ("id_number", "name", "sex", "address", "household_district")),
    Column("birth_date", "date"),
    Column("updated_at", "timestamp"),
)
FITTING: Record = {
    "id": 1,
    "id_number": ID_A,
    "name": "王小明",
    "sex": "1",
    "address": "平江路1号",
    "household_district": "320508",
    "birth_date": (date(1990, 1, 1) - date(1970, 1, 1)).days,
    "updated_at": AT_MS * 1000,
}


class NoOther:
    def schema(self, schema_id: SchemaId) -> dict[str, Any]:
        raise KeyError(schema_id)


@cache
def judge(implementation: Implementation) -> RowJudge:
    values = values_of(ENTRY, FORM, NoOther())
    return RowJudge(PLAN, SOURCE, COLUMNS, values, FORM, moment(SOURCE, AT_MS), implementation)


def one_by_one(row: Record) -> Judged:
    """What the gate's own functions make of a row."""
    record_id = record_id_of(row, SOURCE.primary_key) or RecordId("")
    taken = take(row, record_id, SOURCE, moment(SOURCE, AT_MS))
    if isinstance(taken, Stopped):
        return Judged(record_id.encode(), None)
    return Judged(
        record_id.encode(), FORM.digest(key_bytes(taken.identity.encode(), record_id.encode()), taken.items)
    )


TEXTS = st.none() | st.sampled_from(["", UNAVAILABLE, "1", "3", "320508", "名" * 70]) | st.text(max_size=90)
ROWS = st.fixed_dictionaries(
    {
        "id": st.integers(-(2**63), 2**63 - 1) | st.none(),
        "id_number": st.sampled_from([ID_A, ID_B, ID_A.lower(), "110101199003070000", "", None]) | TEXTS,
        **dict.fromkeys(("name", "sex", "address", "household_district"), TEXTS),
        "birth_date": st.none() | st.integers(-(2**31), 2**31 - 1) | st.just(FITTING["birth_date"]),
        "updated_at": st.none() | st.integers(-(2**63), 2**63 - 1),
    }
)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@given(rows=st.lists(ROWS | st.just(FITTING), max_size=6))
def test_rows_are_judged_as_the_gate_would_one_by_one(
    implementation: Implementation, rows: list[Record]
) -> None:
    assert Counter(judge(implementation).judged(rows)) == Counter(map(one_by_one, rows))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_a_row_that_fits_has_a_digest_one_of_which_nobody_is_known_has_none(
    implementation: Implementation,
) -> None:
    nobody = {**FITTING, "id": 2, "id_number": "110101199003070000"}
    bad_quality = {**FITTING, "id": 3, "sex": "9" * 40}
    found = dict(judge(implementation).judged([FITTING, nobody, bad_quality]))
    assert [found[key] is None for key in (b"1", b"2", b"3")] == [False, True, False]


def test_a_value_of_another_type_than_its_column_is_left_to_the_gates_functions() -> None:
    odd = {**FITTING, "birth_date": "1990-01-01"}
    assert list(judge(IMPLEMENTATIONS[0]).judged([odd])) == [one_by_one(odd)]


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int4": st.integers(-(2**31), 2**31 - 1),
    "int8": st.integers(-(2**63), 2**63 - 1),
    "bool": st.booleans(),
    "float8": st.floats(allow_nan=False),
    "bytea": st.binary(max_size=200),
    "text": st.text(max_size=200),
    "uuid": st.uuids().map(str),
    "_text": st.lists(st.none() | st.text(max_size=70), max_size=4),
}
KINDS = tuple(Column(f"c{number}", kind) for number, kind in enumerate(VALUES))


@given(row=st.fixed_dictionaries({each.name: st.none() | VALUES[each.type] for each in KINDS}))
def test_a_row_of_any_types_is_written_as_fastavro_writes_it(row: Record) -> None:
    made = RowBytes(KINDS)
    source = {"ts_ms": 0, "sequence": None, "lsn": None}
    envelope = {"before": None, "after": row, "source": source, "op": "r"}
    stream = BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(dict(made.schema)), envelope)
    assert split(made.encode(row))[1] == stream.getvalue()

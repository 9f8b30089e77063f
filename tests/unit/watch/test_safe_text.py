"""What of a trace may be shown: the reason, but no secret and nobody's data."""

import pytest

from services.watch.safe_text import first_line, safe_line, summary

TRACE = """org.apache.kafka.connect.errors.ConnectException: stopped
\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:52)
Caused by: java.lang.RuntimeException: in between
Caused by: org.postgresql.util.PSQLException: ERROR: publication "govbus_police" does not exist
"""


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("password=hunter22 refused", "hunter22"),
        ("Key (id_number)=(11010519491231002X) already exists", "11010519491231002X"),
        ("value 13800138000 is out of range", "13800138000"),
        ("no row for 张三", "张三"),
        ("credit code 91110000600007309J is taken", "91110000600007309J"),
    ],
)
def test_values_are_hidden(text: str, hidden: str) -> None:
    line = safe_line(text)
    assert hidden not in line
    assert "***" in line


@pytest.mark.parametrize(
    "text",
    [
        "org.postgresql.util.PSQLException: ERROR: must be superuser",
        "Connection to 127.0.0.1:25432 refused",
        "Task threw an uncaught and unrecoverable exception",
    ],
)
def test_the_reason_stays_readable(text: str) -> None:
    assert safe_line(text) == text


def test_the_summary_is_the_first_line_and_the_cause_at_the_root() -> None:
    said = summary(TRACE)
    assert said.startswith("org.apache.kafka.connect.errors.ConnectException: stopped (Caused by: ")
    assert 'publication "govbus_police" does not exist' in said
    assert "in between" not in said


@pytest.mark.parametrize("nothing", [None, "", "\n \n"])
def test_without_a_trace_there_is_no_line(nothing: str | None) -> None:
    assert first_line(nothing) == ""


def test_a_line_is_not_longer_than_a_line() -> None:
    assert len(safe_line("word " * 200)) == 240

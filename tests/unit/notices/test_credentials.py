"""A department is told that its credential ends, at each step of each version once, and that it has ended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.control.credential_life import Credential, Ended
from services.control.notices.event import Offices, told
from services.control.notices.of_credentials import ending, expired
from services.control.notices.text import text_of
from services.control.notices.words import Audience, Channel, Kind, Language, Slot
from tests.support.notices import NOW, PORTAL
from topics.event import ConsumerId

KNOWN = Offices(authority=("data_bureau",), operator=("operations",))


def credential(days: int, version: int = 1) -> Credential:
    """One that ends after so many days."""
    return Credential(ConsumerId("health"), version, NOW - timedelta(days=99), NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("days", "step"), [(31, None), (30, 30), (8, 30), (7, 7), (2, 7), (1, 1), (0, None), (-1, None)]
)
def test_the_end_is_told_thirty_seven_and_one_days_before(days: int, step: int | None) -> None:
    found = list(ending([credential(days)], KNOWN, NOW))
    assert [each.key for each in found] == ([f"credential:health:1:{step}"] if step else [])
    assert all(each.facts[Slot.DAYS] == days for each in found)


def test_on_its_last_day_it_is_told_until_its_moment() -> None:
    last = replace(credential(1), expires_at=NOW + timedelta(seconds=1))
    assert [each.facts[Slot.DAYS] for each in ending([last], KNOWN, NOW)] == [0]


def test_each_step_of_each_version_is_news_once() -> None:
    def keys(*credentials: Credential) -> list[str]:
        return [each.key for each in ending(credentials, KNOWN, NOW)]

    assert keys(credential(30)) == keys(credential(20))
    assert len({*keys(credential(30)), *keys(credential(7)), *keys(credential(7, version=2))}) == 3


def test_what_was_replaced_is_not_told() -> None:
    assert list(ending([replace(credential(7), ended=Ended.ROTATED, ended_at=NOW)], KNOWN, NOW)) == []


def test_department_and_operator_are_told_and_led_to_the_page_of_credentials() -> None:
    (soon,) = ending([credential(7)], KNOWN, NOW)
    over = expired(credential(0), KNOWN, NOW)
    assert (soon.kind, over.kind) == (Kind.CREDENTIAL_EXPIRES, Kind.CREDENTIAL_EXPIRED)
    for each in (soon, over):
        text = text_of(each, Language.EN, PORTAL)
        assert "health" in text.subject
        assert text.link == f"{PORTAL}/credentials"
        found = {one.department: one for one in told(each)}
        assert set(found) == {"health", "operations"}
        assert found["health"].audience is Audience.CONSUMER
        assert found["health"].channels == {Channel.INBOX, Channel.EMAIL, Channel.WEBHOOK}

"""When a delivery is tried again and when it is given up; signatures of webhooks and their secrets."""

from datetime import timedelta

import hypothesis
import pytest
from hypothesis import strategies as st

from services.control.notices.retrying import Again, Dead, Failure, Never, NotNow, Retry, after, wait
from services.control.notices.signature import (
    REPLAY_WINDOW,
    SecretVersions,
    Verdict,
    secret_of,
    sign,
    verify,
)
from tests.support.notices import NOW

RETRY = Retry(first=timedelta(seconds=30), longest=timedelta(hours=2), attempts=12)
DRAW = st.floats(0, 1, exclude_max=True)
ZEROS = "0" * 64
ATTEMPT = st.integers(1, 10_000)
SECRET = st.text(min_size=1, max_size=64)
MOMENTS = st.timedeltas(timedelta(), timedelta(days=10_000)).map(lambda passed: NOW + passed)


@pytest.mark.parametrize(
    ("attempt", "draw", "seconds"),
    [
        (1, 0.0, 15),
        (1, 0.5, 22.5),
        (2, 0.0, 30),
        (3, 0.0, 60),
        (8, 0.0, 1920),
        (9, 0.0, 3600),
        (50, 0.0, 3600),
    ],
)
def test_the_wait_doubles_up_to_the_longest(attempt: int, draw: float, seconds: float) -> None:
    assert wait(attempt, draw, RETRY) == timedelta(seconds=seconds)


@hypothesis.given(ATTEMPT, DRAW)
def test_a_wait_is_between_half_of_its_step_and_all_of_it(attempt: int, draw: float) -> None:
    step = min(RETRY.first * 2 ** min(attempt - 1, 20), RETRY.longest)
    assert step / 2 <= wait(attempt, draw, RETRY) <= step


@hypothesis.given(ATTEMPT, DRAW, DRAW)
def test_no_wait_is_longer_than_the_shortest_of_the_step_after_it(
    attempt: int, one: float, other: float
) -> None:
    assert wait(attempt, one, RETRY) <= wait(attempt + 1, other, RETRY) + RETRY.longest / 2
    assert wait(attempt, one, RETRY) <= wait(attempt + 1, one, RETRY)


@pytest.mark.parametrize(("attempt", "draw"), [(0, 0.5), (1, 1.0), (1, -0.1), (1, float("nan"))])
def test_what_is_no_attempt_or_no_draw_is_refused(attempt: int, draw: float) -> None:
    with pytest.raises(ValueError, match="make no wait"):
        wait(attempt, draw, RETRY)


@hypothesis.given(st.sampled_from(Failure), st.integers(1, 12), DRAW)
def test_a_delivery_is_given_up_after_its_last_attempt_with_the_reason_of_that(
    failure: Failure, attempt: int, draw: float
) -> None:
    found = after(NotNow(failure, "503"), attempt, NOW, draw, RETRY)
    if attempt < RETRY.attempts:
        assert found == Again(NOW + wait(attempt, draw, RETRY), failure, "503")
    else:
        assert found == Dead(failure, "503")


def test_what_no_other_attempt_would_change_is_given_up_at_once() -> None:
    assert after(Never(Failure.ADDRESS_FORBIDDEN), 1, NOW, 0.5, RETRY) == Dead(Failure.ADDRESS_FORBIDDEN, "")


@pytest.mark.parametrize(
    "wrong",
    [{"attempts": 0}, {"first": timedelta()}, {"first": timedelta(hours=3)}, {"longest": timedelta()}],
)
def test_patience_that_is_none_is_refused(wrong: dict[str, timedelta]) -> None:
    with pytest.raises(ValueError, match="waits that grow"):
        Retry(**wrong)  # type: ignore[arg-type]


@hypothesis.given(st.binary(max_size=200), MOMENTS, SECRET)
def test_who_knows_the_secret_finds_the_signature_valid(body: bytes, at: object, secret: str) -> None:
    assert verify(sign(body, at, [secret]), body, at, [secret]) is Verdict.VALID  # type: ignore[arg-type]


@hypothesis.given(st.binary(max_size=50), st.binary(max_size=50), SECRET, SECRET)
def test_another_body_or_another_secret_is_wrong(
    body: bytes, other: bytes, secret: str, stranger: str
) -> None:
    header = sign(body, NOW, [secret])
    if other != body:
        assert verify(header, other, NOW, [secret]) is Verdict.WRONG
    if stranger != secret:
        assert verify(header, body, NOW, [stranger]) is Verdict.WRONG
    assert verify(header, body, NOW, []) is Verdict.WRONG


@hypothesis.given(st.integers(0, 99), st.sampled_from("0123456789abcdef"))
def test_one_changed_sign_of_the_header_makes_it_invalid(place: int, sign_: str) -> None:
    header = sign(b"{}", NOW, ["secret"])
    place %= len(header)
    changed = header[:place] + sign_ + header[place + 1 :]
    hypothesis.assume(changed != header)
    assert verify(changed, b"{}", NOW, ["secret"]) is not Verdict.VALID


@pytest.mark.parametrize(
    ("passed", "verdict"),
    [
        (timedelta(), Verdict.VALID),
        (REPLAY_WINDOW, Verdict.VALID),
        (REPLAY_WINDOW + timedelta(seconds=1), Verdict.TOO_OLD),
        (-REPLAY_WINDOW, Verdict.VALID),
        (-REPLAY_WINDOW - timedelta(seconds=1), Verdict.FROM_THE_FUTURE),
    ],
)
def test_a_signature_counts_for_as_long_as_the_replay_window(passed: timedelta, verdict: Verdict) -> None:
    assert verify(sign(b"{}", NOW, ["secret"]), b"{}", NOW + passed, ["secret"]) is verdict


def test_the_age_of_a_forged_signature_is_not_told() -> None:
    old = sign(b"{}", NOW - 2 * REPLAY_WINDOW, ["another"])
    assert verify(old, b"{}", NOW, ["secret"]) is Verdict.WRONG


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1",
        f"v1={ZEROS}",
        f"t=x,v1={ZEROS}",
        f"t=1,t=2,v1={ZEROS}",
        "t=1,v1=0",
        f"t=-1,v1={ZEROS}",
        f"t=1,v1={ZEROS[1:]}G",
        f"t=1,v1={ZEROS}{',' * 1000}",
    ],
)
def test_a_header_of_another_form_is_malformed(header: str) -> None:
    assert verify(header, b"{}", NOW, ["secret"]) is Verdict.MALFORMED


@hypothesis.given(st.text(max_size=1200))
def test_no_header_makes_the_check_raise(header: str) -> None:
    assert verify(header, b"{}", NOW, ["secret"]) is not Verdict.VALID


def test_while_a_secret_is_rotated_both_are_valid_and_then_only_the_new_one() -> None:
    before = SecretVersions(current=3)
    rotated = before.rotated(NOW, timedelta(days=7))
    assert before.valid_at(NOW) == (3,)
    assert rotated.valid_at(NOW) == rotated.valid_at(NOW + timedelta(days=6)) == (4, 3)
    assert rotated.valid_at(NOW + timedelta(days=7)) == (4,)
    header = sign(b"{}", NOW, [f"secret {version}" for version in rotated.valid_at(NOW)])
    for known in ("secret 3", "secret 4"):
        assert verify(header, b"{}", NOW, [known]) is Verdict.VALID
    assert verify(header, b"{}", NOW, ["secret 2"]) is Verdict.WRONG


def test_two_rotations_in_a_row_end_the_oldest_secret_at_once() -> None:
    twice = SecretVersions(1).rotated(NOW, timedelta(days=7)).rotated(NOW, timedelta(days=7))
    assert twice.valid_at(NOW) == (3, 2)


@hypothesis.given(st.binary(min_size=32, max_size=64), st.integers(1, 99), st.integers(1, 99))
def test_each_endpoint_and_version_has_a_secret_of_its_own(
    master: bytes, endpoint: int, version: int
) -> None:
    found = secret_of(master, endpoint, version)
    assert found == secret_of(master, endpoint, version)
    assert found not in {secret_of(master, endpoint + 1, version), secret_of(master, endpoint, version + 1)}
    assert len(found) == 64


def test_a_short_master_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="fewer than 32 bytes"):
        secret_of(b"short", 1, 1)

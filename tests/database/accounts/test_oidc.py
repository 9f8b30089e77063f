"""Logins at an identity provider that really runs, against a real PostgreSQL."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from services.control.accounts.groups import GroupRule
from services.control.accounts.roles import Role
from services.control.accounts.sessions import SessionRules, Standing
from services.control.accounts.tokens import Standing as TokenStanding
from services.control.signing_in.group_file import CorrectGroupFile, read_groups
from services.control.signing_in.identity_provider import ProviderUnavailable
from services.control.signing_in.oidc import Begun, Denial, Denied, GroupMapping, LoggedIn, OidcLogins, Return
from services.control.signing_in.oidc_client import Client, OidcClient, is_safe
from services.control.store.accounts import persons, sessions, tokens
from services.control.store.database import ControlDatabase
from tests.database.accounts.city import NOW, RANDOM, acts, order, settle
from tests.database.accounts.oidc_provider import CALLBACK, CLIENT, SECRET, OidcProvider, running_provider

GROUPS = GroupMapping(
    "groups",
    (
        GroupRule("gb-police", "police"),
        GroupRule("gb-tax", "tax"),
        GroupRule("gb-far", "far_away"),
        GroupRule("gb-give", roles=frozenset({Role.PROVIDER})),
        GroupRule("gb-take", roles=frozenset({Role.CONSUMER})),
        GroupRule("gb-run", roles=frozenset({Role.OPERATOR})),
        GroupRule("gb-watch", roles=frozenset({Role.OVERSEER}), oversees=frozenset({"tax"})),
    ),
)
WANG: dict[str, Any] = {
    "sub": "u-1",
    "name": "王丽",
    "preferred_username": "Wang.Li@city",
    "email": "wang@example.gov.cn",
    "groups": ["gb-police", "gb-take", "staff"],
}


@dataclass
class Hand:
    """A clock that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Place:
    """The provider, our side of it, and the clocks of both."""

    provider: OidcProvider
    logins: OidcLogins
    here: Hand
    there: Hand
    database: ControlDatabase
    browser: str = ""
    begun: Begun | None = field(default=None)

    def begin(self, return_to: str = "/cases?page=2") -> dict[str, str]:
        self.begun = self.logins.begin(return_to, self.here.now)
        return self.provider.log_in(self.begun.address)

    def finish(self, back: dict[str, str], **more: Any) -> LoggedIn | Denied:
        assert self.begun is not None
        whole = Return(back["state"], back["code"], self.begun.browser, self.here.now)
        return self.logins.finish(replace(whole, **more))

    def log_in(self) -> LoggedIn | Denied:
        return self.finish(self.begin())


@pytest.fixture
def place(control_database: ControlDatabase) -> Iterator[Place]:
    here, there = Hand(), Hand()
    with control_database.begin() as connection:
        settle(connection)
    with running_provider(there) as provider:
        provider.person = dict(WANG)
        client = OidcClient(Client(provider.issuer, CLIENT, SECRET, CALLBACK), here)
        logins = OidcLogins(control_database, client, GROUPS, RANDOM)
        yield Place(provider, logins, here, there, control_database)


@pytest.mark.requirement("A11-04")
def test_the_first_login_makes_a_person_with_the_roles_of_its_groups(place: Place) -> None:
    found = place.log_in()
    assert isinstance(found, LoggedIn)
    assert (found.person.name, found.person.department, found.person.email) == (
        "王丽",
        "police",
        WANG["email"],
    )
    assert found.person.roles == {Role.CONSUMER}
    assert found.person.login.startswith("oidc-wang.li-")
    assert found.return_to == "/cases?page=2"
    with place.database.begin() as connection:
        assert isinstance(sessions.use(connection, found.session, NOW, SessionRules(), RANDOM), sessions.Used)
        assert acts(connection, found.person) == [
            "account.add",
            "account.link",
            "account.give_role",
            "account.login",
        ]


def test_what_travels_is_state_nonce_and_a_challenge_and_no_secret(place: Place) -> None:
    address = place.logins.begin("/", NOW).address
    sent = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert {"state", "nonce", "code_challenge"} <= set(sent)
    assert sent["code_challenge_method"] == "S256"
    assert len({sent["state"], sent["nonce"], sent["code_challenge"]}) == 3
    assert SECRET not in address
    again = {
        name: values[0]
        for name, values in parse_qs(urlsplit(place.logins.begin("/", NOW).address).query).items()
    }
    assert sent["state"] != again["state"]
    assert sent["nonce"] != again["nonce"]


def test_the_second_login_is_the_same_person_with_what_the_groups_say_now(place: Place) -> None:
    first = place.log_in()
    assert isinstance(first, LoggedIn)
    place.provider.person |= {"groups": ["gb-tax", "gb-give", "gb-take"], "name": "另一个"}
    second = place.log_in()
    assert isinstance(second, LoggedIn)
    assert second.person.id == first.person.id
    assert second.person.department == "tax"
    assert second.person.roles == {Role.PROVIDER, Role.CONSUMER}
    # The session of the first login goes on under another id, with the rights of today.
    with place.database.begin() as connection:
        used = sessions.use(connection, first.session, NOW, SessionRules(), RANDOM)
        assert isinstance(used, sessions.Used)
        assert used.new_id is not None
        assert used.person.roles == second.person.roles
        assert acts(connection, first.person)[-4:-1] == [
            "account.move",
            "account.give_role",
            "account.login",
        ]


def test_an_overseer_by_groups_oversees_what_they_say(place: Place) -> None:
    place.provider.person |= {"groups": ["gb-police", "gb-watch"]}
    found = place.log_in()
    assert isinstance(found, LoggedIn)
    assert found.person.roles == {Role.OVERSEER}
    assert found.person.oversees == {"tax"}


@pytest.mark.parametrize(
    ("groups", "detail"),
    [
        ([], "NO_GROUP"),
        (None, "NO_GROUP"),
        (17, "NO_GROUP"),
        ([["gb-police"], {"gb-take": 1}], "NO_GROUP"),
        (["gb-police"], "NO_ROLE"),
        (["gb-police", "gb-tax", "gb-take"], "SEVERAL_DEPARTMENTS"),
        (["gb-police", "gb-take", "gb-run"], "SEPARATION"),
    ],
)
def test_whose_groups_say_nothing_clear_is_not_let_in(place: Place, groups: object, detail: str) -> None:
    place.provider.person |= {"groups": groups}
    assert place.log_in() == Denied(Denial.UNMAPPED, detail)
    with place.database.begin() as connection:
        assert persons.people(connection) == []


def test_a_department_that_there_is_not_lets_nobody_in(place: Place) -> None:
    place.provider.person |= {"groups": ["gb-far", "gb-take"]}
    assert place.log_in() == Denied(Denial.UNKNOWN_DEPARTMENT, "UNKNOWN_DEPARTMENT")


def test_whose_groups_are_gone_loses_roles_and_sessions_at_once(place: Place) -> None:
    first = place.log_in()
    assert isinstance(first, LoggedIn)
    place.provider.person |= {"groups": []}
    assert place.log_in() == Denied(Denial.UNMAPPED, "NO_GROUP")
    with place.database.begin() as connection:
        assert persons.lock_person(connection, first.person.id).roles == frozenset()
        assert sessions.use(connection, first.session, NOW, SessionRules(), RANDOM) is Standing.ENDED


def test_tokens_of_who_logs_in_no_more_at_the_provider_end_within_the_days_that_are_set(place: Place) -> None:
    found = place.log_in()
    assert isinstance(found, LoggedIn)
    id_, ends = found.person.id, NOW + timedelta(days=60)
    week = timedelta(days=7)
    with place.database.begin() as connection:
        made = tokens.create_token(connection, id_, "x", ["case:look"], ends, order(str(id_)), RANDOM)
        last = NOW + week - timedelta(seconds=1)
        assert isinstance(tokens.use_token(connection, made.text, last, week), tokens.Shown)
        assert tokens.use_token(connection, made.text, NOW + week, week) is TokenStanding.UNCONFIRMED
    place.here.now = place.there.now = NOW + timedelta(days=10)
    assert isinstance(place.log_in(), LoggedIn)
    with place.database.begin() as connection:
        assert isinstance(tokens.use_token(connection, made.text, place.here.now, week), tokens.Shown)


def test_who_was_switched_off_stays_out_whatever_the_provider_says(place: Place) -> None:
    first = place.log_in()
    assert isinstance(first, LoggedIn)
    with place.database.begin() as connection:
        persons.disable(connection, first.person.id, order())
    assert place.log_in() == Denied(Denial.SWITCHED_OFF)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": [CLIENT, "another-client"]},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"iss": "http://127.0.0.1:9"},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"exp": None},
        {"exp": int(NOW.timestamp()) - 61},
        {"iat": int(NOW.timestamp()) + 61},
        {"nbf": int(NOW.timestamp()) + 61},
    ],
)
def test_an_id_token_that_proves_nothing_lets_nobody_in(place: Place, claims: dict[str, Any]) -> None:
    place.provider.claims = claims
    found = place.log_in()
    assert isinstance(found, Denied)
    assert found.denial is Denial.REFUSED
    with place.database.begin() as connection:
        assert persons.people(connection) == []


@pytest.mark.parametrize("claims", [{"exp": int(NOW.timestamp()) - 59}, {"iat": int(NOW.timestamp()) + 59}])
def test_clocks_may_be_a_minute_apart(place: Place, claims: dict[str, Any]) -> None:
    place.provider.claims = claims
    assert isinstance(place.log_in(), LoggedIn)


@pytest.mark.parametrize("trick", ["shared_secret", "unsigned"])
def test_only_a_published_key_signs(place: Place, trick: str) -> None:
    setattr(place.provider, trick, True)
    found = place.log_in()
    assert isinstance(found, Denied)
    assert found.denial is Denial.REFUSED


def test_a_login_is_ended_once_in_the_browser_that_began_it_and_in_time(place: Place) -> None:
    back = place.begin()
    assert place.finish(back, browser="another") == Denied(Denial.NO_SUCH_LOGIN)
    back = place.begin()
    assert place.finish(back, state="another") == Denied(Denial.NO_SUCH_LOGIN)
    assert place.finish(back, now=NOW + timedelta(minutes=10)) == Denied(Denial.NO_SUCH_LOGIN)
    back = place.begin()
    assert isinstance(place.finish(back), LoggedIn)
    assert place.finish(back) == Denied(Denial.NO_SUCH_LOGIN)


def test_a_code_of_another_login_is_refused(place: Place) -> None:
    stolen = place.begin()["code"]
    back = place.begin()
    found = place.finish(back, code=stolen)
    assert isinstance(found, Denied)
    assert found.denial is Denial.REFUSED


def test_what_the_provider_publishes_is_fetched_once_an_hour(place: Place) -> None:
    for _ in range(3):
        assert isinstance(place.log_in(), LoggedIn)
    assert place.provider.asked.count("/keys") == 1
    assert place.provider.asked.count("/.well-known/openid-configuration") == 1
    place.here.now = place.there.now = NOW + timedelta(hours=1)
    assert isinstance(place.log_in(), LoggedIn)
    assert place.provider.asked.count("/keys") == 2


def test_a_new_key_is_found_but_nobody_makes_us_ask_all_the_time(place: Place) -> None:
    assert isinstance(place.log_in(), LoggedIn)
    place.provider.rotate()
    early = place.log_in()
    assert isinstance(early, Denied)
    assert place.provider.asked.count("/keys") == 1
    place.here.now = place.there.now = NOW + timedelta(seconds=30)
    assert isinstance(place.log_in(), LoggedIn)
    assert place.provider.asked.count("/keys") == 2


def test_a_provider_that_is_down_is_no_wrong_password(place: Place) -> None:
    place.provider.down = True
    with pytest.raises(ProviderUnavailable):
        place.logins.begin("/", NOW)
    place.provider.down = False
    back = place.begin()
    place.provider.down = True
    with pytest.raises(ProviderUnavailable):
        place.finish(back)


@pytest.mark.parametrize(
    ("wished", "went"),
    [
        ("/cases", "/cases"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("", "/"),
        ("/a\nb", "/"),
    ],
)
def test_a_login_leads_back_to_pages_of_ours_only(place: Place, wished: str, went: str) -> None:
    found = place.finish(place.begin(wished))
    assert isinstance(found, LoggedIn)
    assert found.return_to == went


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://login.example.gov.cn/token", True),
        ("http://127.0.0.1:8080/token", True),
        ("http://login.example.gov.cn/token", False),
        ("http://127.0.0.1.evil.example/token", False),
        ("ftp://127.0.0.1/", False),
    ],
)
def test_secrets_travel_over_https_only(url: str, safe: bool) -> None:
    assert is_safe(url) is safe


@pytest.mark.parametrize("hint", ["signed", ""])
def test_a_session_at_the_provider_is_ended_where_the_provider_says(place: Place, hint: str) -> None:
    place.provider.ends = f"{place.provider.issuer}/logout?realm=city"
    address = place.logins.end_address(hint, "https://govbus.example.gov.cn/login")
    asked = parse_qs(urlsplit(str(address)).query)
    assert str(address).startswith(f"{place.provider.issuer}/logout?realm=city&")
    assert asked == {
        "realm": ["city"],
        **({"id_token_hint": [hint]} if hint else {}),
        "client_id": [CLIENT],
        "post_logout_redirect_uri": ["https://govbus.example.gov.cn/login"],
    }


def test_what_the_provider_signed_comes_back_with_the_login_and_stands_in_no_log(place: Place) -> None:
    found = place.log_in()
    assert isinstance(found, LoggedIn)
    assert found.id_token.count(".") == 2
    assert found.id_token not in repr(found)


@pytest.mark.parametrize(
    ("ends", "down"), [(None, False), ("http://idp.example.gov.cn/logout", False), ("", False), (None, True)]
)
def test_a_session_that_cannot_be_ended_safely_at_the_provider_is_not_offered(
    place: Place, ends: str | None, down: bool
) -> None:
    place.provider.ends, place.provider.down = ends, down
    assert place.logins.end_address("signed", "https://govbus.example.gov.cn/login") is None


def test_the_mapping_of_groups_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "groups.yaml"
    text = (
        "claim: roles\ngroups:\n- {group: gb-watch, department: police, roles: [overseer], oversees: ['*']}\n"
    )
    file.write_text(text, encoding="utf-8")
    rule = GroupRule("gb-watch", "police", frozenset({Role.OVERSEER}), frozenset({"*"}))
    assert read_groups(file) == GroupMapping("roles", (rule,))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "groups: []",
        "groups: [{group: a, roles: [king]}]",
        "groups: [{group: a, depatment: b}]",
        "[",
        "groups: [{group: ''}]",
    ],
)
def test_a_wrong_mapping_is_refused_whole(tmp_path: Path, text: str) -> None:
    file = tmp_path / "groups.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CorrectGroupFile, match=r"groups\.yaml"):
        read_groups(file)
    with pytest.raises(CorrectGroupFile, match="cannot be read"):
        read_groups(tmp_path / "none.yaml")

"""Sessions and tokens in a real PostgreSQL: by hashes only, ended singly and all, renewed with the rights."""

from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import select, text

from services.control.accounts.random_text import digest
from services.control.accounts.roles import Role
from services.control.accounts.sessions import Method, SessionRules, Standing
from services.control.accounts.tokens import Standing as TokenStanding
from services.control.store.accounts import persons, roles, sessions, tokens
from services.control.store.accounts.acts import CorrectRequest
from services.control.store.accounts.sessions import Used
from services.control.store.accounts.tables import SESSIONS, TOKENS
from services.control.store.database import ControlDatabase
from services.control.store.outbox import acts_on
from tests.database.accounts.city import MINUTE, NOW, RANDOM, WANG, acts, hire, order, settle

RULES = SessionRules()
SECOND = timedelta(seconds=1)


def logged_in(database: ControlDatabase, *given: Role) -> str:
    with database.begin() as connection:
        settle(connection)
        wang = hire(connection, *(given or (Role.CONSUMER,)))
        return sessions.begin(connection, wang, Method.PASSWORD, order(str(wang.id)), RANDOM)


def use(database: ControlDatabase, id_: str, after: timedelta = SECOND) -> Used | Standing | None:
    with database.begin() as connection:
        return sessions.use(connection, id_, NOW + after, RULES, RANDOM)


def test_a_session_says_who_it_is_and_its_id_is_kept_nowhere(control_database: ControlDatabase) -> None:
    id_ = logged_in(control_database)
    used = use(control_database, id_)
    assert isinstance(used, Used)
    assert (used.person.login, used.new_id) == ("wang.li", None)
    assert use(control_database, f"{id_}x") is None
    with control_database.begin() as connection:
        row = connection.execute(select(SESSIONS)).one()
        assert bytes(row.digest) == digest(id_)
        assert id_ not in str(row)


def test_a_session_ends_unused_and_ends_old(control_database: ControlDatabase) -> None:
    id_ = logged_in(control_database)
    for minutes in range(20, 12 * 60, 20):
        assert isinstance(use(control_database, id_, minutes * MINUTE), Used)
    assert use(control_database, id_, RULES.absolute) is Standing.EXPIRED


def test_an_unused_session_ends(control_database: ControlDatabase) -> None:
    id_ = logged_in(control_database)
    assert use(control_database, id_, RULES.idle) is Standing.IDLE


def test_uses_are_noted_at_most_once_a_minute(control_database: ControlDatabase) -> None:
    id_ = logged_in(control_database)

    def used_at() -> object:
        with control_database.begin() as connection:
            return connection.execute(select(SESSIONS.c.used_at)).scalar_one()

    use(control_database, id_, MINUTE - SECOND)
    assert used_at() == NOW
    use(control_database, id_, MINUTE)
    assert used_at() == NOW + MINUTE


def test_a_login_ends_the_session_that_the_browser_had(control_database: ControlDatabase) -> None:
    old = logged_in(control_database)
    used = use(control_database, old)
    assert isinstance(used, Used)
    with control_database.begin() as connection:
        new = sessions.begin(
            connection, used.person, Method.PASSWORD, order(str(WANG.id), SECOND), RANDOM, old
        )
    assert new != old
    assert use(control_database, old, 2 * SECOND) is Standing.ENDED
    assert isinstance(use(control_database, new, 2 * SECOND), Used)


def test_when_roles_change_the_session_goes_on_under_another_id(control_database: ControlDatabase) -> None:
    old = logged_in(control_database)
    with control_database.begin() as connection:
        roles.give_role(connection, WANG.id, Role.PROVIDER, order())
    renewed = use(control_database, old)
    assert isinstance(renewed, Used)
    assert renewed.new_id is not None
    assert renewed.person.roles == {Role.CONSUMER, Role.PROVIDER}
    # Requests that were on their way are served for a moment more, and get no id of their own.
    late = use(control_database, old, 2 * SECOND)
    assert isinstance(late, Used)
    assert late.new_id is None
    assert use(control_database, old, SECOND + RULES.grace) is Standing.ENDED
    again = use(control_database, renewed.new_id, SECOND + RULES.grace)
    assert isinstance(again, Used)
    assert again.new_id is None
    with control_database.begin() as connection:
        assert "account.session_renewed" in acts(connection, WANG)


def test_another_id_does_not_make_a_session_younger(control_database: ControlDatabase) -> None:
    old = logged_in(control_database)
    with control_database.begin() as connection:
        roles.give_role(connection, WANG.id, Role.PROVIDER, order())
    renewed = use(control_database, old)
    assert isinstance(renewed, Used)
    assert renewed.new_id is not None
    for minutes in range(20, 12 * 60, 20):
        assert isinstance(use(control_database, renewed.new_id, minutes * MINUTE), Used)
    assert use(control_database, renewed.new_id, RULES.absolute) is Standing.EXPIRED


def test_of_many_requests_at_once_one_gets_the_new_id(control_database: ControlDatabase) -> None:
    old = logged_in(control_database)
    with control_database.begin() as connection:
        roles.give_role(connection, WANG.id, Role.PROVIDER, order())
    found: list[Used | Standing | None] = []
    threads = [Thread(target=lambda: found.append(use(control_database, old))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert [type(each) for each in found] == [Used] * 8
    assert sum(isinstance(each, Used) and each.new_id is not None for each in found) == 1


@pytest.mark.requirement("A11-04")
def test_sessions_are_ended_singly_and_all_at_once(control_database: ControlDatabase) -> None:
    first = logged_in(control_database)
    used = use(control_database, first)
    assert isinstance(used, Used)
    wang, own = used.person, order(str(WANG.id), 2 * SECOND)
    with control_database.begin() as connection:
        others = [sessions.begin(connection, wang, Method.PASSWORD, own, RANDOM) for _ in range(3)]
        listed = sessions.sessions_of(connection, wang, NOW + 2 * SECOND, RULES)
        assert len(listed) == 4
        assert sessions.end(connection, others[0], own)
        assert not sessions.end(connection, others[0], own)
        assert sessions.end_number(connection, wang.id, listed[-1].number, order(after=2 * SECOND))
        assert not sessions.end_number(connection, wang.id, 999, own)
        assert sessions.end_all(connection, wang.id, own, but=others[1]) == 1
        assert len(sessions.sessions_of(connection, wang, NOW + 2 * SECOND, RULES)) == 1
        assert acts(connection, wang)[-3:] == [
            "account.logout",
            "account.revoke_sessions",
            "account.revoke_own",
        ]
    assert use(control_database, first, 3 * SECOND) is Standing.ENDED
    assert isinstance(use(control_database, others[1], 3 * SECOND), Used)


def test_what_ended_long_ago_is_forgotten(control_database: ControlDatabase) -> None:
    logged_in(control_database)
    with control_database.begin() as connection:
        assert sessions.forget(connection, NOW + 2 * RULES.absolute, RULES) == 0
        assert sessions.forget(connection, NOW + 2 * RULES.absolute + SECOND, RULES) == 1


def test_a_token_counts_with_its_scopes_until_it_expires(control_database: ControlDatabase) -> None:
    ends = NOW + timedelta(days=30)
    with control_database.begin() as connection:
        settle(connection)
        wang = hire(connection, Role.CONSUMER)
        made = tokens.create_token(
            connection,
            wang.id,
            " export ",
            ["case:look", "catalogue:look"],
            ends,
            order(str(wang.id)),
            RANDOM,
        )
        shown = tokens.use_token(connection, made.text, NOW + SECOND)
        assert isinstance(shown, tokens.Shown)
        assert shown.person.login == "wang.li"
        assert shown.token.scopes == {"case:look", "catalogue:look"}
        assert [(each.prefix, each.name, each.used_at) for each in tokens.tokens_of(connection, wang.id)] == [
            (made.prefix, "export", NOW + SECOND)
        ]
        assert tokens.use_token(connection, made.text, ends) is TokenStanding.EXPIRED
        assert tokens.use_token(connection, made.text[:-1] + "!", NOW) is None
        assert tokens.use_token(connection, made.text[:-2] + "zz", NOW) is None
        kept = connection.execute(select(TOKENS)).one()
        assert made.text not in str(kept)
        assert [act.what for act in acts_on(connection, "token", made.prefix)] == ["account.create_own_token"]


def test_a_token_is_revoked_once(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        settle(connection)
        wang = hire(connection, Role.CONSUMER)
        ends = NOW + timedelta(days=1)
        made = tokens.create_token(connection, wang.id, "x", ["case:look"], ends, order(str(wang.id)), RANDOM)
        assert tokens.revoke_token(connection, made.prefix, order())
        assert not tokens.revoke_token(connection, made.prefix, order())
        assert tokens.use_token(connection, made.text, NOW) is TokenStanding.REVOKED
        assert [act.what for act in acts_on(connection, "token", made.prefix)][1:] == ["account.revoke_token"]


def test_a_token_with_a_scope_that_there_is_not_is_not_made(control_database: ControlDatabase) -> None:
    with control_database.begin() as connection:
        settle(connection)
        wang = hire(connection, Role.CONSUMER)
        with pytest.raises(CorrectRequest, match="no scope"):
            tokens.create_token(connection, wang.id, "x", ["all"], NOW + MINUTE, order(), RANDOM)
        assert tokens.tokens_of(connection) == []


def test_a_session_that_slipped_in_beside_the_switching_off_counts_for_nothing(
    control_database: ControlDatabase,
) -> None:
    with control_database.begin() as connection:
        settle(connection)
        still_on = hire(connection, Role.CONSUMER)
        persons.disable(connection, WANG.id, order())
        id_ = sessions.begin(connection, still_on, Method.OIDC, order(str(WANG.id)), RANDOM)
    assert use(control_database, id_) is Standing.ENDED


def test_whose_account_is_off_gets_no_token_and_uses_none(control_database: ControlDatabase) -> None:
    ends = NOW + timedelta(days=1)
    with control_database.begin() as connection:
        settle(connection)
        wang = hire(connection, Role.CONSUMER)
        made = tokens.create_token(connection, wang.id, "x", ["case:look"], ends, order(), RANDOM)
        connection.execute(text("UPDATE persons SET active = false"))
        assert tokens.use_token(connection, made.text, NOW) is TokenStanding.REVOKED
        with pytest.raises(CorrectRequest, match="switched off"):
            tokens.create_token(connection, wang.id, "x", ["case:look"], ends, order(), RANDOM)

"""A department's file of credentials is written anew when it would lead its reader astray."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.registry import RegistryCredentials
from services.control.credentials import credentials_path, is_current, write_credentials
from services.control.definitions import load_definitions, packaged_definitions
from services.control.desired import Declared
from tests.support.access import access

CITY = load_definitions(packaged_definitions())
DECLARED = Declared(
    CITY.providers, CITY.consumers, CITY.resources, CITY.grants, CITY.code_lists, CITY.item_schemas
)
USERS = ["consumer-tax", "provider-market_regulation"]


@pytest.mark.parametrize("user", USERS)
def test_a_file_just_written_is_current_and_only_its_owner_can_read_it(tmp_path: Path, user: str) -> None:
    path = write_credentials(access(tmp_path), user, DECLARED)
    assert path.stat().st_mode & 0o777 == 0o600
    assert is_current(access(tmp_path), user, DECLARED)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    "moved", [{"bootstrap": "127.0.0.1:39092"}, {"registry_url": "http://127.0.0.1:38081/apis/ccompat/v7"}]
)
def test_a_file_with_an_address_of_before_is_not_current(
    tmp_path: Path, user: str, moved: dict[str, Any]
) -> None:
    write_credentials(access(tmp_path), user, DECLARED)
    now = replace(access(tmp_path), **moved)
    assert not is_current(now, user, DECLARED)
    write_credentials(now, user, DECLARED)
    assert is_current(now, user, DECLARED)


@pytest.mark.parametrize("user", USERS)
def test_a_file_with_the_login_that_all_once_shared_is_not_current(tmp_path: Path, user: str) -> None:
    shared = RegistryCredentials("http://127.0.0.1:28081", "reader", "secret")
    write_credentials(replace(access(tmp_path), registry_credentials=lambda _: shared), user, DECLARED)
    assert not is_current(access(tmp_path), user, DECLARED)
    own = json.loads(write_credentials(access(tmp_path), user, DECLARED).read_text(encoding="utf-8"))
    assert own["registry"]["username"] == user


def test_a_file_without_a_topic_that_was_declared_since_is_not_current(tmp_path: Path) -> None:
    fewer = {name: grant for name, grant in CITY.grants.items() if name != "tax-permits"}
    write_credentials(access(tmp_path), "consumer-tax", replace(DECLARED, grants=fewer))
    assert not is_current(access(tmp_path), "consumer-tax", DECLARED)


@pytest.mark.parametrize("content", ["", "{", "[]", json.dumps({"registry": "x"})])
def test_a_damaged_file_is_not_current(tmp_path: Path, content: str) -> None:
    path = credentials_path(tmp_path, "consumer-tax")
    path.parent.mkdir()
    path.write_text(content, encoding="utf-8")
    assert not is_current(access(tmp_path), "consumer-tax", DECLARED)

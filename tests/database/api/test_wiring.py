"""The parts of the web process out of a stack: its database answers, and what is missing is said by name."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from services.api.app import create_api
from services.api.running import BusUnavailable
from services.api.settings import ApiSettings
from services.api.wiring import CorrectWebSettings, parts
from services.control.store.database import ControlDatabase
from services.control.store.migrate import VERSION_TABLE, current
from tests.database_fixture import DatabaseOnly

GROUPS = "claim: groups\ngroups:\n  - {group: gb-police, department: police}\n"


def with_provider(folder: Path, *, with_secret: bool = True) -> ApiSettings:
    (folder / "groups.yaml").write_text(GROUPS, encoding="utf-8")
    if with_secret:
        (folder / "secret").write_text("a secret\n", encoding="utf-8")
    return ApiSettings(
        oidc_issuer="https://idp.example.gov.cn",
        oidc_client_id="govbus",
        oidc_secret_file=folder / "secret",
        oidc_groups_file=folder / "groups.yaml",
    )


def test_the_parts_of_a_stack_answer(
    database_server: DatabaseOnly, control_database: ControlDatabase
) -> None:
    made = parts(ApiSettings(), database_server)
    client = TestClient(create_api(made))
    assert client.get("/readyz").json() == {"ready": True}
    assert client.get("/api/v1/cases").status_code == 401
    head = current(control_database).found
    with control_database.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0001'"))
    try:
        late = client.get("/readyz")
        assert (late.status_code, late.json()["why"]) == (503, "MigrateDatabase")
        assert client.get("/healthz").status_code == 200
    finally:
        with control_database.begin() as connection:
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = :head"), {"head": head})
    with pytest.raises(BusUnavailable):
        made.bus.policy()
    made.database.close()


def test_an_identity_provider_is_wired_with_its_secret_or_named_as_what_is_wrong(
    database_server: DatabaseOnly, tmp_path: Path
) -> None:
    made = parts(with_provider(tmp_path), database_server)
    assert made.oidc is not None
    made.database.close()
    (tmp_path / "secret").unlink()
    with pytest.raises(CorrectWebSettings, match="secret"):
        parts(with_provider(tmp_path, with_secret=False), database_server)


@pytest.mark.parametrize(
    "missing", [{"oidc_issuer": "https://x.cn"}, {"idle_minutes": 0}, {"port": 70_000}, {"unknown": 1}]
)
def test_settings_that_cannot_be_are_refused(missing: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ApiSettings(**missing)  # type: ignore[arg-type]


def test_settings_come_from_the_environment() -> None:
    found = ApiSettings.from_environment(
        {"GOVBUS_PORTAL_ORIGIN": "https://x.gov.cn", "GOVBUS_PORTAL_PORT": "1"}
    )
    assert (found.origin, found.port, found.https) == ("https://x.gov.cn", 1, True)
    assert not ApiSettings.from_environment({}).https

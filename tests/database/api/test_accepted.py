"""What the catalogue accepts is what the adopted packs say: bases, libraries and themes."""

from typing import Any

import pytest

from services.control.accounts.roles import Role
from services.control.docket.bound import Bound
from services.control.store.cases.policies import adopt
from services.control.store.database import ControlDatabase
from tests.support.desk import policy
from tests.support.web import NOW, Web, entry

ON_CONDITION = {
    "sharing": {
        "type": "conditional",
        "mode": "interface",
        "condition": "仅用于核验",
        "use": "verification",
    }
}
BY_THE_COUNTY = {
    "sharing": {
        "type": "not_shared",
        "condition": "县政府规定不予共享",
        "basis_level": "county_policy",
        "basis": "县政府办公室通知",
    }
}
OF_CREDIT = {"code": "2073205/000001", "resource_class": "theme", "library": "credit_system"}


def submitted(database: ControlDatabase, adopted: Bound, said: dict[str, Any]) -> set[str]:
    """What stands against an entry when it comes for review under these packs: the fields."""
    web = Web(database)
    with database.begin() as connection:
        adopt(connection, adopted, "operator:test", NOW, "for a test")
    provider = web.at(Role.PROVIDER)
    opened = provider.post("/catalogue/entries", entry(**said))
    assert opened.status_code == 201, opened.text
    form = {"action": "submit", "why": ""}
    path = f"/catalogue/entries/{opened.json()['id']}/steps"
    answer = provider.post(path, form, headers={"if-match": "*"})
    if answer.status_code == 200:
        return set()
    return {each["field"] for each in answer.json()["problems"]}


@pytest.mark.requirement("C5", "C6", "C15", "A3-03", "A3-04", "A2-15")
@pytest.mark.parametrize(
    ("said", "strict", "lenient"),
    [
        (ON_CONDITION, "jiyuan-2022", "yanjin-2019"),
        (BY_THE_COUNTY, "jiyuan-2022", "county-template-2021"),
        (OF_CREDIT, "yanjin-2019", "jiyuan-2022"),
    ],
)
@pytest.mark.parametrize("passes", [False, True])
def test_an_entry_comes_for_review_where_the_adopted_packs_accept_it(
    control_database: ControlDatabase, said: dict[str, Any], strict: str, lenient: str, passes: bool
) -> None:
    against = submitted(control_database, policy("national-2025", lenient if passes else strict), said)
    assert bool(against) is not passes, against

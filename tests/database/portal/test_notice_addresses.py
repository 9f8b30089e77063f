"""The page of where notices go: add, a secret shown once, another one, off, and trying anew."""

import pytest

from services.control.accounts.roles import Role
from services.control.notices.signature import secret_of
from services.control.store.notices import addresses
from tests.support.notices import given_up
from tests.support.portal import Portal, Reader
from tests.support.web import MASTER

PAGE = "/inbox/addresses"
HOOK = "https://hook.example.cn/govbus"


@pytest.fixture
def clerk(portal: Portal) -> Reader:
    return portal.reader(Role.CONSUMER, department="health")


def test_an_endpoint_is_added_rotated_and_switched_off_and_each_secret_is_shown_once(
    portal: Portal, clerk: Reader
) -> None:
    assert PAGE in clerk.open("/inbox").links
    made = clerk.sent(clerk.open(PAGE), PAGE, way="webhook", target=HOOK)
    with portal.parts.database.begin() as connection:
        (known,) = addresses.of_department(connection, "health")
    assert (made.status, made.faults) == (200, [])
    assert secret_of(MASTER, known.id, 1) in made.text
    page = clerk.open(PAGE)
    assert HOOK in page.text
    assert secret_of(MASTER, known.id, 1) not in page.text
    rotated = clerk.sent(page, f"{PAGE}/{known.id}/secret")
    assert secret_of(MASTER, known.id, 2) in rotated.text
    other = clerk.sent(clerk.open(PAGE), f"{PAGE}/{known.id}/off", confirm="https://other.example.cn")
    assert (other.status, other.faults) == (422, [])
    assert "That is not the name; nothing was done." in other.text
    assert "switched off" not in clerk.open(PAGE).text
    clerk.sent(clerk.open(PAGE), f"{PAGE}/{known.id}/off", confirm=HOOK)
    assert "switched off" in clerk.open(PAGE).text
    assert portal.acts("notice_address", str(known.id)) == [
        "notice.address_added",
        "notice.secret_rotated",
        "notice.address_removed",
    ]


@pytest.mark.parametrize(
    ("language", "said"), [("en", "network that must not be reached"), ("zh-CN", "不允许访问的网络")]
)
def test_an_endpoint_inside_is_refused_and_what_was_typed_stays(
    portal: Portal, language: str, said: str
) -> None:
    clerk = portal.reader(Role.CONSUMER, department="health", language=language)
    page = clerk.sent(clerk.open(PAGE), PAGE, way="webhook", target="https://inside.example.cn/x")
    assert (page.status, page.faults) == (422, [])
    assert said in page.text
    assert page.form(PAGE).fields["target"] == "https://inside.example.cn/x"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_notice_that_was_given_up_says_why_and_is_tried_again(portal: Portal, language: str) -> None:
    clerk = portal.reader(Role.CONSUMER, department="health", language=language)
    clerk.sent(clerk.open(PAGE), PAGE, way="webhook", target=HOOK)
    dead = given_up(portal.parts.database)
    page = clerk.open(PAGE)
    assert page.faults == []
    assert "410" in page.text
    again = clerk.sent(page, f"/inbox/deliveries/{dead}/try")
    assert again.status in (200, 303)
    assert not [each for each in clerk.open(PAGE).forms if each.action.endswith("/try")]


def test_the_operator_sees_every_department_and_can_mend_but_add_nothing_there(
    portal: Portal, clerk: Reader
) -> None:
    clerk.sent(clerk.open(PAGE), PAGE, way="email", target="clerk@health.example.cn")
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    page = operator.open(f"{PAGE}?department=health")
    assert "clerk@health.example.cn" in page.text
    actions = {form.action for form in page.forms}
    assert any(action.endswith("/off") for action in actions)
    stranger = portal.reader(Role.CONSUMER, department="tax")
    assert stranger.open(f"{PAGE}?department=health").status == 403
    assert portal.reader(Role.OVERSEER, department="data_bureau").open(PAGE).status == 403

"""The kill switch as pages: who may, that it is meant, the steps as they happen, the receipt."""

import pytest

from services.control.accounts.roles import Role
from services.control.suspension.receipt import Step
from services.control.suspension.switch import Progress
from tests.support.operating import HEALTH_GRANT, Operated, cookies
from tests.support.portal import Reader
from tests.support.streaming import Listening

SUSPEND = f"/stop/order?verb=suspend&scope=grant&name={HEALTH_GRANT}"
REASON = "data found on a market"


def ordered(reader: Reader, address: str = SUSPEND, **fields: str) -> str:
    """Give an order on its page; returns where that leads."""
    page = reader.open(address)
    assert page.status == 200, page.text
    assert page.faults == []
    answer = reader.send(page, "/stop/order", reason=REASON, **fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


@pytest.mark.requirement("A8-05")
def test_an_order_is_carried_out_in_the_background_and_ends_with_the_cut_offsets(portal: Operated) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    path = ordered(reader, confirm=HEALTH_GRANT)
    work = portal.over(path.removeprefix("/stop/"))
    assert work.progress is Progress.DONE
    page = reader.open(path)
    assert page.faults == []
    assert "The receipt stands in the ledger" in page.text
    for partition in range(work.document["grants"][0]["partitions"] if work.document else 0):
        assert f"{partition} {10 + partition}" in page.text
    assert HEALTH_GRANT in portal.switched.denied
    assert portal.owed() == [("kill.grant", HEALTH_GRANT, REASON)]


@pytest.mark.parametrize(
    "fields",
    [{"confirm": ""}, {"confirm": "education-persons"}, {"confirm": HEALTH_GRANT, "reason": " "}],
)
def test_an_order_without_its_name_or_its_reason_does_nothing(
    portal: Operated, fields: dict[str, str]
) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = reader.open(SUSPEND)
    answer = reader.sent(page, "/stop/order", **{"reason": REASON, **fields})
    assert answer.status == 422
    assert answer.faults == []
    assert portal.switched.calls == []
    assert portal.owed() == []


@pytest.mark.parametrize(
    ("role", "department", "address", "allowed"),
    [
        (Role.PROVIDER, "police", SUSPEND, True),
        (Role.PROVIDER, "tax", SUSPEND, False),
        (Role.CONSUMER, "health", SUSPEND, False),
        (Role.OPERATOR, "data_bureau", SUSPEND, False),
        (Role.AUDITOR, "data_bureau", SUSPEND, False),
        (Role.OPERATOR, "data_bureau", "/stop/order?verb=suspend&scope=all", True),
        (Role.PROVIDER, "police", "/stop/order?verb=suspend&scope=all", False),
        (Role.PROVIDER, "police", "/stop/order?verb=suspend&scope=consumer&name=health", False),
        (Role.PROVIDER, "police", "/stop/order?verb=suspend&scope=resource&name=population.person.v1", True),
        (Role.AUTHORITY, "data_bureau", "/stop/order?verb=suspend&scope=consumer&name=health", True),
        (Role.AUTHORITY, "health", f"/stop/order?verb=resume&scope=grant&name={HEALTH_GRANT}", False),
        (Role.AUTHORITY, "tax", f"/stop/order?verb=resume&scope=grant&name={HEALTH_GRANT}", True),
        (Role.PROVIDER, "police", f"/stop/order?verb=resume&scope=grant&name={HEALTH_GRANT}", False),
    ],
)
def test_who_may_order_what(
    portal: Operated, role: Role, department: str, address: str, allowed: bool
) -> None:
    answer = portal.reader(role, department=department).look(address)
    assert answer.status_code == (200 if allowed else 403), answer.text


def test_who_may_not_is_refused_though_he_sends_the_form_himself(portal: Operated) -> None:
    page = portal.reader(Role.PROVIDER, department="police").open(SUSPEND)
    intruder = portal.reader(Role.CONSUMER, department="health")
    own = intruder.open("/stop").form("/logout").fields
    fields = {**page.form("/stop/order").fields, "reason": REASON, "confirm": HEALTH_GRANT}
    answer = intruder.client.post("/stop/order", data={**fields, "csrf_token": own["csrf_token"]})
    assert answer.status_code == 403
    assert portal.switched.calls == []


def test_a_grant_of_this_moment_can_be_stopped_though_pages_keep_an_older_policy(portal: Operated) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    whole = portal.bus.current
    assert whole is not None
    others = {id_: entry for id_, entry in whole.grants.items() if id_ != HEALTH_GRANT}
    portal.bus.current = whole.model_copy(update={"grants": others})
    assert reader.open("/stop").status == 200
    portal.bus.current = whole
    ordered(reader, confirm=HEALTH_GRANT)


def test_an_unknown_name_is_said_before_anything_is_done(portal: Operated) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = reader.open("/stop/order?verb=suspend&scope=grant&name=nobody")
    assert page.status == 422
    assert "knows nothing of that name" in page.text
    assert reader.look("/stop/order?verb=suspend&scope=planet&name=x").headers["location"] == "/stop"


async def test_steps_are_heard_as_they_happen_and_who_comes_back_goes_on_from_there(
    portal: Operated,
) -> None:
    portal.switched.goes_on.clear()
    reader = portal.reader(Role.PROVIDER, department="police")
    path = ordered(reader, confirm=HEALTH_GRANT)
    heard: list[int] = []
    async with Listening(portal.app, f"{path}/live", cookies(reader)) as stream:
        assert stream.status == 200
        while True:
            event = await stream.event()
            assert event is not None
            assert event.name == "progress"
            heard.append(int(event.id))
            work = portal.parts.switch.find(path.removeprefix("/stop/"))
            if work and work.document and Step.FENCED.value in work.document["steps"]:
                break
    assert heard == sorted(set(heard))
    portal.switched.goes_on.set()
    portal.over(path.removeprefix("/stop/"))
    again = {**cookies(reader), "last-event-id": str(heard[-1])}
    async with Listening(portal.app, f"{path}/live", again) as stream:
        event = await stream.event()
        assert event is not None
        assert int(event.id) > heard[-1]
        assert "The receipt stands in the ledger" in event.data
        over = await stream.event()
        assert over is not None
        assert (over.name, over.data) == ("over", "done")
        assert await stream.event() is None


async def test_a_page_that_is_closed_stops_nothing(portal: Operated) -> None:
    portal.switched.goes_on.clear()
    reader = portal.reader(Role.PROVIDER, department="police")
    path = ordered(reader, confirm=HEALTH_GRANT)
    async with Listening(portal.app, f"{path}/live", cookies(reader)) as stream:
        await stream.event()
    portal.switched.goes_on.set()
    assert portal.over(path.removeprefix("/stop/")).progress is Progress.DONE


def test_what_holds_is_listed_with_its_receipt_and_can_be_lifted(portal: Operated) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    path = ordered(reader, confirm=HEALTH_GRANT)
    portal.over(path.removeprefix("/stop/"))
    portal.bus.current = portal.switched.now
    portal.operations.policies.forget("policy")
    portal.operations.policies.look("policy")
    page = reader.open("/stop")
    while REASON not in page.text:
        portal.operations.policies.look("policy", 1.0)
        page = reader.open("/stop")
    assert path in page.links
    lift = f"/stop/order?verb=resume&scope=grant&name={HEALTH_GRANT}"
    assert lift in page.links
    done = ordered(reader, lift, confirm=HEALTH_GRANT)
    assert portal.over(done.removeprefix("/stop/")).progress is Progress.DONE
    assert [what for what, _, _ in portal.owed()] == ["kill.grant", "kill.resume"]


def test_a_receipt_is_for_the_departments_of_its_grants(portal: Operated) -> None:
    path = ordered(portal.reader(Role.PROVIDER, department="police"), confirm=HEALTH_GRANT)
    portal.over(path.removeprefix("/stop/"))
    assert portal.reader(Role.CONSUMER, department="health").look(path).status_code == 200
    assert portal.reader(Role.CONSUMER, department="tax").look(path).status_code == 403
    assert portal.reader(Role.AUDITOR, department="tax").look(path).status_code == 200
    assert portal.reader(Role.AUDITOR, department="tax").look("/stop/s-none").status_code == 404

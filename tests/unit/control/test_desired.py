"""What the definitions ask for: topics, rights and the steps to them."""

from dataclasses import replace

import pytest

from producers.publication import publication_schema
from services.control.comparison import compare_offline
from services.control.definitions import load_definitions, packaged_definitions
from services.control.desired import Declared, desired_state
from services.control.difference import StepKind, difference
from services.control.rights import rights
from services.control.state import Acl, DesiredState, LiveState, Pattern, Quota, ResourceType, Right, Topic
from topics.event import GrantId, ResourceId, SchemaId
from topics.grants.declaration import GrantState
from topics.names import GATE_GROUP

CITY = load_definitions(packaged_definitions())
DECLARED = Declared(
    CITY.providers, CITY.consumers, CITY.resources, CITY.grants, CITY.code_lists, CITY.item_schemas
)
DESIRED = desired_state(DECLARED)
HEALTH = GrantId("health-persons-gusu")
DAY_MS = 86_400_000


def as_live(desired: DesiredState) -> LiveState:
    """A stack that is exactly as desired."""
    return LiveState(
        topics=desired.topics,
        acls=desired.acls,
        users=frozenset(desired.users),
        quotas=desired.quotas,
        subjects=dict.fromkeys(desired.subjects, SchemaId(1)),
        credentials=frozenset(user for user in desired.users if "-" in user),
    )


DATED_BY_BROKER = {"message.timestamp.type": "LogAppendTime"}


@pytest.mark.parametrize(
    ("topic", "partitions", "configs"),
    [
        (
            "raw.police.public.person",
            4,
            {
                "message.timestamp.type": "LogAppendTime",
                "retention.ms": str(400 * DAY_MS),
                "cleanup.policy": "delete",
            },
        ),
        (
            "resource.population.person.v1",
            4,
            {"cleanup.policy": "compact", "min.compaction.lag.ms": str(7 * DAY_MS)},
        ),
        (
            f"sub.health.population.person.v1.{HEALTH}",
            4,
            {"cleanup.policy": "compact", "delete.retention.ms": str(8 * DAY_MS)},
        ),
        ("stopped.police.public.person", 4, {"cleanup.policy": "compact", "min.compaction.lag.ms": "0"}),
        (
            "versions.market_regulation.publish.licence.permit",
            4,
            {"cleanup.policy": "compact", "min.compaction.lag.ms": "0", "segment.bytes": str(32 * 1_048_576)},
        ),
        ("quarantine.police", 1, {"retention.ms": str(400 * DAY_MS)}),
        ("policy", 1, {"retention.ms": "-1", "cleanup.policy": "delete", **DATED_BY_BROKER}),
        ("policy-acks", 1, {"retention.ms": str(400 * DAY_MS)}),
        ("ledger.intake", 4, {"cleanup.policy": "delete", **DATED_BY_BROKER}),
        ("ledger.acts", 1, {"retention.ms": "-1", "cleanup.policy": "delete", **DATED_BY_BROKER}),
        ("ledger.checkpoints", 1, {"retention.ms": "-1", "cleanup.policy": "delete", **DATED_BY_BROKER}),
        ("disputes", 1, {"retention.ms": "-1", "cleanup.policy": "delete"}),
        ("heartbeat.raw.police", 1, DATED_BY_BROKER),
        ("signal.police", 1, DATED_BY_BROKER),
        ("notify.police", 1, DATED_BY_BROKER),
        ("raw.market_regulation.publish.licence.permit", 4, DATED_BY_BROKER),
        ("faust-gate-__assignor-__leader", 1, {}),
        ("faust-fanout.default-__assignor-__leader", 1, {}),
    ],
)
def test_each_topic_is_declared_with_its_partitions_and_retention(
    topic: str, partitions: int, configs: dict[str, str]
) -> None:
    found = DESIRED.topics[topic]
    assert found.partitions == partitions
    assert configs.items() <= found.configs.items()


def test_what_wraps_a_raw_record_has_room_for_it() -> None:
    limits = {
        name: int(topic.configs["max.message.bytes"])
        for name, topic in DESIRED.topics.items()
        if "max.message.bytes" in topic.configs
    }
    raw = max(limit for name, limit in limits.items() if name.startswith("raw."))
    raw_topics = {name for name in DESIRED.topics if name.startswith("raw.")}
    assert raw_topics <= set(limits)
    for prefix, times in (("quarantine.", 3), ("claims.", 3), ("resource.", 1.5), ("sub.", 1.5)):
        wrapping = [name for name in DESIRED.topics if name.startswith(prefix)]
        assert wrapping
        assert all(limits[name] > times * raw for name in wrapping)


def test_the_schema_of_a_direct_publication_is_registered_by_apply_and_that_of_a_capture_is_not() -> None:
    raw_subjects = {subject for subject in DESIRED.subjects if subject.startswith("raw.")}
    assert raw_subjects == {"raw.market_regulation.publish.licence.permit-value"}
    permit = CITY.item_schemas[ResourceId("licence.permit.v1")]
    assert DESIRED.subjects[raw_subjects.pop()] == publication_schema(permit)


def test_a_provider_may_publish_only_what_it_declares_as_direct_publication() -> None:
    writes = {acl.name: acl.user for acl in DESIRED.acls if acl.right is Right.WRITE}
    assert writes["raw.market_regulation.publish."] == "provider-market_regulation"
    assert "raw.police.publish." not in writes


def test_a_consumer_may_read_its_grant_topics_and_nothing_of_others() -> None:
    topics = {
        (acl.name, acl.pattern)
        for acl in DESIRED.acls
        if acl.user == "consumer-health" and acl.resource is ResourceType.TOPIC and acl.right is Right.READ
    }
    assert topics == {
        (f"sub.health.population.person.v1.{HEALTH}", Pattern.LITERAL),
        (f"sub.health.population.person.v1.{HEALTH}.replay.", Pattern.PREFIXED),
        (f"epochs.{HEALTH}", Pattern.LITERAL),
        ("parked.health", Pattern.LITERAL),
    }


def test_no_prefix_covers_a_name_that_merely_begins_alike() -> None:
    prefixes = {acl.name for acl in DESIRED.acls if acl.pattern is Pattern.PREFIXED}
    assert all(name.endswith((".", "-")) for name in prefixes)


def test_only_apply_writes_policy() -> None:
    writers = {acl.user for acl in DESIRED.acls if acl.name == "policy" and acl.right is Right.WRITE}
    assert writers == {"apply"}
    prefixes = [acl for acl in DESIRED.acls if acl.pattern is Pattern.PREFIXED and acl.right is Right.WRITE]
    assert not any("policy".startswith(acl.name) for acl in prefixes if acl.resource is ResourceType.TOPIC)


def test_the_auditor_writes_nothing() -> None:
    assert not any(acl.right is Right.WRITE for acl in DESIRED.acls if acl.user in {"ledger", "replay"})


def test_a_consumer_without_a_grant_has_only_its_own_groups_and_parking_place() -> None:
    names = {acl.name for acl in DESIRED.acls if acl.user == "consumer-archives"}
    assert names == {"archives", "archives.", "parked.archives"}


def test_a_suspended_grant_has_no_reader_and_forbids_its_writers() -> None:
    suspended = CITY.grants[HEALTH].model_copy(update={"state": GrantState.SUSPENDED})
    found = rights(CITY.providers, CITY.consumers, CITY.resources, [suspended])
    about = {acl for acl in found if acl.name == suspended.topic}
    assert {(acl.user, acl.allow) for acl in about} == {("fanout", False), ("copier", False)}


def test_the_gate_may_do_what_its_table_of_topics_says() -> None:
    gate = {(acl.name, acl.right) for acl in DESIRED.acls if acl.user == "gate"}
    assert {("raw.", Right.READ), ("resource.", Right.WRITE), ("ledger.intake", Right.WRITE)} <= gate
    assert (GATE_GROUP, Right.READ) in gate
    assert ("sub.", Right.WRITE) not in gate


def test_offline_everything_is_new_and_each_grant_is_filled() -> None:
    plan = compare_offline(CITY).plan
    assert {step.target for step in plan.of(StepKind.CREATE_TOPIC)} == set(DESIRED.topics)
    assert {step.target for step in plan.of(StepKind.FILL_GRANT)} == set(CITY.grants)
    assert not plan.refusals


def test_a_stack_that_is_as_declared_needs_no_step() -> None:
    assert difference(DESIRED, as_live(DESIRED), [], None).is_empty


def test_a_changed_partition_count_is_refused_and_says_why() -> None:
    live = as_live(DESIRED)
    name = "resource.population.person.v1"
    grown = {**live.topics, name: Topic(name, 8, live.topics[name].configs)}
    plan = difference(DESIRED, replace(live, topics=grown), [], None)
    assert [refusal.target for refusal in plan.refusals] == [name]
    assert "never changes in place" in plan.refusals[0].reason


def test_an_incompatible_schema_is_refused_before_anything_is_registered() -> None:
    subject = "resource.population.person.v1-value"
    live = replace(as_live(DESIRED), incompatible={subject: ("a field was removed",)})
    plan = difference(DESIRED, live, [], None)
    assert [refusal.target for refusal in plan.refusals] == [subject]


def test_a_setting_that_drifted_is_set_back_and_others_are_left_alone() -> None:
    live = as_live(DESIRED)
    name = "policy"
    drifted = Topic(name, 1, {**live.topics[name].configs, "retention.ms": "1", "segment.ms": "7"})
    plan = difference(DESIRED, replace(live, topics={**live.topics, name: drifted}), [], None)
    assert [(step.kind, step.target) for step in plan.steps] == [(StepKind.ALTER_TOPIC, name)]
    assert "segment" not in plan.steps[0].detail


def test_what_the_connect_worker_needs_for_itself_is_left_to_the_stack() -> None:
    own = Acl("connect", ResourceType.TOPIC, Pattern.LITERAL, "_connect-configs", Right.WRITE)
    foreign = Acl("connect", ResourceType.TOPIC, Pattern.PREFIXED, "sub.", Right.READ)
    live = as_live(DESIRED)
    plan = difference(DESIRED, replace(live, acls=live.acls | {own, foreign}), [], None)
    assert [step.acl for step in plan.steps] == [foreign]


def test_a_department_that_is_no_longer_declared_is_locked_out() -> None:
    live = as_live(DESIRED)
    plan = difference(DESIRED, replace(live, credentials=live.credentials | {"consumer-old"}), [], None)
    assert [(step.kind, step.target) for step in plan.steps] == [(StepKind.WITHDRAW_USER, "consumer-old")]


def test_a_quota_that_differs_is_set() -> None:
    live = as_live(DESIRED)
    quotas = {**live.quotas, "consumer-tax": Quota(1, 1)}
    plan = difference(DESIRED, replace(live, quotas=quotas), [], None)
    assert [(step.kind, step.target) for step in plan.steps] == [(StepKind.SET_QUOTA, "consumer-tax")]


def test_withdrawals_come_first_and_fills_last() -> None:
    order = list(StepKind)
    assert order[0] is StepKind.WITHDRAW_GRANT
    assert order[-1] is StepKind.FILL_GRANT
    assert order.index(StepKind.CREATE_TOPIC) < order.index(StepKind.PUT_CONNECTOR)
    assert order.index(StepKind.REGISTER_SCHEMA) < order.index(StepKind.WRITE_POLICY)

"""What is there against what is declared, as lines of the report."""

import pytest

from services.control.comparison import compare_offline
from services.control.definitions import load_definitions, packaged_definitions
from services.control.difference import Plan, Step, StepKind
from services.control.state import Acl, Pattern, ResourceType, Right
from services.doctor.declared import judge_declared, judge_foreign_topics, judge_plan
from services.doctor.finding import Level

SURPLUS = Acl("consumer-tax", ResourceType.TOPIC, Pattern.LITERAL, "sub.health.x", Right.READ)


def test_before_the_first_apply_there_is_one_line_and_not_hundreds() -> None:
    (finding,) = judge_declared(compare_offline(load_definitions(packaged_definitions())))
    assert (finding.level, finding.remedy) == (Level.WARNING, "govbus apply")


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (StepKind.CREATE_TOPIC, Level.FAILURE),
        (StepKind.ALTER_TOPIC, Level.WARNING),
        (StepKind.CREATE_USER, Level.FAILURE),
        (StepKind.REGISTER_SCHEMA, Level.FAILURE),
        (StepKind.WRITE_POLICY, Level.WARNING),
        (StepKind.WITHDRAW_GRANT, Level.FAILURE),
    ],
)
def test_a_step_that_is_left_is_a_line_with_its_target(kind: StepKind, level: Level) -> None:
    (finding,) = judge_plan(Plan((Step(kind, "the-target"),), ()), {})
    assert (finding.level, finding.remedy) == (level, "govbus apply")
    assert "the-target" in finding.seen


def test_every_kind_of_step_has_its_line() -> None:
    for kind in StepKind:
        assert judge_plan(Plan((Step(kind, "x"),), ()), {}), kind


def test_a_right_that_nobody_declared_is_a_failure_that_says_whose_and_to_what() -> None:
    (finding,) = judge_plan(Plan((Step(StepKind.DELETE_ACL, SURPLUS.user, str(SURPLUS), SURPLUS),), ()), {})
    assert finding.level is Level.FAILURE
    assert "consumer-tax may READ topic sub.health.x" in finding.seen


def test_many_names_are_cut_short() -> None:
    steps = tuple(Step(StepKind.CREATE_TOPIC, f"t{number}") for number in range(8))
    (finding,) = judge_plan(Plan(steps, ()), {})
    assert finding.seen == "8 missing: t0, t1, t2, t3, t4 and 3 more"


def test_what_is_as_declared_is_said_too() -> None:
    (finding,) = judge_plan(Plan((), ()), {"topics": "all 3 topics are as declared"})
    assert finding.level is Level.OK


def test_a_separate_topic_is_its_grants_and_one_without_a_declared_grant_is_noted() -> None:
    assert judge_foreign_topics({"sub.a.b", "sub.a.b.replay.7"}, {"sub.a.b"}, ()) == []
    (finding,) = judge_foreign_topics({"sub.a.c.replay.7"}, {"sub.a.b"}, ())
    assert "sub.a.c.replay.7" in finding.seen


def test_topics_that_nobody_declared_are_noted_but_for_those_of_connect_and_faust() -> None:
    (finding,) = judge_foreign_topics({"a", "x", "faust-gate-y"}, {"a"}, ("faust-",))
    assert finding.level is Level.NOTE
    assert finding.seen == "no definition names x"
    assert judge_foreign_topics({"a"}, {"a"}, ()) == []

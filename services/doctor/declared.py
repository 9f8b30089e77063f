"""Judges what is there against what is declared, from the plan of apply; pure."""

from typing import Final

from services.control.comparison import Comparison
from services.control.difference import Plan, StepKind
from services.doctor.finding import Finding, Level, failure, listed, note, ok, warning
from topics.names import grant_topic_of

_APPLY: Final = "govbus apply"
_CHECKS: Final = {
    "topics": (StepKind.CREATE_TOPIC, StepKind.ALTER_TOPIC),
    "rights": (StepKind.CREATE_ACL, StepKind.DELETE_ACL),
    "users": (StepKind.CREATE_USER, StepKind.WITHDRAW_USER),
    "quotas": (StepKind.SET_QUOTA,),
    "schemas": (StepKind.REGISTER_SCHEMA,),
    "credentials": (StepKind.WRITE_CREDENTIALS,),
    "policy": (StepKind.WRITE_POLICY,),
    "connectors": (StepKind.PUT_CONNECTOR, StepKind.DELETE_CONNECTOR),
    "grants": (StepKind.FILL_GRANT, StepKind.WITHDRAW_GRANT),
}
_WORDS: Final = {
    StepKind.CREATE_TOPIC: "missing",
    StepKind.ALTER_TOPIC: "with other settings",
    StepKind.CREATE_ACL: "missing",
    StepKind.DELETE_ACL: "that nobody declared",
    StepKind.CREATE_USER: "missing",
    StepKind.WITHDRAW_USER: "no longer declared",
    StepKind.SET_QUOTA: "not as declared",
    StepKind.REGISTER_SCHEMA: "not registered as declared",
    StepKind.WRITE_CREDENTIALS: "without a file that is up to date",
    StepKind.WRITE_POLICY: "not written yet",
    StepKind.PUT_CONNECTOR: "not as declared",
    StepKind.DELETE_CONNECTOR: "no longer declared",
    StepKind.FILL_GRANT: "not filled yet",
    StepKind.WITHDRAW_GRANT: "not withdrawn yet",
}
#: What the bus works without, for a while. A right too many is no such thing: somebody may see too much.
_WARNINGS: Final = frozenset(
    {
        StepKind.ALTER_TOPIC,
        StepKind.SET_QUOTA,
        StepKind.WRITE_CREDENTIALS,
        StepKind.WRITE_POLICY,
        StepKind.PUT_CONNECTOR,
        StepKind.DELETE_CONNECTOR,
        StepKind.FILL_GRANT,
    }
)


def judge_declared(comparison: Comparison) -> list[Finding]:
    """Everything that apply looks after, a line or more for each kind of it."""
    live, desired = comparison.live, comparison.desired
    if live.policy is None and not set(live.topics) & set(desired.topics):
        return [warning("declared", "nothing is applied yet: there are no topics and no policy", _APPLY)]
    counts = {
        "topics": f"all {len(desired.topics)} topics are as declared",
        "rights": f"all {len(desired.acls)} rights are as declared, and there are no others",
        "users": f"all {len(desired.users)} users are known",
        "quotas": f"all {len(desired.quotas)} quotas are set",
        "schemas": f"all {len(desired.subjects)} subjects have the schema that is declared",
        "policy": f"version {live.policy.version if live.policy else 0} says what is declared",
    }
    return [*_refusals(comparison.plan), *judge_plan(comparison.plan, counts)]


def judge_plan(plan: Plan, well: dict[str, str]) -> list[Finding]:
    """One line for each kind of step that is left; ``well`` says what to show where none is."""
    findings = []
    for check, kinds in _CHECKS.items():
        left = [(kind, plan.of(kind)) for kind in kinds if plan.of(kind)]
        for kind, steps in left:
            level = Level.WARNING if kind in _WARNINGS else Level.FAILURE
            names = listed(sorted({step.detail if step.acl else step.target for step in steps}))
            findings.append(Finding(check, level, f"{len(steps)} {_WORDS[kind]}: {names}", _APPLY))
        if not left and check in well:
            findings.append(ok(check, well[check]))
    return findings


def judge_no_definitions(reason: str) -> Finding:
    """The definitions cannot be read, so nothing can be compared with them."""
    return failure("declared", reason, "govbus plan --offline")


def judge_foreign_topics(found: set[str], declared: set[str], own: tuple[str, ...]) -> list[Finding]:
    """Topics that no definition names; ``own`` are prefixes of those that Connect and Faust keep.

    A separate topic of a redelivery belongs to the grant that is declared.
    """
    foreign = sorted(
        name for name in found if grant_topic_of(name) not in declared and not name.startswith(own)
    )
    if not foreign:
        return []
    return [note("topics", f"no definition names {listed(foreign)}", "govbus plan")]


def _refusals(plan: Plan) -> list[Finding]:
    return [
        failure("declared", f"{refusal.target} {refusal.reason}", "govbus plan") for refusal in plan.refusals
    ]

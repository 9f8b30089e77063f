"""Policy packs: what the project brings along, how layers merge, and why a value is what it is."""

from datetime import date
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from services.control.clocks.merge import CorrectPacks, Policy, because, in_words, merge
from services.control.clocks.pack import Given, Level, Pack, Source, Standing
from services.control.clocks.pack_file import load_packs, packaged_packs
from services.control.clocks.policy_keys import KEYS, Kind, Merge
from services.control.clocks.rules import ClockRule, Extension, Stage, WorkingDays
from tests.unit.clocks.written_packs import REPLY, TODAY, loaded, pack, policy_of, stages

PACKS = load_packs(packaged_packs())


def merged(*names: str, on: date = TODAY) -> Policy:
    return merge([PACKS[name] for name in names], on)


# The clocks that the acts name, each by the id of its requirement: key, packs, what counts, and from where.
CLOCKS = [
    ("A2-05", "clocks.catalog.apply", "jiyuan-2022", "5 working days", "第十九条"),
    ("A2-07", "clocks.catalog.apply", "yanjin-2019", "at once", "三(一)"),
    ("A2-07", "catalog.update.filing", "yanjin-2019", "required", "三(一)"),
    ("A2-06", "clocks.catalog.review", "jiyuan-2022", "5 working days", "第十九条"),
    (
        "A4-05",
        "clocks.interface.delivery",
        "jiyuan-2022",
        "the agreed day, once up to 5 more by authority",
        "第八条",
    ),
    ("A6-03", REPLY, "county-template-2021", "10 working days", "第十三条"),
    ("A6-03", REPLY, "yanjin-2019", "5 working days", "三(二)"),
    ("A9-04", "clocks.problem.verify", "jiyuan-2022", "5 working days", "第二十四条"),
    ("A9-05", "clocks.problem.correct", "jiyuan-2022", "10 working days", "第二十四条"),
    (
        "A10-04",
        "clocks.open.objection",
        "jiyuan-2022",
        "10 working days, once up to 10 more by head_of_department",
        "第四十条",
    ),
    (
        "A10-05",
        "clocks.open.request",
        "jiyuan-2022",
        "10 working days, once up to 10 more by head_of_department",
        "第四十一条",
    ),
    ("A11-08", "clocks.maintenance.notice", "bengbu-2017", "3 working days before", "第二十三条"),
    ("A12-01", "calendar.annual_report.department", "jiyuan-2022", "by 01-31", "第五十五条"),
    ("A12-01", "calendar.annual_report.department", "county-template-2021", "by 01-31", "第十九条"),
    ("A12-01", "calendar.annual_report.department", "yanjin-2019", "by 01-05", "四(二)"),
    ("A12-02", "calendar.annual_report.authority", "jiyuan-2022", "by 02-last", "第五十五条"),
    ("A11-01", "retention.audit.min_days", "jiyuan-2022", "184 days", "第二十八条"),
]


@pytest.mark.parametrize(("rule", "key", "name", "value", "article"), CLOCKS)
@pytest.mark.requirement("A2-05", "A2-06", "A4-05", "A6-03", "A9-04", "A9-05", "A10-04", "A10-05", "C4")
@pytest.mark.requirement("A11-08", "A12-01", "A12-02", "A2-07")
def test_each_clock_of_the_acts_is_a_value_with_its_article(
    rule: str, key: str, name: str, value: str, article: str
) -> None:
    (decided,) = merged(name).decide(key)
    assert (in_words(decided.given), decided.given.source.article) == (value, article)
    assert rule in KEYS[key].rules


def test_what_was_not_compared_with_the_official_text_says_so() -> None:
    national = PACKS["national-2025"]
    assert national.unverified == len(national.values) == 4
    assert all(each.source.article is None for given in national.values.values() for each in given)
    assert "[unverified]" in because(merged("national-2025").decide(REPLY)[0].given)
    drafts = {each.id for each in PACKS.values() if each.standing is not Standing.IN_FORCE}
    assert drafts == set(PACKS) - {"national-2025"}


@pytest.mark.requirement("C13")
def test_the_packs_have_a_value_for_each_key() -> None:
    assert {key for each in PACKS.values() for key in each.values} == set(KEYS)


@pytest.mark.requirement("A2-07", "C1")
@pytest.mark.parametrize("packs", [("jiyuan-2022", "yanjin-2019"), ("yanjin-2019",)])
def test_at_once_is_stricter_than_any_number_of_days(packs: tuple[str, ...]) -> None:
    (decided,) = merged(*packs).decide("clocks.catalog.apply")
    assert (decided.given.pack, in_words(decided.given)) == ("yanjin-2019", "at once")


@pytest.mark.requirement("C1", "C9")
def test_the_strictest_value_counts_and_the_others_say_why_they_do_not() -> None:
    policy = merged("department-sample", "yanjin-2019", "jiyuan-2022", "national-2025")
    (reply,) = policy.decide(REPLY)
    assert f"{in_words(reply.given)} because {because(reply.given)}" == (
        "5 working days because 延津县通知（延“放管服”办〔2019〕6号） 三(二)"
    )
    assert [(each.given.pack, in_words(each.given), each.why) for each in reply.over] == [
        ("national-2025", "10 working days", "it is less strict"),
        ("department-sample", "3 working days (target)", "it is only a target"),
    ]
    (verify,) = policy.decide("clocks.problem.verify")
    assert (verify.given.pack, verify.over[0].given.pack) == ("jiyuan-2022", "department-sample")


@pytest.mark.requirement("C12")
def test_what_is_kept_is_kept_for_the_longest_that_a_layer_asks_for() -> None:
    (kept,) = merged("national-2025", "jiyuan-2022", "department-sample").decide("retention.audit.min_days")
    assert (kept.given.content, {each.given.content for each in kept.over}) == (400, {184})


@pytest.mark.requirement("C8")
def test_where_the_rule_says_so_the_lowest_layer_counts() -> None:
    (route,) = merged("jiyuan-2022", "yanjin-2019").decide("workflow.problem.route")
    assert (route.given.content, route.given.pack) == ("both", "yanjin-2019")
    assert [(each.given.content, each.why) for each in route.over] == [
        ("authority", "yanjin-2019 is a lower layer")
    ]


@pytest.mark.requirement("C10", "C11")
def test_of_choices_the_strictest_counts() -> None:
    (batch,) = merged("jiyuan-2022", "county-template-2021").decide("modes.batch")
    assert (batch.given.content, batch.given.pack) == ("last_resort", "jiyuan-2022")
    (third,) = merged("bengbu-2017", "county-template-2021").decide("use.third_party")
    assert third.given.content == "forbid"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, [("precheck", 2, "province-sample-2024"), ("reply", 10, "national-2025")]),
        (
            {"on_platform": "yes"},
            [("precheck", 2, "province-sample-2024"), ("reply", 5, "province-sample-2024")],
        ),
        ({"on_platform": "no"}, [("precheck", 2, "province-sample-2024"), ("reply", 10, "national-2025")]),
    ],
)
@pytest.mark.requirement("C1")
def test_the_facts_of_a_case_decide_which_stages_apply(
    facts: dict[str, str], expected: list[tuple[str, int, str]]
) -> None:
    decided = merged("national-2025", "province-sample-2024").decide(REPLY, facts)
    found = []
    for each in decided:
        assert isinstance(each.given.content, Stage)
        assert isinstance(each.given.content.rule.length, WorkingDays)
        found.append((each.stage, each.given.content.rule.length.count, each.given.pack))
    assert found == expected


def test_a_guard_does_not_loosen_what_a_higher_layer_demands_of_all(tmp_path: Path) -> None:
    policy = policy_of(
        tmp_path,
        pack("national", {REPLY: stages({"working_days": 5})}),
        pack("county", {REPLY: stages({"working_days": 20, "when": {"rare": "yes"}})}),
    )
    (decided,) = policy.decide(REPLY, {"rare": "yes"})
    assert in_words(decided.given) == "5 working days"


@pytest.mark.parametrize(
    ("one", "other", "winner"),
    [
        ({"extension": {"most": 5, "approver": "authority"}}, {}, "the-county"),
        ({"pauses_while": ["returned"]}, {}, "the-county"),
        ({}, {"counts_first_day": True}, "the-county"),
        ({}, {}, "the-national"),
        ({"advisory": True}, {"working_days": 30}, "the-county"),
        # A target may be in another unit: it binds nobody.
        ({}, {"working_days": None, "natural_days": 1, "advisory": True}, "the-national"),
    ],
)
def test_of_equal_lengths_the_one_that_leaves_less_room_counts(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any], winner: str
) -> None:
    policy = policy_of(
        tmp_path, pack("national", {REPLY: stages(one)}), pack("county", {REPLY: stages(other)})
    )
    assert policy.decide(REPLY)[0].given.pack == winner


def test_of_values_that_are_as_strict_a_verified_one_counts(tmp_path: Path) -> None:
    doubtful = pack("national", {REPLY: stages({})})
    doubtful["values"][REPLY]["source"] = {"document": "act", "verified": False}
    (decided,) = policy_of(tmp_path, doubtful, pack("county", {REPLY: stages({})})).decide(REPLY)
    assert (decided.given.pack, decided.over[0].why) == (
        "the-county",
        "the-county is as strict, and verified",
    )


@pytest.mark.requirement("C7", "C17")
def test_a_longer_notice_and_an_earlier_date_are_stricter(tmp_path: Path) -> None:
    notice, report = "clocks.maintenance.notice", "calendar.annual_report.authority"
    by = {"working_days": None, "by": "02-last"}
    policy = policy_of(
        tmp_path,
        pack("national", {notice: stages({"working_days": 3}), report: stages(by)}),
        pack("county", {notice: stages({"working_days": 5}), report: stages({**by, "by": "02-20"})}),
    )
    assert in_words(policy.decide(notice)[0].given) == "5 working days before"
    assert in_words(policy.decide(report)[0].given) == "by 02-20"


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"working_days": None, "natural_days": 7}, "are in different units"),
        (
            {"starts_on": "request_submitted"},
            "run from different events, request_submitted and request_received",
        ),
    ],
)
@pytest.mark.parametrize("when", [{}, {"on_platform": "yes"}])
def test_values_that_cannot_be_compared_are_refused_with_their_line(
    tmp_path: Path, other: dict[str, Any], why: str, when: dict[str, str]
) -> None:
    guarded = {"rare": "yes"} if when else {}
    packs = loaded(
        tmp_path,
        pack("national", {REPLY: stages({"when": when})}),
        pack("county", {REPLY: stages({**other, "when": guarded})}),
    )
    with pytest.raises(CorrectPacks, match=why) as refused:
        merge(packs.values(), TODAY)
    file, line = refused.value.where.split(":")
    text = (tmp_path / file).read_text("utf-8").splitlines()
    assert (file, text[int(line) - 1].startswith("    - ")) == ("the-county.yaml", True)


def test_stages_for_facts_that_exclude_each_other_are_not_compared(tmp_path: Path) -> None:
    policy = policy_of(
        tmp_path,
        pack("national", {REPLY: stages({"when": {"on_platform": "yes"}})}),
        pack(
            "county",
            {REPLY: stages({"working_days": None, "natural_days": 7, "when": {"on_platform": "no"}})},
        ),
    )
    assert [in_words(each.given) for each in policy.decide(REPLY, {"on_platform": "no"})] == ["7 days"]
    assert policy.decide(REPLY) == ()


def test_two_packs_of_one_level_make_no_policy() -> None:
    with pytest.raises(CorrectPacks, match="are both of the level county; name one pack of each level"):
        merged("yanjin-2019", "county-template-2021")


@pytest.mark.parametrize(("on", "counts"), [(date(2025, 7, 31), False), (date(2025, 8, 1), True)])
def test_a_pack_counts_from_its_first_day_on(on: date, counts: bool) -> None:
    policy = merged("national-2025", "yanjin-2019", on=on)
    assert [each.id for each in policy.packs] == ["national-2025"] * counts + ["yanjin-2019"]
    assert [each.id for each in policy.not_yet] == ["national-2025"] * (not counts)
    assert bool(policy.decide("clocks.subscription.supply")) == counts


def test_the_digest_is_of_what_counts_and_of_nothing_else(tmp_path: Path) -> None:
    one, other = pack("national", {REPLY: stages({})}), pack("county", {REPLY: stages({"working_days": 7})})
    digest = policy_of(tmp_path, one, other).digest
    assert digest == merge(reversed(list(loaded(tmp_path, one, other).values())), TODAY).digest
    (tmp_path / "the-county.yaml").write_text(
        "# a comment moves the lines\n" + (tmp_path / "the-county.yaml").read_text("utf-8"), "utf-8"
    )
    assert merge(load_packs(tmp_path).values(), TODAY).digest == digest
    changed = {
        "version": {**other, "version": 2},
        "value": pack("county", {REPLY: stages({"working_days": 6})}),
        "unit": pack("county", {REPLY: stages({"working_days": None, "natural_days": 7, "advisory": True})}),
        "guard": pack("county", {REPLY: stages({"working_days": 7, "when": {"rare": "yes"}})}),
        "document": {**other, "documents": {"act": "another act"}},
    }
    found = {name: policy_of(tmp_path, one, each).digest for name, each in changed.items()}
    assert len({digest, *found.values()}) == 1 + len(changed)
    in_working_days = pack("county", {REPLY: stages({"working_days": 7})})
    in_natural_days = pack("county", {REPLY: stages({"working_days": None, "natural_days": 7})})
    digests = {policy_of(tmp_path / "alone", each).digest for each in (in_working_days, in_natural_days)}
    assert len(digests) == 2


LEVELS = [each.value for each in Level]


@hypothesis.given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 10)), min_size=1, max_size=5))
def test_no_layer_makes_a_deadline_longer_or_a_retention_shorter(asked: list[tuple[int, int]]) -> None:
    def given_by(level: str, key: str, content: Stage | int) -> Given:
        return Given(key, content, Source("act", "第一条", True), level, Level(level), "here:1")

    packs = []
    for level, (days, more) in zip(LEVELS, asked, strict=False):
        rule = ClockRule(WorkingDays(days), extension=Extension(more, "authority") if more else None)
        values = {
            REPLY: (given_by(level, REPLY, Stage("reply", "provider", "received", rule)),),
            "retention.audit.min_days": (given_by(level, "retention.audit.min_days", days),),
        }
        packs.append(Pack(level, level, level, Level(level), 1, Standing.SAMPLE, None, values))
    policy = merge(reversed(packs), TODAY)
    (reply,), (kept,) = policy.decide(REPLY), policy.decide("retention.audit.min_days")
    assert isinstance(reply.given.content, Stage)
    best = min(asked[: len(packs)])
    assert reply.given.content.rule.length == WorkingDays(best[0])
    assert (reply.given.content.rule.extension or Extension(0, "")).most == best[1]
    assert kept.given.content == max(days for days, _ in asked[: len(packs)])
    assert len(reply.over) == len(packs) - 1


def test_a_key_says_how_its_values_merge_and_choices_have_an_order() -> None:
    assert set(Merge) == {each.merge for each in KEYS.values()}
    for each in KEYS.values():
        assert (len(each.choices) > 1) == (each.kind in {Kind.CHOICE, Kind.LIST})
        assert each.rules
        assert each.zh
        assert each.en

"""Files of policy packs: everything that is wrong with them at once, with line and remedy."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.control.clocks.pack_file import PacksInvalid, load_packs
from tests.unit.clocks.written_packs import REPLY, errors, pack, stages


def test_everything_that_is_wrong_with_packs_is_said_at_once_with_file_line_and_remedy(
    tmp_path: Path,
) -> None:
    wrong = pack(
        "county",
        {
            "clocks.catalog.aply": stages({}),
            REPLY: stages({}, {"working_days": 7}),
            "modes.batch": {"choice": "sometimes"},
            "use.third_party": {"days": 3},
            "retention.audit.min_days": {"days": 184, "source": {"document": "law", "article": "第一条"}},
            "clocks.maintenance.notice": stages({"working_days": None, "natural_days": 3}),
        },
    )
    found = errors(tmp_path, wrong, {**pack("city", {REPLY: stages({})}), "level": "town"})
    assert [each.split(": ", 1)[1] for each in found] == [
        "level: input should be 'national', 'province', 'city', 'county' or 'department'; correct the value",
        "values.clocks.catalog.aply: there is no key clocks.catalog.aply; "
        "`govbus clock packs list` shows those that there are",
        f"values.{REPLY}.stages.1: reply is given twice for the same facts; "
        "keep one of the two, or tell them apart by when",
        "values.modes.batch.choice: 'sometimes' is no choice here; write one of: allowed, last_resort",
        "values.use.third_party: has days, but is a choice; give it choice",
        "values.retention.audit.min_days.source.document: there is no document law in this pack; "
        "name one of: act; or add it to documents",
        "values.clocks.maintenance.notice.stages.0: a notice is given working days before; give working_days",
    ]
    for each in found:
        file, line = each.split(":")[:2]
        named = each.split(": ")[1].split(".")[-1]
        shown = (tmp_path / file).read_text("utf-8").splitlines()[int(line) - 1]
        assert named in shown or named.isdigit()


@pytest.mark.parametrize(
    ("stage", "problem"),
    [
        ({"working_days": None}, "has no length, not one of at_once, working_days, natural_days, by, agreed"),
        ({"natural_days": 3}, "has working_days and natural_days, not one of"),
        ({"working_days": 0}, "greater than or equal to 1"),
        ({"working_days": "5"}, "valid integer"),
        ({"working_days": None, "by": "13-01"}, "by is '13-01', not a month and day"),
        ({"working_days": None, "by": "02-30"}, "by is '02-30', not a month and day"),
        ({"working_days": None, "by": "01-00"}, "by is '01-00', not a month and day"),
        ({"working_days": None, "by": "01-31", "pauses_while": ["returned"]}, "which does not wait"),
        ({"at_once": True}, "has at_once and working_days, not one of"),
        ({"working_days": None, "at_once": True, "pauses_while": ["returned"]}, "at_once leaves no day"),
        (
            {"working_days": None, "at_once": True, "extension": {"most": 1, "approver": "authority"}},
            "at_once leaves no day",
        ),
        ({"remind_at": [80, 50]}, "remind_at does not rise"),
        ({"remind_at": [101]}, "less than or equal to 100"),
        ({"when": {"on_platform": True}}, "is true or false, not text; put the value in quotes"),
        ({"extended": 5}, "is not known here"),
        ({"calendar": "us"}, "input should be 'cn'"),
    ],
)
def test_a_stage_that_is_no_clock_is_refused(tmp_path: Path, stage: dict[str, Any], problem: str) -> None:
    (found,) = errors(tmp_path, pack("county", {REPLY: stages(stage)}))
    assert found.startswith("the-county.yaml:")
    assert problem in found


def test_a_clock_has_a_stage(tmp_path: Path) -> None:
    assert errors(tmp_path, pack("county", {REPLY: {"stages": []}})) == [
        f"the-county.yaml:16: values.{REPLY}.stages: is empty; give it a stage"
    ]


def test_a_value_without_an_article_is_not_verified(tmp_path: Path) -> None:
    doubtful = pack("county", {REPLY: stages({})})
    doubtful["values"][REPLY]["source"] = {"document": "act"}
    (found,) = errors(tmp_path, doubtful)
    assert "is verified and names no article: name it, or write verified: false" in found


def test_a_pack_stands_in_a_file_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(pack("county", {REPLY: stages({})})), "utf-8")
    with pytest.raises(
        PacksInvalid, match=r"the-county stands in other\.yaml; name the file the-county\.yaml"
    ):
        load_packs(tmp_path)


def test_a_folder_without_packs_is_said(tmp_path: Path) -> None:
    with pytest.raises(PacksInvalid, match="holds no packs"):
        load_packs(tmp_path)
    (tmp_path / "broken.yaml").write_text("id: [", "utf-8")
    with pytest.raises(PacksInvalid, match=r"broken\.yaml:2: not YAML"):
        load_packs(tmp_path)

"""Policy packs that a test writes: their YAML in a folder, and what comes of reading it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.control.clocks.merge import Policy, merge
from services.control.clocks.pack import Pack
from services.control.clocks.pack_file import PacksInvalid, load_packs

REPLY = "clocks.subscription.provider_reply"
STAGE = {"name": "reply", "obliged": "provider", "starts_on": "request_received", "working_days": 5}
TODAY = date(2026, 1, 5)


def pack(level: str, values: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A pack as its file says it, with one document; values are their contents only."""
    return {
        "id": f"the-{level}",
        "titles": {"zh": level, "en": level},
        "level": level,
        "version": 1,
        "standing": "sample",
        "effective_from": None,
        "documents": {"act": f"act of the {level}"},
        "values": {
            key: {"source": {"document": "act", "article": "第一条"}, **content}
            for key, content in values.items()
        },
        **more,
    }


def stages(*given: dict[str, Any]) -> dict[str, Any]:
    return {"stages": [{**STAGE, **each} for each in given]}


def loaded(folder: Path, *packs: dict[str, Any]) -> Mapping[str, Pack]:
    folder.mkdir(exist_ok=True)
    for each in packs:
        (folder / f"{each['id']}.yaml").write_text(
            yaml.safe_dump(each, allow_unicode=True, sort_keys=False), "utf-8"
        )
    return load_packs(folder)


def policy_of(folder: Path, *packs: dict[str, Any], on: date = TODAY) -> Policy:
    return merge(loaded(folder, *packs).values(), on)


def errors(folder: Path, *packs: dict[str, Any]) -> list[str]:
    with pytest.raises(PacksInvalid) as refused:
        loaded(folder, *packs)
    return [str(each) for each in refused.value.errors]

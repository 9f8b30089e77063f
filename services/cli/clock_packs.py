"""`govbus clock packs`: which policy packs there are, and why a value of several of them is what it is."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from services.cli.lazily import loading
from services.cli.output import (
    CommandFailed,
    ExitCode,
    Form,
    Format,
    Json,
    emit_json,
    one_of,
    table,
    wants_json,
)
from services.control.clocks.merge import CorrectPacks, Decided, Facts, Policy, because, in_words, merge
from services.control.clocks.pack import Given, Pack
from services.control.clocks.pack_file import PacksInvalid, load_packs, packaged_packs
from services.control.clocks.policy_keys import KEYS, PolicyKey
from services.control.clocks.rules import Stage
from topics.quality.values import CIVIL_TIME

app = typer.Typer(
    cls=loading({"import": "clock_pack_import"}),
    help="Look at policy packs and at what they make together.",
    no_args_is_help=True,
)

Folder = Annotated[Path | None, typer.Option("--packs", help="Another folder with policy packs.")]


@app.callback()
def packs() -> None:
    """Look at policy packs and at what they make together."""


@app.command("list")
def list_command(folder: Folder = None, as_json: Json = False, output: Form = Format.TABLE) -> None:
    """List the packs that there are, and the keys that they may give values for."""
    found = _load(folder)
    rows = [_pack_row(each) | {"keys": sorted(each.values)} for each in found.values()]
    keys = [_key_row(each) for each in KEYS.values()]
    if wants_json(as_json, output):
        emit_json({"packs": rows, "keys": keys})
        return
    names = ["id", "level", "version", "standing", "effective_from", "unverified"]
    table("Policy packs", names, [[row[name] for name in names] for row in rows])
    table(
        "Keys",
        ["key", "kind", "merge", "zh"],
        [[key[n] for n in ("key", "kind", "merge", "zh")] for key in keys],
    )


@app.command("explain")
def explain_command(
    key: Annotated[str, typer.Argument(help="The key, such as clocks.subscription.provider_reply.")],
    pack: Annotated[list[str], typer.Option(help="A pack; give one of each level that counts.")],
    fact: Annotated[
        list[str] | None, typer.Option(help="A fact of the case as NAME=VALUE, such as on_platform=yes.")
    ] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today by default.")
    ] = None,
    folder: Folder = None,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Say what counts for a key when these packs are merged, from which article, and what it was chosen over.

    Exit codes: 0 explained, 1 none of the packs gives a value for it, 2 the command line or a pack is wrong.
    """
    one_of(key, KEYS, "key", "KEY")
    day = datetime.now(CIVIL_TIME).date() if on is None else on.date()
    policy = _merged(_load(folder), pack, day)
    asked = [_facts(fact)] if fact else policy.situations(key)
    decided = [each for facts in asked for each in policy.decide(key, facts)]
    if wants_json(as_json, output):
        emit_json(_explanation(KEYS[key], policy, day, decided))
    else:
        _print(KEYS[key], policy, decided)
    raise typer.Exit(ExitCode.OK if decided else ExitCode.NEGATIVE)


def _load(folder: Path | None) -> Mapping[str, Pack]:
    try:
        return load_packs(packaged_packs() if folder is None else folder)
    except PacksInvalid as error:
        first, *others = error.errors
        remedy = "\n".join(["correct the pack", *map(str, others)])
        raise CommandFailed(ExitCode.USAGE, str(first), "", remedy) from error


def _merged(found: Mapping[str, Pack], names: list[str], day: date) -> Policy:
    for name in names:
        one_of(name, found, "pack", "--pack")
    try:
        return merge([found[name] for name in dict.fromkeys(names)], day)
    except CorrectPacks as error:
        raise CommandFailed(ExitCode.USAGE, error.what, error.where, error.remedy) from error


def _facts(given: list[str]) -> Facts:
    facts = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not (name and equals and value):
            raise CommandFailed(
                ExitCode.USAGE,
                f"{each!r} is no fact",
                "--fact",
                "write it as NAME=VALUE, such as on_platform=yes",
            )
        facts[name] = value
    return facts


def _pack_row(pack: Pack) -> dict[str, Any]:
    return {
        "id": pack.id,
        "zh": pack.zh,
        "en": pack.en,
        "level": pack.level.value,
        "version": pack.version,
        "standing": pack.standing.value,
        "effective_from": None if pack.effective_from is None else pack.effective_from.isoformat(),
        "unverified": pack.unverified,
    }


def _key_row(key: PolicyKey) -> dict[str, Any]:
    return {
        "key": key.name,
        "zh": key.zh,
        "en": key.en,
        "kind": key.kind.value,
        "merge": key.merge.value,
        "choices": list(key.choices),
        "rules": list(key.rules),
    }


def _explanation(key: PolicyKey, policy: Policy, day: date, decided: list[Decided]) -> dict[str, Any]:
    return {
        **_key_row(key),
        "on": day.isoformat(),
        "digest": policy.digest,
        "packs": [each.id for each in policy.packs],
        "not_yet": [each.id for each in policy.not_yet],
        "decided": [_decided_row(each) for each in decided],
    }


def _decided_row(decided: Decided) -> dict[str, Any]:
    content = decided.given.content
    return {
        "stage": decided.stage,
        "obliged": content.obliged if isinstance(content, Stage) else None,
        "starts_on": content.starts_on if isinstance(content, Stage) else None,
        "facts": dict(decided.when),
        **_given_row(decided.given),
        "over": [{**_given_row(each.given), "why": each.why} for each in decided.over],
    }


def _given_row(given: Given) -> dict[str, Any]:
    return {
        "value": in_words(given),
        "pack": given.pack,
        "level": given.level.value,
        "document": given.source.document,
        "article": given.source.article,
        "verified": given.source.verified,
        "place": given.place,
    }


def _print(key: PolicyKey, policy: Policy, decided: list[Decided]) -> None:
    rows = []
    for each in decided:
        facts = ", ".join(f"{name}={value}" for name, value in each.when.items())
        rows.append(
            [each.stage or key.name, facts, in_words(each.given), because(each.given), each.given.pack]
        )
        rows += [
            [f"not {passed.given.pack}", "", in_words(passed.given), because(passed.given), passed.why]
            for passed in each.over
        ]
    table(f"{key.name} {key.zh} ({key.merge})", ["stage", "facts", "value", "because", "from"], rows)
    for pack in policy.not_yet:
        typer.echo(f"{pack.id} counts from {pack.effective_from} on")

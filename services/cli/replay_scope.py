"""What the scope of a replay says at the command line: a stretch, the file of a grant, a subject."""

import re
from pathlib import Path
from typing import Any, Final

import typer

from services.cli.bus import require
from services.cli.output import CommandFailed, ExitCode
from services.control.replays.asking import NotAGrant, fitting, grant_in
from services.control.replays.on_stack import open_known
from services.ledger.replay.scope import Scope
from services.ledger.replay.subject import subject_hash
from services.stack.api import Stack
from topics.event import ResourceId, TopicName
from topics.identity.check import identity_key
from topics.identity.text import normalise

_AT: Final = re.compile(r"(?P<topic>[^:]+):(?P<partition>[0-9]+)(:(?P<begin>[0-9]+)-(?P<end>[0-9]+))?")
Stretch = tuple[TopicName | None, int | None, int | None, int | None]


def at_of(text: str | None) -> Stretch:
    """Topic, partition and offsets of ``TOPIC:PARTITION[:FROM-TO]``; the end is excluded.

    Raises:
        CommandFailed: it is written otherwise.
    """
    if text is None:
        return None, None, None, None
    found = _AT.fullmatch(text)
    if found is None:
        remedy = "write TOPIC:PARTITION or TOPIC:PARTITION:FROM-TO"
        raise CommandFailed(ExitCode.USAGE, f"{text!r} is no stretch of a partition", "--at", remedy)
    begin, end = found["begin"], found["end"]
    offsets = (None, None) if begin is None else (int(begin), int(end))
    return TopicName(found["topic"]), int(found["partition"]), *offsets


def declared_grant(path: Path | None) -> dict[str, Any] | None:
    """The declaration of a grant in a file, as it is kept with the replay.

    Raises:
        CommandFailed: there is no such file, or it declares no grant.
    """
    if path is None:
        return None
    try:
        return grant_in(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, NotAGrant) as error:
        cause = error if isinstance(error, NotAGrant) else type(error).__name__
        what = f"{path} declares no grant: {cause}"
        raise CommandFailed(
            ExitCode.USAGE, what, "--grant-file", "write it as in topics/definitions"
        ) from error


def require_fitting(stack: Stack, scope: Scope) -> None:
    """Make sure that what the scope of a redelivery names fits its grant, by the policy of now.

    Raises:
        Refused: it does not.
        CommandFailed: the bus does not answer, or has no policy yet.
    """
    require(stack, "kafka", "registry")
    with open_known(stack) as known:
        try:
            newest = known.newest()
        except LookupError as error:
            raise CommandFailed(ExitCode.UNAVAILABLE, str(error), "", "run `govbus apply`") from error
        fitting(scope, newest)


def subject_in(stack: Stack, resource: str | None) -> str:
    """Ask for an identity without showing it, and give its keyed hash.

    Raises:
        CommandFailed: no resource is named, or there is none of that name.
    """
    with open_known(stack) as known:
        entry = known.newest().resources.get(ResourceId(resource or ""))
        if entry is None:
            remedy = "name it with --resource, so that it is known which kind of identity is meant"
            raise CommandFailed(ExitCode.USAGE, f"there is no resource {resource}", "--ask-subject", remedy)
        value = normalise(str(typer.prompt("identity", hide_input=True)))
        identity = identity_key(entry.resource.identity.kind, value, None)
        return subject_hash(known.secret(1), identity)

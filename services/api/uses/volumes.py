"""Full volumes and comparisons of resources, as pages and the API show them to those concerned."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem
from services.api.security.asking import permit
from services.api.uses.reach import visible_to
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.epochs.standing import Volume, volume
from services.control.epochs.state import EpochState
from services.control.store.operations import rounds
from services.control.store.reconciliations.kept import Comparison, Ending, comparison
from services.control.store.reconciliations.proofs import Proof, last_proofs, proofs_of
from services.control.store.snapshots import Document, Kind, Trouble, all_of, some_of


@dataclass(frozen=True, slots=True)
class Line:
    """A resource with its full volumes and its last comparison."""

    volume: Volume
    last: Comparison | None


@dataclass(frozen=True, slots=True)
class Listed:
    """Some resources, how many there are in all, and of when that is; None where nobody has looked yet."""

    lines: tuple[Line, ...]
    total: int
    as_of: datetime | None
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class Shown:
    """One resource with all of its comparisons that are kept, the newest first."""

    volume: Volume
    comparisons: tuple[Comparison, ...]
    as_of: datetime | None
    trouble: Trouble | None


def listed(
    parts: Parts, principal: Principal, words: str | None = None, start: int = 0, limit: int = 50
) -> Listed:
    """Resources that somebody sees: those that wait for a person first, then by name.

    Raises:
        AnswerProblem: somebody may look at nobody's.
    """
    parties = visible_to(parts, principal, Action.OPERATION_LOOK_VOLUMES)
    providers = None if parties is None else parties.providers
    with parts.database.reading() as connection:
        seen, proofs = all_of(connection, Kind.EPOCH), last_proofs(connection, providers)
    lines = [
        _line(name, document, proofs)
        for name, document in seen.documents.items()
        if (providers is None or document["provider"] in providers) and (words is None or words in name)
    ]
    lines.sort(key=lambda line: (_urgency(line), line.volume.resource))
    return Listed(tuple(lines[start : start + limit]), len(lines), seen.as_of, seen.trouble)


def shown(parts: Parts, principal: Principal, resource: str) -> Shown:
    """One resource.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    with parts.database.reading() as connection:
        document = some_of(connection, Kind.EPOCH, [resource]).documents.get(resource)
        looked = rounds(connection).get(Kind.EPOCH)
        whose = Whose() if document is None else Whose(provider=document["provider"])
        permit(parts, principal, Action.OPERATION_LOOK_VOLUMES, whose)
        if document is None:
            raise AnswerProblem(Code.NOT_FOUND)
        proofs = proofs_of(connection, resource)
    counted = proofs[0].source_rows if proofs else None
    return Shown(
        volume(resource, document, counted),
        tuple(map(comparison, proofs)),
        None if looked is None else looked.as_of,
        None if looked is None else looked.trouble,
    )


def _line(name: str, document: Document, proofs: Mapping[str, Proof]) -> Line:
    proof = proofs.get(name)
    found = volume(name, document, None if proof is None else proof.source_rows)
    return Line(found, None if proof is None else comparison(proof))


def _urgency(line: Line) -> int:
    """What waits for a person first, then what differs, what was given up, what is under way."""
    newest, last = line.volume.newest, line.last
    state = None if newest is None else newest.state
    if state is EpochState.WAITING:
        return 0
    if last is not None and last.ending in (Ending.DIFFERS, Ending.UNCOMPARED):
        return 1
    return {EpochState.ABORTED: 2, EpochState.OPEN: 3}.get(state or EpochState.NONE, 4)

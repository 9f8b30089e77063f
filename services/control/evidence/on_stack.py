"""Evidence of an embedded stack: its sealer, its bundles, its trust file."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException

from schemas.registry import RegistryCredentials, SchemaRegistry
from services.control.evidence.kafka_checkpoints import KafkaCheckpoints, newest, read_log
from services.control.evidence.keys import EvidenceKeys
from services.control.evidence.ledger_log import LedgerLog
from services.control.evidence.receipts import Receipts
from services.control.evidence.sealer import Sealer
from services.control.evidence.settings import EvidenceSettings
from services.control.evidence.spanning import Offsets, span_of_offsets
from services.control.evidence.witnesses import FileWitness, HttpWitness, Witness
from services.control.rights import CONTROL, LEDGER
from services.control.store.database import ControlDatabase
from services.evidence.checkpoints import Signed
from services.evidence.making import NothingSealed, Span, bundle_of
from services.evidence.receipt_making import EVERYTHING
from services.evidence.sealed import Sealed
from services.evidence.trust import Holder, Key, Trust, trust_from
from services.ledger.decode import Decoder
from services.ledger.lookup import Lookup
from services.ledger.reader import KafkaTopicReader, KafkaUnavailable
from services.stack.api import Stack
from services.stack.errors import CorrectSetting
from topics.names import CONTROL_GROUP

_TIMEOUT_S: Final = 30.0
_ATTEMPTS: Final = 4


def keys_of(stack: Stack) -> EvidenceKeys:
    """The keys of the stack's evidence."""
    return EvidenceKeys(stack.context.secrets)


def witnesses_of(stack: Stack, settings: EvidenceSettings) -> list[Witness]:
    """Who is told of checkpoints.

    Raises:
        CorrectSetting: the file lies inside the bus's own folder, where it would share its fate.
    """
    found: list[Witness] = [HttpWitness(url) for url in settings.witness_urls]
    if settings.witness_file is not None:
        path, home = settings.witness_file.resolve(), stack.settings.home.resolve()
        if path.is_relative_to(home):
            raise CorrectSetting(
                f"GOVBUS_EVIDENCE_WITNESS_FILE={path} lies inside {home}: a witness stands outside the bus"
            )
        found.insert(0, FileWitness(path))
    return found


@contextmanager
def open_sealer(stack: Stack, settings: EvidenceSettings, now_ms: Callable[[], int]) -> Iterator[Sealer]:
    """What seals the stack's ledger; connections are closed at the end."""
    kafka = {**stack.kafka_config(CONTROL), "client.id": CONTROL}
    with KafkaTopicReader(kafka, CONTROL_GROUP, _TIMEOUT_S) as reader:
        yield Sealer(
            kept=KafkaCheckpoints(kafka),
            topics=LedgerLog(reader, _decoder(stack, CONTROL)),
            keys=keys_of(stack),
            witnesses=witnesses_of(stack, settings),
            now_ms=now_ms,
            idle_ms=int(settings.idle_s * 1000),
            tree=settings.tree,
        )


def seal_now(stack: Stack, settings: EvidenceSettings, now_ms: Callable[[], int]) -> tuple[Sealed, int]:
    """Seal everything up to now; the last checkpoint, and how many witnesses were told.

    The control process seals too: who comes second is fenced and goes on from what the first one sealed.

    Raises:
        KafkaUnavailable: Kafka did not take it.
        LedgerDiffers, WitnessDisagrees, WitnessSilent, NotYet: as ``Sealer.turn`` and ``KafkaCheckpoints``.
    """
    with open_sealer(stack, settings, now_ms) as sealer:
        for left in reversed(range(_ATTEMPTS)):
            try:
                return sealer.seal_all(), len(sealer.witnesses)
            except KafkaException as error:
                if not left:
                    raise KafkaUnavailable(f"sealing: {error.args[0].str()}") from error
    raise AssertionError("the last attempt returns or raises")


@dataclass(frozen=True, slots=True)
class Exported:
    """A bundle, and which stretch of time it was made for."""

    content: bytes
    span: Span


def export(stack: Stack, asked: Span | Offsets, witnesses: Sequence[Signed], made_ms: int) -> Exported:
    """The bundle of a stretch of time, or of that in which these offsets were decided.

    Raises:
        NothingSealed: no checkpoint covers it, or nothing decided these offsets.
        LedgerDiffers: the topics are not what was sealed.
        NotYet: nothing was ever sealed.
    """
    with KafkaTopicReader(stack.kafka_config(LEDGER), f"{LEDGER}.evidence", _TIMEOUT_S) as reader:
        log = read_log(reader)
        if not log:
            raise NothingSealed("there is no checkpoint yet")
        made_ms = max(made_ms, log[-1].signed.checkpoint.time_ms)
        source = LedgerLog(reader, _decoder(stack, LEDGER))
        span = span_of_offsets(reader, source.decoder, asked) if isinstance(asked, Offsets) else asked
        content = bundle_of(log, source, witnesses, span, made_ms, keys_of(stack).sealing(made_ms))
        return Exported(content, span)


@contextmanager
def open_receipts(
    stack: Stack,
    database: ControlDatabase,
    witnesses: Sequence[Signed],
    now_ms: int,
    shown: frozenset[str] = EVERYTHING,
) -> Iterator[Receipts]:
    """What makes receipts of the stack's deliveries; connections are closed at the end.

    Args:
        stack: whose topics are read, with the auditor's own login.
        database: the control plane's, which has the index of the trace.
        witnesses: the checkpoints that the receipts are to be verified against.
        now_ms: when they are made.
        shown: the topics of the ledger whose entries they show.

    Raises:
        NotYet: nothing was ever sealed.
        LedgerDiffers: the checkpoints cannot be read.
    """
    with KafkaTopicReader(stack.kafka_config(LEDGER), f"{LEDGER}.evidence", _TIMEOUT_S) as reader:
        lookup = Lookup(reader, _registry(stack, LEDGER))
        yield Receipts(
            database=database,
            lookup=lookup,
            ledger=LedgerLog(reader, lookup.decoder),
            log=read_log(reader),
            witnesses=witnesses,
            sealing=keys_of(stack).sealing,
            now_ms=now_ms,
            shown=shown,
        )


def rotate(stack: Stack, settings: EvidenceSettings, suite_name: str, now_ms: int) -> Key:
    """Let a new key seal, from a little while after now and after the last checkpoint.

    A checkpoint of the old key from after its end would be no proof for ever: whoever seals while the key is
    rotated still signs with the old one, and a clock may have been ahead.

    Raises:
        AlgorithmMissing: no module here signs so.
        NotYet: there is no log yet.
    """
    with KafkaTopicReader(stack.kafka_config(LEDGER), f"{LEDGER}.evidence", _TIMEOUT_S) as reader:
        last = newest(reader)
    after_ms = max(now_ms, last.signed.checkpoint.time_ms if last else 0)
    return keys_of(stack).rotate(after_ms + int(settings.lead_s * 1000), suite_name)


def trust_of(stack: Stack, settings: EvidenceSettings) -> Trust:
    """What an auditor is to trust: the keys, and the newest checkpoint of the witness' file, or of the log.

    An endpoint that is told each checkpoint cannot be asked for it here: then it is the log's own, too.

    Raises:
        NothingSealed: there is no checkpoint yet.
        CorrectSetting: as ``witnesses_of``.
        WitnessDisagrees, WitnessSilent: the witness' file cannot be read.
    """
    files = [each for each in witnesses_of(stack, settings) if isinstance(each, FileWitness)]
    held = next((each.held() for each in files), None)
    if held is not None:
        return Trust(held.checkpoint.log, keys_of(stack).public(), held, Holder.OUTSIDE)
    with KafkaTopicReader(stack.kafka_config(LEDGER), f"{LEDGER}.evidence", _TIMEOUT_S) as reader:
        own = _newest(read_log(reader))
    return Trust(own.checkpoint.log, keys_of(stack).public(), own, Holder.LOG)


def trust_path(home: Path) -> Path:
    """Where the installation keeps its own trust file."""
    return home / "evidence" / "trust.json"


def trusted_witnesses(home: Path, files: Sequence[Path] | None = None) -> list[Signed]:
    """The checkpoints of trust files, by default of the installation's own where it has one.

    Raises:
        Faulty: one of them is none.
        OSError: one of them cannot be read.
    """
    own = trust_path(home)
    paths = files or ([own] if own.exists() else [])
    return [trust_from(path.read_bytes()).witness for path in paths]


def _newest(log: Sequence[Sealed]) -> Signed:
    if not log:
        raise NothingSealed("there is no checkpoint yet")
    return log[-1].signed


def _decoder(stack: Stack, user: str) -> Decoder:
    return Decoder(_registry(stack, user))


def _registry(stack: Stack, user: str) -> SchemaRegistry:
    address = stack.endpoints().registry_url
    return SchemaRegistry(RegistryCredentials(address, *stack.registry_auth(user)))

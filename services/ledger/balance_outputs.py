"""The output side of the proof: the topics hold what the ledger says was written, no more and no less."""

from collections import Counter
from collections.abc import Sequence

from services.ledger.blocks import Block, BlockKind
from services.ledger.counts import PartitionOffsets, Place
from services.ledger.proof import Difference, Evidence, Findings, OutputBalance, What
from topics.event import ProviderId
from topics.names import quarantine

COUNTED_PREFIXES = ("resource.", "quarantine.", "claims.", "sub.")
COMPACTED_PREFIXES = ("resource.", "sub.")


def output_balances(evidence: Evidence, findings: Findings) -> list[OutputBalance]:
    """Compare each output partition with the sum of the blocks that name it."""
    written: Counter[Place] = Counter()
    oldest: dict[Place, int] = {}
    for block in evidence.blocks:
        for output in block.outputs:
            place = Place(output.topic, output.partition)
            written[place] += output.records
            oldest[place] = min(oldest.get(place, block.written_ms), block.written_ms)
    places = {place for place in (*written, *evidence.partitions) if place.topic.startswith(COUNTED_PREFIXES)}
    _check_quarantine(evidence, findings)
    _check_ledgers(evidence, written, findings)
    return [
        _output_balance(place, written[place], oldest.get(place, evidence.now_ms), evidence, findings)
        for place in sorted(places)
    ]


def _output_balance(
    place: Place, expected: int, oldest_ms: int, evidence: Evidence, findings: Findings
) -> OutputBalance:
    partition = evidence.partitions.get(place)
    if partition is None:
        findings.note(f"{place.topic} does not exist any more: its records cannot be counted")
        return OutputBalance(place, expected, 0, compared=False)
    settled, end = _written_records(partition, partition.settled), _written_records(partition, partition.end)
    compacted = place.topic.startswith(COMPACTED_PREFIXES) and evidence.compactable(oldest_ms)
    if compacted or partition.low > 0:
        findings.note(f"{place}: older than what the topic keeps in full, only an excess could be seen")
        if settled > expected:
            findings.expect(What.OUTPUT_COUNT, str(place), expected, settled, "more than the ledger has")
        return OutputBalance(place, expected, end, compared=False)
    if not settled <= expected <= end:
        found = end if expected > end else settled
        findings.expect(What.OUTPUT_COUNT, str(place), expected, found, "expected is what the ledger says")
    return OutputBalance(place, expected, end, compared=True)


def _written_records(partition: PartitionOffsets, stop: int) -> int:
    """Records that a processor wrote: in a quarantine a null value is somebody's disposition instead."""
    counted = partition.count(partition.low, stop)
    return counted.values if partition.place.topic.startswith("quarantine.") else counted.total


def _check_quarantine(evidence: Evidence, findings: Findings) -> None:
    """Each stopped event is in its provider's quarantine, with its bytes."""
    stopped: Counter[ProviderId] = Counter()
    for block in evidence.blocks:
        if block.kind is BlockKind.INTAKE and block.chain.topic.startswith("raw."):
            stopped[ProviderId(block.chain.topic.split(".")[1])] += block.outcomes.get("stopped", 0)
    for provider, expected in sorted(stopped.items()):
        topic = quarantine(provider)
        found = [part for place, part in evidence.partitions.items() if place.topic == topic]
        if any(part.low > 0 for part in found):
            findings.note(f"{topic}: older than what the topic keeps in full, not compared")
            continue
        least = sum(_written_records(part, part.settled) for part in found)
        most = sum(_written_records(part, part.end) for part in found)
        if not least <= expected <= most:
            nearest = most if expected > most else least
            findings.differences.append(Difference(What.QUARANTINE_COUNT, topic, expected, nearest))


def _check_ledgers(evidence: Evidence, written: Counter[Place], findings: Findings) -> None:
    """A chain that has read all of a canonical partition has decided as many records as the gate wrote.

    This is what remains to be proved where compaction has thinned the topic. On a bus that is writing, the
    two ledgers were not read at one moment, and the sums say nothing.
    """
    if not evidence.quiet:
        return
    for place, expected in sorted(written.items()):
        partition = evidence.partitions.get(place)
        if not place.topic.startswith("resource.") or partition is None:
            continue
        for group, blocks in _live_chains(evidence.blocks, place).items():
            decided = sum(block.records for block in blocks)
            pending = partition.count(blocks[-1].to_offset, partition.end).total
            if decided > expected or (evidence.quiet and not pending and decided != expected):
                where = f"{group} on {place}"
                findings.expect(
                    What.LEDGERS_DISAGREE, where, expected, decided, "gate's count, reader's count"
                )


def _live_chains(blocks: Sequence[Block], place: Place) -> dict[str, list[Block]]:
    chains: dict[str, list[Block]] = {}
    for block in blocks:
        here = (block.chain.topic, block.chain.partition) == (place.topic, place.partition)
        if here and block.kind is BlockKind.LIVE:
            chains.setdefault(block.chain.group, []).append(block)
    return chains

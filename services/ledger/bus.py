"""The auditor's eyes and the operator's hand on a running bus: what quarantine work and looking need."""

from dataclasses import dataclass

from services.ledger.lookup import Lookup
from services.ledger.writer import RecordWriter


@dataclass(frozen=True, slots=True)
class Bus:
    """Reads as the auditor, writes as the operator."""

    lookup: Lookup
    writer: RecordWriter

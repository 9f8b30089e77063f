"""The verifier as a program of its own: ``python -m services.evidence BUNDLE --trust FILE``.

It needs this folder, Python and the package ``cryptography``: no bus, no network, no database.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from services.evidence.faults import Fault, Faulty
from services.evidence.hashing import AlgorithmMissing
from services.evidence.receipt import is_receipt
from services.evidence.telling import as_answer, told
from services.evidence.trust import trust_from
from services.evidence.verifying import Verdict, verify
from services.evidence.verifying_receipt import ReceiptVerdict, verify_receipt


def verified(bundle: Path, trust: Path) -> Verdict | ReceiptVerdict:
    """Verify the one file against the other.

    Raises:
        OSError: one of them cannot be read.
    """
    try:
        archive, trusted = bundle.read_bytes(), trust_from(trust.read_bytes())
        return verify_receipt(archive, trusted) if is_receipt(archive) else verify(archive, trusted)
    except Faulty as found:
        return Verdict(found.fault, found.where, found.detail)
    except AlgorithmMissing as missing:
        return Verdict(Fault.ALGORITHM_MISSING, "this machine", str(missing))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 where the evidence holds, 1 where it does not, 2 where it could not be looked at."""
    parser = argparse.ArgumentParser(prog="python -m services.evidence", description=__doc__)
    parser.add_argument("bundle", type=Path, help="what `govbus evidence export` or `receipt` wrote")
    parser.add_argument("--trust", type=Path, required=True, help="keys and the witness' checkpoint")
    parser.add_argument("--json", action="store_true", help="answer as one JSON object")
    given = parser.parse_args(arguments)
    try:
        verdict = verified(given.bundle, given.trust)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    text = json.dumps(as_answer(verdict), ensure_ascii=False) if given.json else told(verdict)
    print(text)
    return 0 if verdict.proven else 1


if __name__ == "__main__":
    sys.exit(main())

"""Witnesses: whoever holds a checkpoint elsewhere, so that a history that is rewritten later does not fit."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import requests

from services.evidence.canonical import NotCanonical
from services.evidence.checkpoints import Signed, signed_from

_TIMEOUT_S: Final = 5.0
_TAIL_BYTES: Final = 65_536


class WitnessDisagrees(Exception):  # noqa: N818 - an alarm for an auditor
    """The witness holds a checkpoint that this log has not: the log was rewritten, or restored from old."""


class WitnessSilent(Exception):  # noqa: N818 - it is tried again
    """The witness did not take the checkpoint."""


class Witness(Protocol):
    """Somebody who is told the newest checkpoint."""

    def tell(self, newest: Signed) -> None:
        """Tell it, if it does not know it yet.

        Raises:
            WitnessDisagrees: it knows something else.
            WitnessSilent: it could not be told.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileWitness:
    """A file outside the bus's own folder, one checkpoint a line; it is only ever appended to."""

    path: Path

    def held(self) -> Signed | None:
        """The newest checkpoint that it holds.

        Raises:
            WitnessDisagrees: it holds something else.
            WitnessSilent: it cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise WitnessSilent(f"{self.path}: {error.strerror}") from error
        # What an append that broke off left behind is no checkpoint, with a line end or without.
        whole = [line for line in lines[:-1] if line]
        for line in reversed(whole):
            try:
                return signed_from(line)
            except NotCanonical:
                continue
        if whole:
            raise WitnessDisagrees(f"{self.path} holds no checkpoint, but something else")
        return None

    def tell(self, newest: Signed) -> None:
        """Append it, if the file ends with an older one."""
        held = self.held()
        if held is not None:
            mine, its = newest.checkpoint, held.checkpoint
            if its.number == mine.number and held.digest() == newest.digest():
                return
            if its.log != mine.log or its.number >= mine.number or its.size > mine.size:
                raise WitnessDisagrees(
                    f"{self.path} holds checkpoint {its.number} of log {its.log}, which does not fit "
                    f"checkpoint {mine.number} of log {mine.log} here: was the ledger restored or rewritten?"
                )
        try:
            self._append(newest.text())
        except OSError as error:
            raise WitnessSilent(f"{self.path}: {error.strerror}") from error

    def _append(self, text: bytes) -> None:
        with self.path.open("ab+") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - 1))
            broken = end > 0 and file.read(1) != b"\n"
            file.write((b"\n" if broken else b"") + text + b"\n")
            file.flush()
            os.fsync(file.fileno())


@dataclass(slots=True)
class HttpWitness:
    """An address that a checkpoint is posted to as JSON; an answer from 200 to 299 says that it is held."""

    url: str
    timeout_s: float = _TIMEOUT_S
    session: requests.Session = field(default_factory=requests.Session, repr=False)
    _told: str = field(default="", init=False)

    def tell(self, newest: Signed) -> None:
        """Post it, once; after a restart once more."""
        digest = newest.digest()
        if digest == self._told:
            return
        try:
            answer = self.session.post(
                self.url,
                data=newest.text(),
                headers={"content-type": "application/json"},
                timeout=self.timeout_s,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise WitnessSilent(f"{self.url}: {type(error).__name__}") from error
        if answer.status_code == requests.codes.conflict:
            raise WitnessDisagrees(f"{self.url} refuses checkpoint {newest.checkpoint.number}")
        if not requests.codes.ok <= answer.status_code < requests.codes.multiple_choices:
            raise WitnessSilent(f"{self.url} answers {answer.status_code}")
        self._told = digest


def tell_all(witnesses: Sequence[Witness], newest: Signed) -> list[Exception]:
    """Tell every one of them; those that could not be told, or disagree, are returned."""
    found: list[Exception] = []
    for witness in witnesses:
        try:
            witness.tell(newest)
        except (WitnessDisagrees, WitnessSilent) as error:
            found.append(error)
    return found

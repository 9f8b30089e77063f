"""Judges the machine: disk, memory, ports, clocks, who can read the secrets; pure."""

import stat
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from services.doctor.finding import Finding, failure, listed, note, ok, warning

GB: Final = 1_000_000_000
MB: Final = 1_000_000
DISK_FAILURE_BYTES: Final = 1 * GB
DISK_WARNING_BYTES: Final = 5 * GB
MEMORY_FAILURE_BYTES: Final = 300 * MB
MEMORY_WARNING_BYTES: Final = 1 * GB
#: What the whole stack may take, of which a stopped one has nothing yet.
STACK_BYTES: Final = 4 * GB
CLOCK_WARNING_S: Final = 1.0
CLOCK_FAILURE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class PortFact:
    """One port of the stack: the setting, its component, whether that one runs and who listens."""

    setting: str
    port: int
    component: str
    running: bool
    open: bool
    holder: str = ""


@dataclass(frozen=True, slots=True)
class FileMode:
    """A file or folder that only its owner may read, with its permission bits."""

    path: str
    mode: int


def judge_disk(path: str, free: int, total: int, held_for_slots: int) -> Finding:
    """Free space below the stack's home, in bytes.

    Args:
        path: the folder that was asked about.
        free: bytes that may still be written.
        total: size of the disk in bytes.
        held_for_slots: bytes of log that one replication slot may hold back.
    """
    seen = f"{free / GB:.1f} of {total / GB:.1f} GB are free for {path}"
    remedy = f"du -xh -d 2 {path} | sort -h | tail"
    if free < DISK_FAILURE_BYTES:
        return failure("disk", seen, remedy)
    if free < DISK_WARNING_BYTES:
        return warning("disk", seen, remedy)
    if free < 2 * held_for_slots:
        said = f"{seen}, and one slot may hold back {held_for_slots / GB:.1f} GB of log"
        return warning("disk", said, "export GOVBUS_SLOT_WAL_KEEP_MB=256 && govbus down && govbus up")
    return ok("disk", seen)


def judge_memory(available: int, total: int, *, running: bool) -> Finding:
    """Memory in bytes: a stopped stack still needs all of it, a running one only room to breathe."""
    seen = f"{available / GB:.1f} of {total / GB:.1f} GB are available"
    remedy = "ps aux --sort=-rss | head"
    if available < MEMORY_FAILURE_BYTES:
        return failure("memory", seen, remedy)
    if not running and available < STACK_BYTES:
        return warning("memory", f"{seen}; the whole stack may take {STACK_BYTES / GB:.0f}", remedy)
    if available < MEMORY_WARNING_BYTES:
        return warning("memory", seen, remedy)
    return ok("memory", seen)


def judge_ports(ports: Iterable[PortFact]) -> list[Finding]:
    """Each port answers where its component runs, and is free where it does not."""
    return [_port(fact) for fact in ports]


def _port(fact: PortFact) -> Finding:
    where = f"{fact.port} ({fact.component})"
    if fact.running:
        if fact.open:
            return ok("port", f"{where} answers")
        return failure("port", f"{where} does not answer", f"govbus logs {fact.component}")
    if fact.open:
        seen = f"{where} is taken by {fact.holder or 'another program'}"
        return failure("port", seen, f"export {fact.setting}=<a free port> && govbus up")
    return ok("port", f"{where} is free")


def judge_modes(files: Iterable[FileMode]) -> list[Finding]:
    """Nobody but the owner may read secrets, or enter their folders."""
    seen = list(files)
    wrong = [file for file in seen if file.mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if not seen:
        return [note("secrets", "there are none yet", "govbus up")]
    if not wrong:
        return [ok("secrets", f"only the owner can read the {len(seen)} files and folders of secrets")]
    return [
        failure(
            "secrets",
            f"others may use {file.path} (mode {stat.S_IMODE(file.mode):o})",
            f"chmod go-rwx {file.path}",
        )
        for file in wrong
    ]


def judge_clock(whose: str, ahead_s: float, uncertain_s: float) -> Finding:
    """A clock against ours: how many seconds it is ahead, and by how many that may be wrong."""
    apart = max(0.0, abs(ahead_s) - uncertain_s)
    direction = "ahead of" if ahead_s > 0 else "behind"
    remedy = "timedatectl set-ntp true"
    seen = f"{whose} is {abs(ahead_s):.2f} s {direction} ours"
    if apart > CLOCK_FAILURE_S:
        return failure("clock", seen, remedy)
    if apart > CLOCK_WARNING_S:
        return warning("clock", seen, remedy)
    return ok("clock", f"{whose} agrees with ours to {abs(ahead_s):.2f} s")


def judge_stamp(whose: str, age_s: float) -> Finding:
    """The clock that dated a heartbeat: one from the future proves it wrong, an old one may only be late."""
    if age_s < 0:
        return judge_clock(whose, -age_s, 0.0)
    return ok("clock", f"{whose} is not ahead of ours, and at most {age_s:.1f} s behind")


def judge_manifest(missing: list[str]) -> list[Finding]:
    """Secrets that were generated and are gone."""
    if not missing:
        return []
    seen = f"generated secrets are missing: {listed(missing)}"
    return [failure("secrets", seen, "restore them from a backup, or begin anew: govbus reset")]

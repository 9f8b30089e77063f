"""What can go wrong with the embedded stack, each named after what the caller must do about it."""

# ruff: noqa: N818

from pathlib import Path


class StackError(Exception):
    """The stack cannot do what was asked; the message says what to do."""


class ChooseAnotherPort(StackError):
    """A port that a component needs is taken by another program."""

    def __init__(self, component: str, port: int, setting: str, holder: str = "another program") -> None:
        super().__init__(f"{component}: port {port} is in use by {holder}; set {setting} to a free port")
        self.port, self.setting = port, setting


class SecretMissing(StackError):
    """A secret that earlier starts generated is gone; starting without it would lock users out."""

    def __init__(self, path: Path, reason: str = "is missing") -> None:
        super().__init__(
            f"secret file {path} {reason}; restore it from a backup (mode 600), "
            "or begin anew with `govbus reset`, which deletes the data"
        )
        self.path = path


class ProtectSecret(StackError):
    """A secret file can be read by others than its owner."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"secret file {path} can be read by others; run: chmod 600 {path}")


class ReadComponentLog(StackError):
    """A component ended or did not become ready; its log says why."""

    def __init__(self, component: str, log: Path, what: str, tail: str) -> None:
        super().__init__(f"{component} {what}; last lines of {log}:\n{tail}")
        self.component = component


class CheckConnection(StackError):
    """A file of the lock could not be downloaded."""


class RefusedDownload(StackError):
    """A downloaded file is not the one that the lock file names."""

    def __init__(self, path: str, wanted: str, found: str) -> None:
        super().__init__(
            f"refused {path}: SHA-256 is {found}, the lock says {wanted}; "
            "the repository or something on the way to it changed the file"
        )


class CorrectSetting(StackError):
    """A setting has a value that cannot work, or a configuration placeholder has none."""


class WaitForOther(StackError):
    """Another command is starting or stopping the same stack."""


class PolicyUnread(StackError):
    """What the bus should run cannot be told: Kafka answers, and its newest policy cannot be read."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the newest policy cannot be read: {why}; `govbus up --infrastructure-only` starts what "
            "mends it, then `govbus doctor` says what is wrong"
        )


class NameAPart(StackError):
    """A part was named that there is not; the message says which there are."""


class StartStack(StackError):
    """Something was asked of a stack that has never been started or is not running."""

"""Which folders a stack's home has, and who may read them."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one stack; all of it can be deleted to begin anew."""

    home: Path

    @property
    def secrets(self) -> Path:
        """Generated secrets, one file each, readable by the owner only."""
        return self.home / "secrets"

    @property
    def connect_secrets(self) -> Path:
        """The only folder from which a connector's configuration may refer to secrets."""
        return self.secrets / "connect"

    @property
    def data(self) -> Path:
        """What must survive a restart."""
        return self.home / "data"

    @property
    def run(self) -> Path:
        """Pid files and the lock that lets one command at a time start or stop the stack."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """One log file per component."""
        return self.home / "logs"

    @property
    def conf(self) -> Path:
        """Configuration with the secrets filled in; rewritten at every start."""
        return self.home / "conf"

    @property
    def scratch(self) -> Path:
        """Temporary files of the Java parts, which leave native libraries behind when killed."""
        return self.home / "tmp"

    def log(self, component: str) -> Path:
        """Return the log file of a component."""
        return self.logs / f"{component}.log"

    def create(self) -> None:
        """Make the folders; all but the way to the data are closed to others."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.data.mkdir(mode=0o711, exist_ok=True)
        self.data.chmod(0o711)
        for folder in (self.secrets, self.connect_secrets, self.run, self.logs, self.conf, self.scratch):
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)

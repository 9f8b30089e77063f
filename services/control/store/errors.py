"""What can go wrong with the control plane's database, each named after what the caller must do."""

# ruff: noqa: N818


class StoreError(Exception):
    """The database cannot do what was asked; the message says what to do."""


class StartControlDatabase(StoreError):
    """The database does not answer, or does not let the control plane in."""


class RestorePassword(StoreError):
    """The file with the database's password is missing, empty, or readable by others."""


class MigrateDatabase(StoreError):
    """The tables are older than the program: migrate them before they are used."""


class InstallNewerProgram(StoreError):
    """The tables were migrated by a newer program: this one would misread them."""


class RepeatTransaction(StoreError):
    """Nothing was written, because somebody else was at the same rows too long: do all of it again."""


class ReadAgain(StoreError):
    """Somebody changed the object since it was read: read it anew and decide anew."""


class RaiseVersion(StoreError):
    """A version of a pack that is there already says something else: give the new text a higher number."""


class BeginAnew(StoreError):
    """The cursor is none of this list: ask for the first page."""


class CloseDisputes(StoreError):
    """As many records are disputed as the fan-out can mark: nothing was written, decide on tickets first."""

"""Downloads what jars.lock names, once, and refuses whatever has another SHA-256."""

import hashlib
import json
import ssl
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import mkdtemp
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from services.stack.errors import CheckConnection, RefusedDownload
from services.stack.progress import Reporter

_CHUNK = 1 << 18
_ATTEMPTS = 4
_PARALLEL = 8


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of downloads: its folder in the cache, what people call it, which setting names a mirror."""

    folder: str
    called: str
    setting: str


MAVEN = Kind("maven", "Java archives", "GOVBUS_MAVEN_REPOSITORY")


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One file of the lock: the part that reads it, its path in the repository, digest, size in bytes."""

    part: str
    coordinates: str
    path: str
    sha256: str
    size: int


def read_lock(path: Path | None = None) -> tuple[LockedFile, ...]:
    """Return the files that the lock names."""
    source = path or Path(__file__).with_name("jars.lock")
    return tuple(LockedFile(**entry) for entry in json.loads(source.read_text(encoding="utf-8"))["files"])


def default_repository() -> str:
    """Return the base address of the Maven repository that the jgo package knows."""
    # Importing jgo reads its settings, so not at the top.
    from jgo.constants import MAVEN_CENTRAL_URL

    return str(MAVEN_CENTRAL_URL)


class SystemTrust(HTTPAdapter):
    """Trusts the machine's certificate authorities besides those that requests brings along.

    In many organisations a gateway signs everything with an authority that only the machine knows.
    """

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Make connections with the machine's authorities."""
        super().init_poolmanager(*arguments, **options, ssl_context=ssl.create_default_context())

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """Make connections through a proxy with the machine's authorities."""
        return super().proxy_manager_for(*arguments, **options, ssl_context=ssl.create_default_context())


def download_session() -> requests.Session:
    """Return a session for downloads; proxies are those of the environment."""
    session = requests.Session()
    session.mount("https://", SystemTrust())
    return session


class JarCache:
    """The folder of verified downloads and of what was unpacked from them; shared by all stacks of a user."""

    def __init__(
        self,
        folder: Path,
        files: Iterable[LockedFile],
        repository: str | None = None,
        kind: Kind = MAVEN,
    ) -> None:
        self._folder = folder
        self._kind = kind
        self._files = tuple(files)
        self._repository = repository
        self._cancelled = threading.Event()

    def part(self, name: str) -> tuple[LockedFile, ...]:
        """Return the locked files of one part."""
        return tuple(file for file in self._files if file.part == name)

    def location(self, file: LockedFile) -> Path:
        """Return where the verified file lies once fetched."""
        return self._folder / self._kind.folder / file.path

    def classpath(self, part: str) -> str:
        """Return the Java class path of a part."""
        return ":".join(str(self.location(file)) for file in self.part(part))

    def missing(self) -> tuple[LockedFile, ...]:
        """Return the files that are not in the cache as the lock has them."""
        return tuple(file for file in self._files if not self._present(file))

    def fetch(self, reporter: Reporter) -> int:
        """Download what is missing, in parallel; return how many files that were.

        Raises:
            RefusedDownload: a file has another SHA-256 than the lock; nothing of it stays.
            CheckConnection: the repository cannot be reached or has no such file.
        """
        missing = self.missing()
        if not missing:
            return 0
        megabytes = sum(file.size for file in missing) / 1e6
        reporter.begin(
            "jars", f"downloading {len(missing)} {self._kind.called}, {megabytes:.0f} MB", megabytes * 1e6
        )
        self._cancelled.clear()
        with ThreadPoolExecutor(_PARALLEL) as pool:
            jobs = [pool.submit(self._download, file, reporter) for file in missing]
            try:
                finished, _ = wait(jobs, return_when=FIRST_EXCEPTION)
                for job in finished:
                    job.result()
            except BaseException:
                self._cancelled.set()
                pool.shutdown(cancel_futures=True)
                raise
        reporter.done(
            "jars", f"downloaded and verified {len(missing)} {self._kind.called}, {megabytes:.0f} MB"
        )
        return len(missing)

    def unpacked(self, part: str) -> Path:
        """Return the folder with the content of a part's archive, unpacking it if that was not done yet."""
        (file,) = self.part(part)
        target = self._folder / "unpacked" / f"{part}-{file.sha256[:16]}"
        if not target.exists():
            _whole(target, lambda draft: _unpack(self.location(file), draft))
        return target

    def plugins(self) -> Path:
        """Return Connect's plugin folder: connectors, converter and the list that names the converter."""
        parts = ("connector-postgres", "connector-jdbc", "converter")
        files = [file for part in parts for file in self.part(part)]
        digest = hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()[:16]
        target = self._folder / "unpacked" / f"plugins-{digest}"
        if not target.exists():
            _whole(target, self._assemble_plugins)
        return target

    def _assemble_plugins(self, draft: Path) -> None:
        for part in ("connector-postgres", "connector-jdbc"):
            (file,) = self.part(part)
            _unpack(self.location(file), draft)
        converter = draft / "avro-converter"
        converter.mkdir()
        for file in self.part("converter"):
            copyfile(self.location(file), converter / Path(file.path).name)
        write_service_list(converter / "avro-converter-service.jar")

    def _present(self, file: LockedFile) -> bool:
        """Whether it is there and was verified as it is; what was touched since is verified again.

        Reading all 300 MB at each start would cost a second or two; time, size and digest are noted instead.
        """
        location, note = self.location(file), self._note(file)
        if not location.exists() or location.stat().st_size != file.size:
            return False
        stamp = f"{location.stat().st_mtime_ns} {file.size} {file.sha256}"
        if note.exists() and note.read_text(encoding="utf-8") == stamp:
            return True
        with location.open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != file.sha256:
                return False
        _write_if_ours(note, stamp)
        return True

    def _note(self, file: LockedFile) -> Path:
        location = self.location(file)
        return location.with_name(f".{location.name}.verified")

    def _download(self, file: LockedFile, reporter: Reporter) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._attempt(file, reporter)
            except requests.RequestException as error:
                answer = error.response.status_code if error.response is not None else 0
                if attempt == _ATTEMPTS or 400 <= answer < 500:
                    raise CheckConnection(
                        f"cannot download {file.path}: {error}; set {self._kind.setting} "
                        "to a mirror that this machine reaches"
                    ) from error
                time.sleep(0.5 * 2**attempt)
            else:
                return

    def _attempt(self, file: LockedFile, reporter: Reporter) -> None:
        address = f"{(self._repository or default_repository()).rstrip('/')}/{file.path}"
        target = self.location(file)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{threading.get_ident()}")
        digest = hashlib.sha256()
        try:
            with (
                download_session() as session,
                session.get(address, stream=True, timeout=(10, 60)) as answer,
                draft.open("wb") as sink,
            ):
                answer.raise_for_status()
                for chunk in answer.iter_content(_CHUNK):
                    if self._cancelled.is_set():
                        return
                    sink.write(chunk)
                    digest.update(chunk)
                    reporter.advance("jars", len(chunk))
            if digest.hexdigest() != file.sha256:
                raise RefusedDownload(file.path, file.sha256, digest.hexdigest())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)


def write_service_list(target: Path) -> None:
    """Write the jar that names the Avro converter, which does not list itself for service loading."""
    entry = "META-INF/services/org.apache.kafka.connect.storage.Converter"
    with zipfile.ZipFile(target, "w") as jar:
        # A fixed date keeps the file the same everywhere.
        info = zipfile.ZipInfo(entry, date_time=(1980, 1, 1, 0, 0, 0))
        jar.writestr(info, "io.apicurio.registry.utils.converter.AvroConverter\n")


def _unpack(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as content:
        if hasattr(tarfile, "data_filter"):
            content.extraction_filter = staticmethod(tarfile.data_filter)
        content.extractall(target)  # noqa: S202 - the archive's SHA-256 is the lock's


def _whole(target: Path, fill: Callable[[Path], object]) -> None:
    """Fill a draft folder and move it into place, so that an interrupted run leaves no half folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=".draft-", dir=target.parent))
    draft.chmod(0o755)
    try:
        fill(draft)
        draft.rename(target)
    except OSError:
        # Another command may have put the same content there first.
        if not target.exists():
            raise
    finally:
        rmtree(draft, ignore_errors=True)


def _write_if_ours(note: Path, stamp: str) -> None:
    """Note a verification; a cache that another user keeps gets no note and is verified at each start."""
    draft = note.with_name(f"{note.name}.{threading.get_ident()}")
    try:
        draft.write_text(stamp, encoding="utf-8")
    except OSError:
        return
    draft.replace(note)

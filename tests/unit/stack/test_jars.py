"""Downloads: only what the lock names, only with its digest, only once."""

import hashlib
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from services.stack.errors import CheckConnection, RefusedDownload
from services.stack.jars import JarCache, LockedFile, read_lock, write_service_list
from services.stack.progress import Silent

CONTENT = b"what the lock names"
FILE = LockedFile("kafka", "g:a:1", "g/a/1/a-1.jar", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        return


@contextmanager
def repository(folder: Path) -> Iterator[str]:
    """Serve a folder over HTTP on a loopback port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def offer(folder: Path, content: bytes) -> None:
    target = folder / FILE.path
    target.parent.mkdir(parents=True)
    target.write_bytes(content)


def test_a_download_is_verified_kept_and_not_needed_again(tmp_path: Path) -> None:
    offer(tmp_path / "served", CONTENT)
    with repository(tmp_path / "served") as address:
        cache = JarCache(tmp_path / "cache", [FILE], address)
        assert cache.fetch(Silent()) == 1
    assert cache.location(FILE).read_bytes() == CONTENT
    offline = JarCache(tmp_path / "cache", [FILE], "http://127.0.0.1:9")
    assert offline.fetch(Silent()) == 0


@pytest.mark.parametrize("content", [b"x" * len(CONTENT), CONTENT + b"more", b""])
def test_a_file_with_another_digest_is_refused_and_nothing_of_it_stays(
    tmp_path: Path, content: bytes
) -> None:
    offer(tmp_path / "served", content)
    with repository(tmp_path / "served") as address:
        cache = JarCache(tmp_path / "cache", [FILE], address)
        with pytest.raises(RefusedDownload, match=FILE.sha256):
            cache.fetch(Silent())
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_file_that_the_repository_does_not_have_names_the_setting_of_a_mirror(tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    with repository(tmp_path / "served") as address:
        cache = JarCache(tmp_path / "cache", [FILE], address)
        with pytest.raises(CheckConnection, match="GOVBUS_MAVEN_REPOSITORY"):
            cache.fetch(Silent())


def test_a_half_file_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    offer(tmp_path / "served", CONTENT)
    with repository(tmp_path / "served") as address:
        cache = JarCache(tmp_path / "cache", [FILE], address)
        offer(tmp_path / "cache" / "maven", CONTENT[:5])
        assert cache.fetch(Silent()) == 1
    assert cache.location(FILE).read_bytes() == CONTENT


def test_a_cached_file_that_was_changed_since_it_was_verified_is_fetched_again(tmp_path: Path) -> None:
    offer(tmp_path / "served", CONTENT)
    with repository(tmp_path / "served") as address:
        cache = JarCache(tmp_path / "cache", [FILE], address)
        cache.fetch(Silent())
        assert cache.missing() == ()
        cache.location(FILE).write_bytes(b"x" * len(CONTENT))
        assert cache.missing() == (FILE,)
        assert cache.fetch(Silent()) == 1
    assert cache.location(FILE).read_bytes() == CONTENT


def test_a_file_of_the_right_size_that_nobody_verified_is_not_trusted(tmp_path: Path) -> None:
    offer(tmp_path / "maven", b"x" * len(CONTENT))
    assert JarCache(tmp_path, [FILE]).missing() == (FILE,)


def test_a_verified_file_is_not_read_again_until_it_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(tmp_path / "maven", CONTENT)
    cache, read, digest = JarCache(tmp_path, [FILE]), [], hashlib.file_digest

    def counted(*given: Any) -> Any:
        read.append(FILE)
        return digest(*given)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    assert [cache.missing() for _ in range(3)] == [(), (), ()]
    os.utime(cache.location(FILE), (1, 1))
    assert cache.missing() == ()
    assert len(read) == 2


def test_the_lock_names_every_part_with_digest_and_size() -> None:
    files = read_lock()
    assert {file.part for file in files} == {
        "kafka",
        "converter",
        "connector-postgres",
        "connector-jdbc",
        "registry",
    }
    assert all(len(file.sha256) == 64 and file.size > 0 for file in files)
    assert len({file.path for file in files if file.part == "kafka"}) == 96


@pytest.mark.parametrize(
    "coordinates",
    [
        "org.apache.kafka:kafka_2.13:4.3.1",
        "org.apache.kafka:connect-runtime:4.3.1",
        "io.debezium:debezium-connector-postgres:3.7.0.Final",
        "io.debezium:debezium-connector-jdbc:3.6.0.Final",
        "io.apicurio:apicurio-registry-app:3.3.3",
        "io.apicurio:apicurio-registry-utils-converter:2.6.13.Final",
    ],
)
def test_the_lock_holds_the_versions_that_were_run_together(coordinates: str) -> None:
    assert coordinates in {file.coordinates for file in read_lock()}


@pytest.mark.parametrize("artifact", ["connect-api", "connect-json", "kafka-clients", "slf4j-api"])
def test_the_converter_brings_no_second_copy_of_what_connect_has(artifact: str) -> None:
    assert not [
        file for file in read_lock() if file.part == "converter" and f":{artifact}:" in file.coordinates
    ]


def test_the_list_names_the_converter_for_service_loading(tmp_path: Path) -> None:
    write_service_list(tmp_path / "list.jar")
    with zipfile.ZipFile(tmp_path / "list.jar") as jar:
        (name,) = jar.namelist()
        assert name == "META-INF/services/org.apache.kafka.connect.storage.Converter"
        assert jar.read(name).decode().strip() == "io.apicurio.registry.utils.converter.AvroConverter"

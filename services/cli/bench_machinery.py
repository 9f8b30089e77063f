"""What a bench asks of the bus: apply its definitions, start and stop gate and fan-out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from services.bench.grants import many_grants
from services.cli import processes
from services.cli.plan import access_of
from services.cli.policy import current_policy
from services.control.apply import Apply
from services.control.definitions import Definitions, load_definitions
from services.stack.api import Stack
from services.stack.python_process import PythonComponent, remembered
from topics.policy import Policy

DEFINITIONS: Final = Path(__file__).parents[1] / "bench" / "definitions"
#: A static member that is stopped keeps its partitions for its session: the shortest that the broker allows.
SETTINGS: Final = {"GOVBUS_PROCESSOR_SESSION_TIMEOUT_MS": "6000"}


def bench_definitions(folder: Path = DEFINITIONS) -> Definitions:
    """The definitions of the bench, with the Avro schemas beside them."""

    def schema(name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((folder / "schemas" / name).read_text(encoding="utf-8"))
        return found

    return load_definitions(folder, schema)


@dataclass(slots=True)
class BusMachinery:
    """The bus on one stack; see ``services.bench.ride.Machinery``."""

    stack: Stack

    def apply(self, grants: int | None = None, per_group: int = 100) -> None:
        """Carry out the definitions, with so many grants on one resource if asked for."""
        definitions = bench_definitions()
        if grants is not None:
            made = many_grants(definitions.grants, grants, per_group)
            definitions = replace(definitions, grants=made)
        Apply(access_of(self.stack), definitions, say=lambda _text: None).run()

    def policy(self) -> Policy:
        """The newest policy.

        Raises:
            LookupError: nothing was applied yet.
        """
        found = current_policy(self.stack)
        if found is None:
            raise LookupError("the bench's definitions are not applied")
        return found

    def start_gate(self, settings: Mapping[str, str] | None = None, instance: int = 0) -> int:
        """Start an instance of the gate and return its process id."""
        return self._start(processes.gate(self.stack.settings.processes_port, instance), settings)

    def start_fanout(self, group: str, settings: Mapping[str, str] | None = None, instance: int = 0) -> int:
        """Start an instance of one group's fan-out and return its process id."""
        groups = self.policy().groups()
        base = self.stack.settings.processes_port
        return self._start(processes.fanout(base, group, groups.index(group), instance), settings)

    def status_url(self, name: str) -> str:
        """Where a process of the bus tells its counts."""
        url = next(each.component.ready_url for each in remembered(self.stack.context) if each.name == name)
        return str(url).replace("/readyz", "/status")

    def stop(self, name: str) -> None:
        """Stop a process of the bus."""
        self.stack.stop_process(name)

    def _start(self, component: PythonComponent, settings: Mapping[str, str] | None) -> int:
        chosen = replace(component, settings={**SETTINGS, **(settings or {})})
        self.stack.run_process(chosen)
        found = {status.name: status.pid for status in self.stack.status()}[component.name]
        if found is None:
            raise LookupError(f"{component.name} ended at once")
        return found

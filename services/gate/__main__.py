"""Runs one gate instance: ``python -m services.gate --instance 0``."""

import os

from services.gate.processor import GateProcessor
from services.processor.run import arguments, run
from services.processor.settings import ProcessorSettings
from services.processor.wiring import clients, data_directory
from topics.engine.choose import VARIABLE, choose
from topics.names import GATE_GROUP

WEB_PORT = 28100


def main() -> None:
    """Read settings, wire, run."""
    given = arguments("services.gate", grouped=False)
    given["web_port"] = given["web_port"] or WEB_PORT + given["instance"]
    given |= {"group": GATE_GROUP, "data_dir": data_directory()}
    settings = ProcessorSettings.from_environment(given)
    implementation = choose(os.environ.get(VARIABLE))
    run(GateProcessor(settings.instance_id, implementation), clients("gate"), settings)


if __name__ == "__main__":
    main()

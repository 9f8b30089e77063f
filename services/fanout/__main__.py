"""Runs one fan-out instance of a grant group: ``python -m services.fanout --group default --instance 0``."""

import os
import sys

from services.fanout.processor import FanoutProcessor
from services.processor.errors import ExitCode
from services.processor.run import arguments, run
from services.processor.settings import ProcessorSettings
from services.processor.wiring import clients, data_directory, master_secrets
from topics.engine.choose import VARIABLE, NotAvailable, choose
from topics.names import fanout_group

WEB_PORT = 28200


def main() -> None:
    """Read settings, wire, run."""
    given = arguments("services.fanout", grouped=True)
    group = given["group"]
    given["web_port"] = given["web_port"] or WEB_PORT + given["instance"]
    given |= {"group": fanout_group(group), "data_dir": data_directory()}
    settings = ProcessorSettings.from_environment(given)
    try:
        engine = choose(os.environ.get(VARIABLE))
    except NotAvailable as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(int(ExitCode.CANNOT_START))
    run(FanoutProcessor(group, master_secrets(), settings.instance_id, engine), clients("fanout"), settings)


if __name__ == "__main__":
    main()

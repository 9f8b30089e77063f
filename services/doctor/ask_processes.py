"""Asks the bus's own processes: who runs, who answers, what the watch has to say."""

from typing import Any, cast

import requests

from services.control.policy_topic import newest_policy
from services.doctor.finding import Finding, failure
from services.doctor.patient import Patient, unreachable
from services.doctor.running import judge_components, judge_expected, judge_watch
from services.stack.api import State
from services.stack.probes import HOST
from topics import names

_TIMEOUT_S = 5.0


def ask_components(patient: Patient) -> list[Finding]:
    """One line for each process that was ever started and not stopped on purpose, and the infrastructure."""
    if patient.status_error:
        return [failure("process", patient.status_error, "govbus up")]
    return judge_components(patient.statuses)


def ask_bus(patient: Patient) -> list[Finding]:
    """What the newest policy needs and nobody started."""
    if names.POLICY not in patient.admin.list_topics(timeout=_TIMEOUT_S).topics:
        return []
    policy = newest_policy(patient.kafka_config)
    return [] if policy is None else judge_expected(patient.states, policy.groups())


def ask_watch(patient: Patient) -> list[Finding]:
    """The alarms that stand, where the watch runs."""
    if patient.states.get("watch") not in {State.RUNNING, State.UNHEALTHY}:
        return []
    url = f"http://{HOST}:{patient.stack.settings.watch_port}/status"
    try:
        return judge_watch(cast("dict[str, Any]", patient.json(url)))
    except requests.RequestException as error:
        return [failure("watch", f"{url}: {unreachable(error)}", "govbus logs watch")]

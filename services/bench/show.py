"""Answers of benches as Markdown tables, for the terminal and for the page in the documents."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

NAMES: Final[Mapping[str, str]] = {
    "govbus": "govbus",
    "copy_loop": "copy loop, Python",
    "c_loop": "copy loop, C",
    "kafka_streams": "Kafka Streams",
    "quix": "Quix Streams",
    "faust": "Faust + fastavro",
}
_NONE: Final = "–"
_STAGES: Final = ("debezium", "gate", "fanout", "commit_and_read")


def shown(answer: Mapping[str, Any]) -> str:
    """One answer: its heading line, then its tables."""
    return f"{heading(answer)}\n\n{_SHOWN[answer['bench']](answer)}\n"


def heading(answer: Mapping[str, Any]) -> str:
    """When, of which commit and where it was measured."""
    machine = answer["machine"]
    quick = ", quick version" if answer.get("quick") else ""
    load = "/".join(f"{value:g}" for value in machine["load_average"])
    return (
        f"Measured on {answer['measured_at'][:10]}, commit {answer['commit'] or 'unknown'}, "
        f"{machine['processors']} processors ({machine['processor']}), Python {machine['python']}, "
        f"load average {load} at the end{quick}."
    )


def _race(answer: Mapping[str, Any]) -> str:
    parts = []
    for compression, found in answer["compressions"].items():
        rows = [_contender(name, found) for name in NAMES]
        columns = (
            compression,
            "events/s",
            "µs client",
            "µs broker",
            "MB",
            "govbus is faster ×",
            "less processor time ×",
        )
        parts += [table(columns, rows), *_extras(found)]
    left_out = [f"Left out: {NAMES[name]} ({why})." for name, why in answer["left_out"].items()]
    return "\n\n".join([f"{answer['events']:,} events.", *parts, *left_out])


def _extras(found: Mapping[str, Any]) -> list[str]:
    """What a second process brings, what pseudonyms and headers cost."""
    told = []
    if found["two_processes"] is not None:
        told.append(f"Two processes of govbus do {spread(found['two_processes'])} times what one does.")
    if found["pseudonyms_us_per_event"] is not None:
        told.append(f"Pseudonyms cost govbus {spread(found['pseudonyms_us_per_event'])} µs per event.")
    if found["headers_us_per_event"] is not None:
        told.append(f"Headers cost the loop in C {spread(found['headers_us_per_event'])} µs per event.")
    return [" ".join(told)] if told else []


def _contender(name: str, found: Mapping[str, Any]) -> list[str]:
    figures = found["contenders"].get(name)
    if figures is None:
        return [NAMES[name], *([_NONE] * 6)]
    fields = ("events_per_second", "client_us_per_event", "broker_us_per_event", "resident_mb")
    cells = [spread(figures[field]) for field in fields]
    ratios = (found.get(f"ratio_{name}"), found["cpu_ratios"].get(name))
    return [NAMES[name], *cells, *(spread(ratio) for ratio in ratios)]


def _end_to_end(answer: Mapping[str, Any]) -> str:
    rows = []
    for rate, found in answer["rates"].items():
        total = found["latency_ms"] or {}
        parts = [_of(found["stages"][name], "p50") for name in _STAGES]
        bounded = "yes" if found["bounded"] else "no"
        rows.append([rate, *(_of(total, name) for name in ("p50", "p99", "p999")), *parts, bounded])
    stages = ("Debezium p50", "gate p50", "fan-out p50", "commit and read p50")
    columns = ("changes/s", "p50 ms", "p99", "p99.9", *stages, "bounded")
    highest = answer["highest_bounded_rate"]
    tried = " (none higher was tried)" if str(highest) == max(answer["rates"], key=int, default="") else ""
    told = f"Highest rate with bounded latency: {highest or _NONE} changes/s{tried}."
    return f"{table(columns, rows)}\n\n{told}"


def _of(found: Mapping[str, float] | None, name: str) -> str:
    return _NONE if not found or name not in found else number(found[name])


def _grants(answer: Mapping[str, Any]) -> str:
    rows = []
    for count, found in answer["grants"].items():
        whole, trickle = found["full"], found["trickle"]
        rows.append(
            [
                count,
                str(found["groups"]),
                number(whole["delivered_per_second"]),
                number(whole["client_us_per_delivery"]),
                number(whole["broker_us_per_delivery"]),
                number(whole["seconds_per_transaction"]),
                number(trickle["client_us_per_delivery"]),
                _of(trickle["latency_ms"], "p50"),
                _of(trickle["latency_ms"], "p99"),
            ]
        )
    full = ("delivered/s", "µs client", "µs broker", "s/transaction")
    columns = ("grants", "groups", *full, "trickle µs client", "trickle p50 ms", "p99")
    isolation = answer["isolation"]
    told = "" if isolation is None else "\n\n" + _isolation(isolation)
    return table(columns, rows) + told


def _isolation(found: Mapping[str, bool]) -> str:
    own = "stopped" if found["own_group_stopped"] else "DID NOT STOP"
    others = "went on" if found["others_went_on"] else "STOPPED TOO"
    again = "caught up" if found["recovered"] else "DID NOT CATCH UP"
    return f"One topic refuses writes: its own group {own}, the others {others}; allowed again, it {again}."


def _load(answer: Mapping[str, Any]) -> str:
    times, memory = answer["times"], answer["peak_resident_mb"]
    facts = [
        ["rows", f"{answer['rows']:,}"],
        ["until the gate has accepted all", f"{number(times['gate'])} s" if "gate" in times else _NONE],
        ["until every grant has what it covers", f"{number(times['all_grants'])} s"],
        ["rows per second", number(answer["rows_per_second"])],
        ["deliveries per second", number(answer["delivered_per_second"])],
        *([f"peak memory of {name}", f"{value:.0f} MB"] for name, value in memory.items()),
    ]
    return table(("initial load", ""), facts)


def _engine(answer: Mapping[str, Any]) -> str:
    rows = [[part, implementation, number(value)] for part, implementation, value in _leaves(answer)]
    return table(("engine", "implementation", "events/s per core"), rows) if rows else "Not measured."


def _leaves(answer: Mapping[str, Any]) -> Iterable[tuple[str, str, float]]:
    for part in ("fanout", "gate"):
        found = answer.get(part)
        for name, value in found.items() if isinstance(found, Mapping) else ():
            for place, leaf in _numbers(value, str(name)):
                yield part, place, leaf


def _numbers(value: Any, name: str) -> Iterable[tuple[str, float]]:
    if isinstance(value, Mapping):
        for inner, each in value.items():
            yield from _numbers(each, f"{name} {inner}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)


_SHOWN: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "fanout": _race,
    "gate": _race,
    "end-to-end": _end_to_end,
    "grants": _grants,
    "load": _load,
    "engine": _engine,
}


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with its columns lined up."""
    lines = [list(columns), *(list(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    texts = [[cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    written = ["| " + " | ".join(cells) + " |" for cells in texts]
    return "\n".join([written[0], rule, *written[1:]])


def spread(found: Mapping[str, float] | None) -> str:
    """Minimum, median and maximum."""
    if found is None:
        return _NONE
    return f"{number(found['min'])} / {number(found['median'])} / {number(found['max'])}"


def number(value: float) -> str:
    """A number with as many digits as mean something."""
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"

"""What crashed is started again, ever less often, unless a person has stopped it; who never lives is told."""

from producers.restarter import RestartPolicy
from services.watch.judge import AlarmKind
from services.watch.keeper import ALARM_AFTER, Crash, Keeper

POLICY = RestartPolicy(first_wait=2.0, longest_wait=60.0, forgotten_after=600.0)


class Played:
    """Processes of which the test says which lie down, and whether they get up."""

    def __init__(self) -> None:
        self.now = 0.0
        self.down: set[str] = set()
        self.stays_up = True
        self.busy = False
        self.stopped = False
        self.started: list[str] = []
        self.keeper = Keeper(self, POLICY, lambda: self.now)

    def crashed(self) -> set[str]:
        return set(self.down)

    def start_again(self, name: str) -> bool:
        if name not in self.down or self.stopped or self.busy:
            return False
        self.started.append(name)
        if self.stays_up:
            self.down.discard(name)
        return True

    def look(self, at: float) -> list[Crash]:
        self.now = at
        return self.keeper.look()

    def alarmed(self) -> list[str]:
        return [each.subject for each in self.keeper.alarms() if each.kind is AlarmKind.PROCESS_CRASHED]


def test_what_crashed_is_started_at_once_and_what_lives_is_left_alone() -> None:
    played = Played()
    assert played.look(0) == []
    played.down = {"gate.0"}
    assert played.look(3) == [Crash("gate.0", started=True, starts=1)]
    assert played.look(6) == []
    assert (played.started, played.alarmed()) == (["gate.0"], [])


def test_what_crashes_again_is_started_less_and_less_often_and_alarmed() -> None:
    played = Played()
    played.down, played.stays_up = {"gate.0"}, False
    starts = [at for at in range(60) if any(each.started for each in played.look(float(at)))]
    assert starts == [0, 2, 6, 14, 30]
    assert played.alarmed() == ["gate.0"]


def test_an_alarm_stands_until_it_has_lived_for_long_and_then_nothing_is_remembered() -> None:
    played = Played()
    for at in range(0, 90, 30):
        played.down = {"gate.0"}
        played.look(float(at))
    assert len(played.started) == ALARM_AFTER
    played.look(100)
    assert played.alarmed() == ["gate.0"]
    played.look(701)
    assert played.alarmed() == []
    played.down = {"gate.0"}
    assert played.look(702) == [Crash("gate.0", started=True, starts=1)]


def test_while_a_command_is_at_it_nothing_is_counted_and_the_next_look_tries_again() -> None:
    played = Played()
    played.down, played.busy = {"gate.0"}, True
    assert played.look(0) == [Crash("gate.0", started=False, starts=0)]
    played.busy = False
    assert played.look(3) == [Crash("gate.0", started=True, starts=1)]


def test_what_was_stopped_between_look_and_start_stays_stopped() -> None:
    played = Played()
    played.down = {"gate.0"}
    played.stopped = True
    assert played.look(0) == [Crash("gate.0", started=False, starts=0)]

"""Processes that run tests beside one another get ports of their own and leave room for who measures time."""

import fcntl
import multiprocessing
import os
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from tests.support import ports
from tests.support.side_by_side import its_turn
from tests.support.waiting import eventually


def ask_for_ports(answer: Connection, folder: Path, count: int) -> None:
    """In a process of its own: send so many ports, and hold them until told to end."""
    found = ports._claimed(folder)
    answer.send([next(found) for _ in range(count)])
    answer.recv()


def test_two_processes_never_get_the_same_port_and_who_ended_holds_none(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    given: list[list[int]] = []
    running = []
    for _ in range(2):
        here, there = context.Pipe()
        process = context.Process(target=ask_for_ports, args=(there, tmp_path, ports.AT_ONCE + 1))
        process.start()
        running.append((process, here))
        given.append(here.recv())
    assert set(given[0]).isdisjoint(given[1])
    for process, here in running:
        here.send(None)
        process.join(20)
    assert next(ports._claimed(tmp_path)) == given[0][0] == ports.FIRST


def test_ports_are_free_and_a_run_of_them_lies_together() -> None:
    first, second = ports.free_run(30), ports.free_run(30)
    single = ports.free_ports(3)
    assert len({*range(first, first + 30), *range(second, second + 30), *single}) == 63
    assert all(map(ports._is_free, (*range(first, first + 30), *single)))


class Places:
    """The door and the room, opened anew by each who comes: as each process does it."""

    def __init__(self, folder: Path) -> None:
        self._files = [folder / name for name in ("door", "room")]

    def opened(self) -> tuple[int, int]:
        door, room = (os.open(file, os.O_RDWR | os.O_CREAT, 0o600) for file in self._files)
        return door, room

    def taken(self) -> tuple[bool, bool]:
        """Whether one more would have to wait at the door, and for the room."""
        door, room = (_has_to_wait(each) for each in self.opened())
        return door, room


def _has_to_wait(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def test_who_measures_time_is_alone_and_who_comes_while_he_waits_comes_after_him(tmp_path: Path) -> None:
    places, inside, measured = Places(tmp_path), threading.Event(), threading.Event()

    def measure() -> None:
        with its_turn(*places.opened(), alone=True):
            inside.set()
            assert measured.wait(20)

    measuring = threading.Thread(target=measure)
    with its_turn(*places.opened(), alone=False), its_turn(*places.opened(), alone=False):
        measuring.start()
        eventually(lambda: places.taken() == (True, False), 20)
        assert not inside.is_set()
    assert inside.wait(20)
    assert places.taken() == (False, True)
    measured.set()
    measuring.join(20)
    assert places.taken() == (False, False)

"""A Java part learns once from the same archives, and what it learned is whole or not there."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from services.stack.java_lessons import JavaLessons


@pytest.fixture
def lessons(tmp_path: Path) -> JavaLessons:
    """Of a part with two archives."""
    for name in ("java", "a.jar", "b.jar"):
        (tmp_path / name).write_text(name)
    (tmp_path / "scratch").mkdir()
    archives = [tmp_path / "a.jar", tmp_path / "b.jar"]
    return JavaLessons("kafka", tmp_path / "shared", tmp_path / "scratch", tmp_path / "java", archives)


def learned(lessons: JavaLessons) -> None:
    """One run, to its end."""
    lessons.written.write_text("what was learned")
    assert lessons.keep()


def uses_lessons(lessons: JavaLessons) -> bool:
    """Whether the next run starts from what was learned."""
    return any(word.startswith("-XX:AOTCache=") for word in lessons.options(learn=True))


def test_the_first_run_learns_and_the_second_starts_from_it(lessons: JavaLessons) -> None:
    assert f"-XX:AOTCacheOutput={lessons.written}" in lessons.options(learn=True)
    learned(lessons)
    assert uses_lessons(lessons)
    assert [path.suffix for path in lessons.shared.iterdir()] == [".aot"]


def test_a_run_that_is_not_to_learn_still_starts_from_what_is_known(lessons: JavaLessons) -> None:
    assert lessons.options(learn=False) == []
    learned(lessons)
    assert lessons.options(learn=False) == lessons.options(learn=True)


@pytest.mark.parametrize("changed", ["a.jar", "b.jar"])
def test_another_archive_is_learned_anew(lessons: JavaLessons, tmp_path: Path, changed: str) -> None:
    learned(lessons)
    os.utime(tmp_path / changed, (1, 1))
    assert not uses_lessons(lessons)


def test_another_runtime_is_learned_anew_and_the_same_one_elsewhere_is_not(
    lessons: JavaLessons, tmp_path: Path
) -> None:
    learned(lessons)
    (tmp_path / "elsewhere").write_bytes(lessons.runtime.read_bytes())
    assert uses_lessons(replace(lessons, runtime=tmp_path / "elsewhere"))
    lessons.runtime.write_text("a newer one")
    assert not uses_lessons(lessons)


def test_what_a_killed_run_left_is_not_taken_for_learned(lessons: JavaLessons) -> None:
    lessons.written.write_text("half of wh")
    assert not uses_lessons(lessons)
    assert not lessons.written.exists()


def test_a_run_that_wrote_nothing_taught_nothing(lessons: JavaLessons) -> None:
    assert not lessons.keep()
    assert not uses_lessons(lessons)

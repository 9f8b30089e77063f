"""What a copy loop writes per input record: as many records, as large, with the same headers as the bus."""

from typing import Any


class Copy:
    """One output of a copy loop: bytes of the input cut to the size that the bus writes, nothing computed."""

    def __init__(self, copy: dict[str, Any]) -> None:
        self.topic: str = copy["topic"]
        self.headers = [(name, text.encode()) for name, text in copy["headers"]] or None
        self._every: int = copy["every"]
        self._key_bytes: int = copy["key_bytes"]
        self._value_bytes: int = copy["value_bytes"]
        self._partitions: int = copy["partitions"]
        self._padding: bytes = b"\0" * self._value_bytes
        self._seen = 0

    def due(self) -> bool:
        """Whether this record has such an output: every n-th has."""
        self._seen += 1
        return self._seen % self._every == 0

    def key(self, key: bytes, value: bytes) -> bytes:
        """A key of the right size."""
        source = key if len(key) >= self._key_bytes else value
        return source[: self._key_bytes]

    def value(self, value: bytes) -> bytes:
        """A value of the right size."""
        if len(value) >= self._value_bytes:
            return value[: self._value_bytes]
        return value + self._padding[: self._value_bytes - len(value)]

    def partition(self, partition: int) -> int:
        """The partition of the input, where the output has so many."""
        return partition % self._partitions


class Copies:
    """The outputs by input topic."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.inputs: list[str] = list(description["inputs"])
        self._of = {
            topic: [Copy(copy) for copy in description["copies"] if copy["input"] == topic]
            for topic in self.inputs
        }

    def of(self, topic: str) -> list[Copy]:
        """The outputs of one input topic."""
        return self._of[topic]

"""Named streams of randomness and ids, all derived from one seed.

A component draws from its own stream, so that a new component does not change what the others
draw. Streams are seeded with text, which Python hashes with SHA-512: no PYTHONHASHSEED in it.
"""

from __future__ import annotations

import random
import uuid

from gitops_sim.protocols import RandomStream

__all__ = ["Streams"]


class Streams:
    """The streams of one lab."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._streams: dict[str, RandomStream] = {}

    def random(self, name: str) -> RandomStream:
        """Return the stream of that name, the same object each time."""
        stream = self._streams.get(name)
        if stream is None:
            stream = random.Random(f"{self.seed}/{name}")  # noqa: TID251, S311 - the one source
            self._streams[name] = stream
        return stream

    def uid(self, name: str) -> str:
        """Return the next UUID (version 4) of the stream of that name."""
        return str(uuid.UUID(int=self.random(f"uid/{name}").getrandbits(128), version=4))

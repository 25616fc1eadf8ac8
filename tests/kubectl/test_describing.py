"""What `kubectl describe` printed at a real cluster of KWOK's nodes, against the one in process.

`described.json.xz` has sessions: files, and commands with what describe said. What differs from run
to run (times, addresses, ends of names, nodes) becomes a word.
"""

from __future__ import annotations

import json
import lzma
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from gitops_sim.clock import Door, VirtualClock
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.journal import Journal
from gitops_sim.kubectl import KubectlCommand
from gitops_sim.registry import Registry
from gitops_sim.render import FolderTree, Renderer

DATA = Path(__file__).parent.parent / "data" / "kubectl" / "described.json.xz"
SESSIONS: list[dict[str, Any]] = json.loads(lzma.decompress(DATA.read_bytes()))
END = "[bcdfghjklmnpqrstvwxz2456789]"
MASKS = (
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uid>"),
    (r"\d{1,3}(\.\d{1,3}){3}(:\d+)?", "<address>"),
    (r"node-[123]\b", "<node>"),
    (rf"-{END}{{8,10}}(-{END}{{5}})?\b", "-<hash>"),
    (rf"-{END}{{5}}\b", "-<end>"),
    (r"(pod-template-hash|revision-hash)=\S+", r"\1=<hash>"),
    (r"HolderIdentity: +\S+", "HolderIdentity: <holder>"),
    (r"(NodePort: +\S+ +)\d+", r"\1<port>"),
    (r"(?<![\w.])(\d+[smhd]){1,2}(?=\s)(?! \(x)", "<age>"),
    (r" +", " "),
    (r"-{3,}", "---"),
)


def masked(text: str) -> list[str]:
    for pattern, mask in MASKS:
        text = re.sub(pattern, mask, text)
    return [line.strip() for line in text.strip().split("\n")]


class Terminal:
    """A cluster of faked nodes, and kubectl beside some files."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(seed=1)
        door, journal = Door(self.clock), Journal(self.clock)
        registry = Registry(self.clock, journal, door)
        self.cluster = SimulatedCluster(
            "c", self.clock, journal, door, registry, provider=False, kwok=True
        )
        self._files = FolderTree(folder)
        self.clock.run(5)

    def run(self, line: str) -> str:
        client = self.cluster.client("kubectl")
        kubectl = KubectlCommand(client, self.clock, self._files, Renderer(), namespace="lab")
        results = []

        def job() -> Any:
            results.append((yield from kubectl.run(shlex.split(line))))

        running = self.clock.spawn("kubectl", job())
        assert self.clock.run_until(lambda: not running.alive, 100)
        text: str = results[0].stdout
        return text


@pytest.mark.parametrize("place", range(len(SESSIONS)))
def test_objects_are_described_as_the_real_one_does(place: int, tmp_path: Path) -> None:
    for name, text in SESSIONS[place]["files"].items():
        (tmp_path / name).write_text(text)
    terminal = Terminal(tmp_path)
    for command in SESSIONS[place]["commands"]:
        terminal.clock.run(terminal.clock.now() + command["wait"])
        found = terminal.run(command["line"])
        if command["stdout"] is not None:
            assert masked(found) == masked(command["stdout"]), command["line"]

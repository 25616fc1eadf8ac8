"""What a Git client brings: `git push`.

The request names refs with old and new commit, and a pack with what is new. It goes through the
door as one input (`Repository.receive`), ref by ref through the rules; each refusal is told on
the client's terminal with its rule and the next step.

Source: git, builtin/receive-pack.c and Documentation/gitprotocol-pack (report-status).
Differs: no `--atomic`, no push options and no signed pushes; pushes from a clone whose history is
cut where this repository's is not are refused when commits in between are missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from gitops_sim.errors import GitError, GitOpsSimError
from gitops_sim.forge.fetching import ZERO
from gitops_sim.forge.pktlines import DATA, FLUSH, MESSAGE, PktReader, band, pkt
from gitops_sim.forge.repository import Repository

__all__ = ["CAPABILITIES", "receive_pack"]

CAPABILITIES = "report-status delete-refs side-band-64k quiet ofs-delta object-format=sha1"


@dataclass(frozen=True, slots=True)
class _Push:
    """The commands of a push (old id, new id, ref; "" for none), and what the client can."""

    commands: list[list[str]]
    capabilities: frozenset[str]


def receive_pack(repository: Repository, body: bytes, user: str) -> bytes:
    """Take a push in, as far as the rules allow; return the report.

    Raises:
        GitError: The request is malformed.
    """
    reader = PktReader(body)
    push = _read(reader.lines())
    if not push.commands:
        return b""
    problem, messages, lines = "ok", list[str](), list[str]()
    existing = set(repository.branches())
    try:
        refused = repository.receive(push.commands, reader.rest, user)
    except GitOpsSimError as error:
        problem, refused = str(error), {ref: "unpacker error" for _, _, ref in push.commands}
    for _, _, ref in push.commands:
        reason, _, next_step = refused.get(ref, "").partition("; ")
        lines.append(f"ng {ref} {reason}" if reason else f"ok {ref}")
        branch = ref.removeprefix("refs/heads/")
        if next_step:
            messages.append(f"{branch}: {next_step}")
        elif not reason and branch in set(repository.branches()) - existing and existing:
            messages += [f"To ask for {branch} to be merged:", f"  {_hint(repository, branch)}"]
    return _report(push, [f"unpack {problem}", *lines], messages)


def _hint(repository: Repository, branch: str) -> str:
    return f'lab.forge.repository("{repository.name}").open_merge_request("{branch}")'


def _read(lines: list[str]) -> _Push:
    commands, capabilities = list[list[str]](), frozenset[str]()
    for line in lines:
        command, _, told = line.partition("\0")
        capabilities |= frozenset(told.split())
        if command.startswith("shallow "):
            continue
        parts = command.split(" ", 2)
        if len(parts) != 3 or {len(parts[0]), len(parts[1])} != {40}:
            raise GitError(f"protocol error: expected old/new/ref, got '{command[:100]}'")
        commands.append(["" if part == ZERO else part for part in parts])
    return _Push(commands, capabilities)


def _report(push: _Push, lines: list[str], messages: list[str]) -> bytes:
    """Return messages for the terminal, and the report if it was asked for."""
    rows = (line.replace("\n", " ") for line in lines)
    report = b"".join(pkt(f"{row}\n") for row in rows) + FLUSH
    if "report-status" not in push.capabilities:
        report = b""
    if "side-band-64k" not in push.capabilities:
        return report
    text = "".join(f"{message}\n" for message in messages)
    return band(MESSAGE, text.encode()) + band(DATA, report) + FLUSH

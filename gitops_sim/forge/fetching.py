"""What a Git client gets: `git clone`, `fetch`, `pull` and `ls-remote`.

A client reads which refs there are, says what it wants and what it has, and gets the rest as a
pack. Nothing is kept between requests (stateless RPC): each one says everything again.

Source: git, upload-pack.c and Documentation/gitprotocol-pack.
Differs: protocol version 0 only, which every client falls back to; packs hold no deltas; no
partial clones (`--filter`), no `--shallow-since`, `--shallow-exclude` and `--deepen`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gitops_sim.errors import GitError
from gitops_sim.forge.objects import COMMIT, TAG, ObjectStore
from gitops_sim.forge.packs import objects_of, write_pack
from gitops_sim.forge.pktlines import DATA, FLUSH, MESSAGE, PktReader, band, pkt
from gitops_sim.forge.repository import Repository

__all__ = ["AGENT", "advertise", "upload_pack"]

AGENT = "agent=gitops-sim"
ZERO = "0" * 40
MAX_DEPTH = 2**31 - 1

_CAPABILITIES = (
    "multi_ack_detailed no-done side-band-64k ofs-delta shallow no-progress "
    "allow-tip-sha1-in-want allow-reachable-sha1-in-want object-format=sha1"
)


def advertise(repository: Repository, capabilities: str = "", *, for_push: bool = False) -> bytes:
    """Return the refs of a repository as the first answer to a client.

    Args:
        repository: Whose refs.
        capabilities: What the service can do; default: what `upload_pack` can.
        for_push: Leave out `HEAD` and what tags name, which only a fetch uses.
    """
    refs = dict(repository.refs.all())
    head = f"refs/heads/{repository.default_branch}"
    told = f"{capabilities or _CAPABILITIES} {AGENT}"
    rows: list[tuple[str, str]] = []
    if not for_push and head in refs:
        told = f"{told} symref=HEAD:{head}"
        rows.append((refs[head], "HEAD"))
    for ref, object_id in refs.items():
        rows.append((object_id, ref))
        peeled = repository.refs.peel(object_id)
        if not for_push and peeled not in ("", object_id):
            rows.append((peeled, f"{ref}^{{}}"))
    rows = rows or [(ZERO, "capabilities^{}")]
    first = pkt(f"{rows[0][0]} {rows[0][1]}\0{told}\n")
    others = [pkt(f"{object_id} {ref}\n") for object_id, ref in rows[1:]]
    cut = [pkt(f"shallow {commit}\n") for commit in sorted(repository.objects.shallow)]
    return b"".join([first, *others, *cut, FLUSH])


@dataclass(slots=True)
class _Request:
    """What a client says: the ids it wants and has, and how deep; `cut` are its shallow commits."""

    wants: list[str] = field(default_factory=list)
    capabilities: frozenset[str] = frozenset()
    cut: list[str] = field(default_factory=list)
    depth: int = 0

    @classmethod
    def read(cls, lines: Iterable[str]) -> _Request:
        request = cls()
        for line in lines:
            word, _, value = line.partition(" ")
            if word == "want":
                object_id, _, capabilities = value.partition(" ")
                request.wants.append(object_id)
                request.capabilities |= frozenset(capabilities.split())
            elif word == "shallow":
                request.cut.append(value)
            elif word == "deepen" and value.isdecimal() and len(value) <= 10:
                request.depth = int(value)
            else:
                raise GitError(f"protocol error: unexpected line: '{line[:100]}'")
        return request


def upload_pack(repository: Repository, body: bytes) -> bytes:
    """Answer one request of a fetch.

    Raises:
        GitError: The request is malformed, or wants what is not there.
    """
    reader = PktReader(body)
    request = _Request.read(reader.lines())
    if not request.wants:
        return b""
    _check_wants(repository, request.wants)
    objects = repository.objects
    tips = sorted({repository.refs.peel(want) for want in request.wants})
    boundary, answer = set(request.cut), b""
    if request.depth:
        boundary, answer = _deepened(objects, tips, request)
    acks, haves, ready = _negotiated(objects, tips, request, reader)
    answer += acks
    if not ready:
        return answer
    has = set(_reached(objects, haves, set(request.cut)))
    commits = [each for each in _reached(objects, tips, boundary) if each not in has]
    known = {parent for each in commits for parent in _parents(objects, each) if parent in has}
    tags = [tag for want in request.wants for tag in _tags(objects, want)]
    pack = write_pack(objects, tags + objects_of(objects, commits, known=sorted(known)))
    if "side-band-64k" not in request.capabilities:
        return answer + pack
    count = int.from_bytes(pack[8:12], "big")
    if "no-progress" not in request.capabilities:
        answer += band(MESSAGE, f"Sending {count} objects, done.\n".encode())
    return answer + band(DATA, pack) + FLUSH


def _check_wants(repository: Repository, wants: list[str]) -> None:
    """Refuse what no branch or tag leads to, so that refused pushes stay unseen."""
    tips = set(repository.refs.all().values())
    others = [want for want in wants if want not in tips]
    heads = {repository.refs.peel(tip) for tip in tips} - {""}
    reachable = set(_reached(repository.objects, sorted(heads), set())) if others else set()
    for want in wants:
        if not (want in reachable or (want in tips and repository.refs.peel(want))):
            raise GitError(f"upload-pack: not our ref {want[:40]}")


def _reached(store: ObjectStore, starts: Iterable[str], cut: set[str]) -> list[str]:
    """Return the commits before `starts`, themselves included; `cut` ones count as the first."""
    pending, seen = list(starts), dict[str, None]()
    while pending:
        commit_id = pending.pop()
        if commit_id in seen:
            continue
        seen[commit_id] = None
        if commit_id not in cut:
            pending += _parents(store, commit_id)
    return list(seen)


def _parents(store: ObjectStore, commit_id: str) -> tuple[str, ...]:
    return store.commit(commit_id).parents


def _tags(store: ObjectStore, want: str) -> list[str]:
    """Return the tag objects on the way to a commit."""
    found = []
    while store.kind(want) == TAG:
        found.append(want)
        want = store.raw(want)[1][7:47].decode("ascii")
    return found


def _deepened(store: ObjectStore, tips: list[str], request: _Request) -> tuple[set[str], bytes]:
    """Return where the client's history is cut from now on, and the lines that tell it."""
    inside, edge = set[str](), tips
    for _ in range(min(request.depth, MAX_DEPTH) - 1):
        inside.update(edge)
        edge = sorted({p for each in edge for p in _parents(store, each)} - inside)
        if not edge:
            break
    boundary = {each for each in edge if _parents(store, each)}
    lines = [f"shallow {each}" for each in sorted(boundary - set(request.cut))]
    lines += [f"unshallow {each}" for each in request.cut if each in inside]
    return boundary, b"".join(pkt(line) for line in lines) + FLUSH


def _negotiated(
    store: ObjectStore, tips: list[str], request: _Request, reader: PktReader
) -> tuple[bytes, list[str], bool]:
    """Return the answer to what the client has, the common commits, and whether to send now."""
    if reader.at_end:
        return b"", [], False
    detailed = "multi_ack_detailed" in request.capabilities
    common: list[str] = []
    lines: list[str] = []
    while (line := reader.line()) is not None and line != "done":
        word, _, object_id = line.partition(" ")
        if word != "have":
            raise GitError(f"protocol error: expected a have line, not '{line[:100]}'")
        if store.kind(object_id) != COMMIT:
            continue
        common.append(object_id)
        if detailed:
            lines.append(f"ACK {object_id} common")
        elif len(common) == 1:
            lines.append(f"ACK {object_id}")
    if line == "done":
        lines += [f"ACK {common[-1]}"] if common and detailed else [] if common else ["NAK"]
        return _framed(lines), common, True
    ready = detailed and bool(common) and _enough(store, tips, common)
    if ready:
        lines.append(f"ACK {common[-1]} ready")
    if detailed or not common:
        lines.append("NAK")
    send = ready and "no-done" in request.capabilities
    return _framed([*lines, f"ACK {common[-1]}"] if send else lines), common, send


def _framed(lines: list[str]) -> bytes:
    return b"".join(pkt(f"{line}\n") for line in lines)


def _enough(store: ObjectStore, tips: list[str], common: list[str]) -> bool:
    """Return True when every tip descends from something that the client has."""
    return all(not set(_reached(store, [tip], set())).isdisjoint(common) for tip in tips)

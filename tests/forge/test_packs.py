"""Packs from real Git are read; damaged or hostile ones are refused with an error."""

from __future__ import annotations

import hashlib
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.errors import GitError
from gitops_sim.forge.objects import BLOB, ObjectStore, object_id
from gitops_sim.forge.packs import read_pack, write_pack

Git = Callable[..., str]


def sealed(*entries: bytes, count: int = -1) -> bytes:
    number = len(entries) if count < 0 else count
    pack = b"PACK\0\0\0\2" + number.to_bytes(4, "big") + b"".join(entries)
    return pack + hashlib.sha1(pack).digest()


def test_pack_with_deltas_from_git_is_read(git: Git, tmp_path: Path) -> None:
    git("init", "-q")
    text = "".join(f"line {number}\n" for number in range(400))
    for number in range(6):
        (tmp_path / "file").write_text(text.replace(f"line {number * 50}\n", "changed\n"))
        git("add", "file")
        git("commit", "-q", "-m", str(number))
    for options in (["--delta-base-offset"], []):
        git("repack", "-q", "-a", "-d", "-f", "--depth=50", *(options and ["--window=20"]))
        (place,) = (tmp_path / ".git" / "objects" / "pack").glob("*.pack")
        found = read_pack(place.read_bytes(), ObjectStore())
        listed = git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").split()
        assert sorted(found) == sorted(listed)


def test_thin_pack_takes_its_bases_from_the_store(git: Git, tmp_path: Path) -> None:
    git("init", "-q")
    text = "".join(f"line {number}\n" for number in range(400))
    for number in range(2):
        (tmp_path / "file").write_text(text + str(number))
        git("add", "file")
        git("commit", "-q", "-m", str(number))
    done = git("rev-parse", "HEAD", "^HEAD~1").encode()
    pack = subprocess.run(
        ["git", "pack-objects", "--thin", "--revs", "--stdout", "-q"],
        cwd=tmp_path,
        input=done,
        capture_output=True,
        check=True,
    ).stdout
    store = ObjectStore()
    with pytest.raises(GitError, match="base of a delta is neither in it nor here"):
        read_pack(pack, store)
    store.add(BLOB, (text + "0").encode())
    found = read_pack(pack, store)
    assert (text + "1").encode() in [content for _, content in found.values()]


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_what_was_written_is_read_again(contents: list[bytes]) -> None:
    store = ObjectStore()
    ids = list(dict.fromkeys(store.add(BLOB, content) for content in contents))
    assert list(read_pack(write_pack(store, ids), ObjectStore())) == ids


HELLO = bytes([BLOB << 4 | 5]) + zlib.compress(b"hello")
BASE = hashlib.sha1(b"blob 5\0hello").digest()


def delta(script: bytes) -> bytes:
    return bytes([7 << 4 | len(script)]) + BASE + zlib.compress(script)


@pytest.mark.parametrize(
    ("pack", "told"),
    [
        (b"", "no pack header"),
        (b"PACK\0\0\0\x09" + bytes(40), "no pack header"),
        (sealed(HELLO)[:-1] + b"x", "checksum"),
        (sealed(HELLO, count=2), "ends too early"),
        (sealed(HELLO, HELLO, count=1), "more than it says"),
        (sealed(bytes([BLOB << 4 | 4]) + HELLO[1:]), "not as large as it says"),
        (sealed(bytes([BLOB << 4 | 6]) + HELLO[1:]), "not as large as it says"),
        (sealed(HELLO[:1] + b"no zlib data"), "cannot be inflated"),
        (sealed(bytes([5 << 4 | 5]) + HELLO[1:]), "no object is of kind 5"),
        (sealed(b"\xbf" + b"\xff" * 8 + b"\x7f" + HELLO[1:]), "too large"),
        (sealed(bytes([6 << 4 | 1, 127]) + zlib.compress(b"x")), "base of a delta"),
        (sealed(delta(b"\x05\x05\x05hello")), "base of a delta"),
        (sealed(HELLO, delta(b"\x04\x05\x05hello")), "for another base"),
        (sealed(HELLO, delta(b"\x05\x06\x05hello")), "another size"),
        (sealed(HELLO, delta(b"\x05\x04\x05hello")), "another size"),
        (sealed(HELLO, delta(b"\x05\x05\x00")), "wrong instruction"),
        (sealed(HELLO, delta(b"\x05\x05\x09hi")), "wrong instruction"),
        (sealed(HELLO, delta(b"\x05\x09\x90\x09")), "beyond its base"),
        (sealed(HELLO, delta(b"\x05\x05\x91")), "ends too early"),
        (sealed(HELLO, delta(b"\x85")), "ends too early"),
        (sealed(HELLO, delta(b"\x05" + b"\xff" * 6 + b"\x7f")), "too large"),
    ],
)
def test_damaged_pack_is_refused(pack: bytes, told: str) -> None:
    with pytest.raises(GitError, match=told):
        read_pack(pack, ObjectStore())


def test_pack_that_inflates_to_too_much_is_refused() -> None:
    size = 65 * 1024**2
    head, rest = [BLOB << 4 | size & 15 | 0x80], size >> 4
    while rest:
        head.append(rest & 0x7F | (0x80 if rest > 0x7F else 0))
        rest >>= 7
    bomb = bytes(head) + zlib.compress(bytes(1024))
    with pytest.raises(GitError, match="pack too large"):
        read_pack(sealed(bomb), ObjectStore())


@given(st.data())
def test_any_damage_is_a_git_error(data: st.DataObject) -> None:
    body = bytearray(sealed(HELLO, delta(b"\x05\x0a\x90\x05\x05world"))[:-20])
    for _ in range(data.draw(st.integers(1, 5))):
        body[data.draw(st.integers(8, len(body) - 1))] = data.draw(st.integers(0, 255))
    pack = bytes(body) + hashlib.sha1(body).digest()
    try:
        objects, told = read_pack(pack, ObjectStore()), "read"
    except GitError as refused:
        objects, told = {}, str(refused)
    assert told
    assert objects == {object_id(*raw): raw for raw in objects.values()}

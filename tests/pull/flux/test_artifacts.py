import gzip
import hashlib
import io
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from gitops_sim.clock import VirtualClock
from gitops_sim.pull.flux.artifacts import ArtifactStorage, ArtifactTree, _archive

FILES = st.dictionaries(
    st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3}){0,2}\.yaml", fullmatch=True), st.binary(max_size=200)
)


@given(FILES)
def test_an_archive_is_a_tar_file_with_the_files(files: dict[str, bytes]) -> None:
    packed = gzip.decompress(_archive(files)) if files else b""
    found = {}
    if files:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            for member in tar.getmembers():
                content = tar.extractfile(member)
                assert content is not None
                found[member.name] = content.read()
    assert found == files


def test_a_large_file_is_packed_in_several_blocks() -> None:
    data = bytes(range(256)) * 1000
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(_archive({"a": data})))) as tar:
        content = tar.extractfile("a")
        assert content is not None
        assert content.read() == data


def test_the_digest_is_that_of_the_archive_and_depends_on_the_files_alone() -> None:
    clock = VirtualClock()
    storage = ArtifactStorage(clock)
    one = storage.store("gitrepository/a/b", "c1", "main@sha1:c1", {"x": b"1", "y": b"2"})
    clock.run(100)
    other = storage.store("gitrepository/a/b", "c2", "main@sha1:c2", {"y": b"2", "x": b"1"})
    assert one.digest == other.digest
    assert one.digest == f"sha256:{hashlib.sha256(_archive(one.files)).hexdigest()}"
    assert one.size == len(_archive(one.files))


def test_old_artifacts_are_collected_and_the_current_one_stays() -> None:
    clock = VirtualClock()
    storage = ArtifactStorage(clock)
    paths = []
    for number in range(4):
        paths.append(storage.store("g/a/b", f"c{number}", f"r{number}", {}).path)
        clock.run(clock.now() + 10)
    elsewhere = storage.store("g/a/bb", "c", "r", {}).path
    assert storage.collect_garbage("g/a/b", paths[0], ttl=60, records=2) == 2
    assert [path in storage for path in paths] == [True, False, False, True]
    clock.run(clock.now() + 60)
    assert storage.collect_garbage("g/a/b", paths[0], ttl=60, records=2) == 1
    assert [path in storage for path in (paths[0], elsewhere)] == [True, True]
    storage.remove_all("g/a/b")
    assert storage.fetch(paths[0]) is None


def test_a_tree_of_an_artifact_reads_like_any_tree() -> None:
    files = {"a/x.yaml": b"x", "a/b/y.yaml": b"y", "z.yaml": b"z"}
    artifact = ArtifactStorage(VirtualClock()).store("g/a/b", "c", "r", files)
    tree = ArtifactTree(artifact)
    assert tree.files() == ["a/b/y.yaml", "a/x.yaml", "z.yaml"]
    assert tree.files("./a") == ["a/b/y.yaml", "a/x.yaml"]
    assert [tree.is_directory(path) for path in ("", "a", "a/b", "a/x.yaml", "b")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert tree.read("./a/x.yaml") == b"x"
    assert tree.digest() == artifact.digest

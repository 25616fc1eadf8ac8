"""Reading a tree for one build: every file read is remembered, parsed YAML is kept by blob id.

The blob ids of the files read are what the result depends on; `Reading.files` becomes the key
under which the finished build is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitops_sim.apimachinery import yaml_loader
from gitops_sim.apimachinery.yaml_loader import Document
from gitops_sim.errors import BuildError, InputError, ManifestError, UnknownRefError
from gitops_sim.protocols import TreeReader

__all__ = ["ParsedYaml", "Reading"]

KEPT_FILES = 20_000
"""Parsed files kept; the one used longest ago goes first."""


class ParsedYaml:
    """YAML documents by the Git blob id of the file that holds them.

    The documents are shared by all who ask: read-only. `parses` counts the files parsed.
    """

    def __init__(self) -> None:
        self.parses = 0
        self._documents: dict[str, list[Document]] = {}

    def get(self, blob_id: str) -> list[Document] | None:
        """Return the documents of a file parsed before, or None."""
        documents = self._documents.pop(blob_id, None)
        if documents is not None:
            self._documents[blob_id] = documents
        return documents

    def parse(self, blob_id: str, data: bytes, file: str) -> list[Document]:
        """Parse a file and keep its documents; an error is not kept, since it names the file.

        Raises:
            ManifestError: It is not YAML, or not YAML that is safe to read.
        """
        self.parses += 1
        documents = yaml_loader.load_all(data, file)
        self._documents[blob_id] = documents
        if len(self._documents) > KEPT_FILES:
            del self._documents[next(iter(self._documents))]
        return documents


class Reading:
    """A tree during one build.

    Args:
        tree: What is read.
        parsed: Documents parsed by earlier builds.
    """

    def __init__(self, tree: TreeReader, parsed: ParsedYaml) -> None:
        self.tree = tree
        self.files: dict[str, str] = {}
        """Path -> blob id of every file read so far."""
        self._parsed = parsed

    def read(self, path: str) -> bytes:
        """Return the content of a file and remember that the build depends on it.

        Raises:
            UnknownRefError: There is no such file.
            BuildError: It cannot be read: a link that leaves or loops, too large.
        """
        self.note(path)
        try:
            return self.tree.read(path)
        except InputError as refused:
            raise _as_build_error(refused) from None

    def note(self, path: str) -> str:
        """Remember that the build depends on a file; return its blob id; raises like `read`."""
        if path not in self.files:
            try:
                self.files[path] = self.tree.blob_id(path)
            except InputError as refused:
                raise _as_build_error(refused) from None
        return self.files[path]

    def documents(self, path: str) -> Sequence[Document]:
        """Return the YAML documents of a file; raises like `read`, and ManifestError."""
        blob_id = self.note(path)
        documents = self._parsed.get(blob_id)
        if documents is None:
            documents = self._parsed.parse(blob_id, self.read(path), path)
        return documents

    def parse_text(self, key: str, text: bytes, file: str) -> Sequence[Document]:
        """Return the documents of text that is no file, kept under `key`."""
        documents = self._parsed.get(key)
        return self._parsed.parse(key, text, file) if documents is None else documents

    def is_directory(self, path: str) -> bool:
        """Return True for a folder; links that leave or loop are a BuildError."""
        try:
            return self.tree.is_directory(path)
        except InputError as refused:
            raise _as_build_error(refused) from None

    def exists(self, path: str) -> bool:
        """Return True for a file or folder."""
        if path in self.files or self.is_directory(path):
            return True
        try:
            self.note(path)
        except UnknownRefError:
            return False
        return True


def _as_build_error(refused: InputError) -> InputError:
    """Return the tree's refusal as an error of the build; a ManifestError stays one."""
    if isinstance(refused, (BuildError, ManifestError)):
        return refused
    return BuildError(*refused.args)

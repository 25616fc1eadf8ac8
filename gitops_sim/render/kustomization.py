"""One kustomization file: found, read, and its fields checked before kustomize sees it.

kustomize's own messages name neither line nor fix; what can be told from the file alone is told
here. Its limits are narrower on purpose, since repositories are untrusted: no remote bases, no
charts, no plugins.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gitops_sim.errors import BuildError, InputError, UnknownRefError
from gitops_sim.render.lines import field_text, line_of
from gitops_sim.render.paths import parent
from gitops_sim.render.reading import Reading

__all__ = ["FILE_NAMES", "Kustomization", "find", "load"]

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""Source: kustomize api/konfig, RecognizedKustomizationFileNames."""

TEXT_FIELDS = ("apiVersion", "kind", "namePrefix", "nameSuffix", "namespace")
MAP_FIELDS = (
    "commonAnnotations",
    "commonLabels",
    "generatorOptions",
    "metadata",
    "openapi",
    "sortOptions",
)
TEXT_LIST_FIELDS = (
    "bases",
    "buildMetadata",
    "components",
    "configurations",
    "crds",
    "generators",
    "patchesStrategicMerge",
    "resources",
    "transformers",
    "validators",
)
MAP_LIST_FIELDS = (
    "configMapGenerator",
    "imageTags",
    "images",
    "labels",
    "patchesJson6902",
    "replacements",
    "replicas",
    "secretGenerator",
    "vars",
)
GENERATORS = ("configMapGenerator", "secretGenerator")
SOURCES = ("files", "literals", "envs")
CHART_FIELDS = ("helmChartInflationGenerator", "helmCharts", "helmGlobals")
FIELDS = (
    *TEXT_FIELDS,
    *MAP_FIELDS,
    *TEXT_LIST_FIELDS,
    *MAP_LIST_FIELDS,
    *CHART_FIELDS,
    "patches",  # objects, or in old files paths: kustomize takes both
)
"""Source: kustomize v5.8.1 api/types/kustomization.go, and the deprecated names it mends."""


@dataclass(frozen=True, slots=True)
class Kustomization:
    """A kustomization file that was read.

    Attributes:
        file: Its path in the tree.
        fields: Its content, read-only; keys in kustomize's spelling.
    """

    file: str
    fields: dict[str, Any]

    @property
    def folder(self) -> str:
        """The directory it stands in: its paths are relative to it."""
        return parent(self.file)

    def entries(self, field: str) -> Sequence[Any]:
        """Return a list field; empty when absent."""
        return self.fields.get(field) or []


def find(reading: Reading, folder: str) -> str | None:
    """Return the path of a folder's kustomization file; None when there is none.

    Raises:
        BuildError: There are several, which kustomize refuses.
    """
    paths = [f"{folder}/{name}" if folder else name for name in FILE_NAMES]
    found = [path for path in paths if reading.exists(path) and not reading.is_directory(path)]
    if len(found) > 1:
        problem = f"several kustomization files in one directory: {', '.join(found)}"
        raise BuildError(found[0], 0, problem, "keep one of them")
    return found[0] if found else None


def load(reading: Reading, file: str, *, allow_empty: bool = False) -> Kustomization:
    """Read a kustomization file and check the shape of its fields.

    Args:
        reading: The tree.
        file: Path of the kustomization file.
        allow_empty: A file without content is a kustomization without fields.

    Raises:
        ManifestError: It is not YAML.
        BuildError: It is empty, has an unknown or refused field, or a field of the wrong type.
    """
    try:
        documents = reading.documents(file)
    except UnknownRefError:
        raise BuildError(file, 0, "no such file", "check the path") from None
    if len(documents) > 1:
        fix = "put the objects into files of their own and list them under resources"
        raise BuildError(file, documents[1].line, "a kustomization is one document", fix)
    content: Any = documents[0].manifest if documents else None
    if not content and not allow_empty:
        fix = "list files or directories under resources"
        raise BuildError(file, 0, "kustomization file is empty", fix)
    if not isinstance(content or {}, dict):
        raise BuildError(file, 1, "kustomization is not a mapping", "write `resources:` and a list")
    canonical = {name.lower(): name for name in FIELDS}  # kustomize ignores case, as Go's JSON does
    fields: dict[str, Any] = {}
    for written, value in (content or {}).items():
        name = canonical.get(str(written).lower())
        if name is None:
            near = difflib.get_close_matches(str(written), FIELDS, n=1)
            fix = f"write {near[0]}" if near else "remove it"
            raise error(reading, file, (str(written),), "unknown field in a kustomization", fix)
        _check_type(reading, file, str(written), name, value)
        fields[name] = value
    return Kustomization(file, fields)


def _check_type(reading: Reading, file: str, written: str, name: str, value: Any) -> None:
    """Refuse a field that kustomize could not decode, or that this lab does not run."""
    if name in CHART_FIELDS:
        fix = "render the chart to YAML and list that under resources"
        raise error(reading, file, (written,), "Helm charts are not built by kustomize here", fix)
    if value is None:
        return
    if name in TEXT_FIELDS and not isinstance(value, str):
        shown = {True: "true", False: "false"}.get(value, value) if _is_plain(value) else "no text"
        problem = f"want text, found {shown}"
        raise error(reading, file, (written,), problem, "put the value in quotes")
    if name in MAP_FIELDS and not isinstance(value, dict):
        raise error(reading, file, (written,), "want a mapping", f"write keys below {written}:")
    if name in TEXT_FIELDS or name in MAP_FIELDS:
        return
    if not isinstance(value, list):
        raise error(reading, file, (written,), "want a list", "put `- ` before the entry")
    for index, entry in enumerate(value):
        wants_text = name in TEXT_LIST_FIELDS
        if name == "patches" and isinstance(entry, str):
            continue
        if not isinstance(entry, str if wants_text else dict):
            problem = "want text" if wants_text else "want a mapping"
            raise error(reading, file, (written, index), problem, "see the fields of kustomize")
        if name in GENERATORS and isinstance(entry, dict):
            _check_sources(reading, file, (written, index), entry)


def _check_sources(
    reading: Reading, file: str, place: tuple[str | int, ...], entry: dict[str, Any]
) -> None:
    """Refuse a generator whose sources are no lists of texts."""
    for source in SOURCES:
        texts = entry.get(source)
        if texts is None:
            continue
        if not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
            fix = "put `- ` before each entry, and numbers in quotes"
            raise error(reading, file, (*place, source), "want a list of texts", fix)


def _is_plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float))


def error(
    reading: Reading, file: str, path: Sequence[str | int], problem: str, fix: str = ""
) -> BuildError:
    """Return an error about one field of a kustomization, with its line."""
    try:
        line = line_of(reading.read(file), path)
    except (InputError, UnknownRefError):
        line = 0
    return BuildError(file, line, problem, fix, field_text(path))

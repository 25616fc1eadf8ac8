"""ConfigMaps and Secrets made from files and literals, and the hashes in their names.

Source: kustomize api/internal/generators, api/kv/kv.go, api/hasher/hasher.go.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gitops_sim.apimachinery.yaml_scalars import is_text
from gitops_sim.render.inprocess.items import Item, NotInProcessError, Resources
from gitops_sim.render.inprocess.shape import text_map
from gitops_sim.render.kustomization import Kustomization
from gitops_sim.render.paths import join
from gitops_sim.render.reading import Reading
from gitops_sim.types import Manifest

__all__ = ["add_hashes", "generate"]

KEY = re.compile(r"[-._a-zA-Z0-9]+")
QUOTED = re.compile(r"(['\"])([^'\"]*)\1")
LINE = 70
"""Characters of base64 after which kustomize begins a new line."""
HASH_LETTERS = str.maketrans("013ae", "ghkmt")


def generate(resources: Resources, this: Kustomization, reading: Reading) -> None:
    """Make what `configMapGenerator` and `secretGenerator` say, and put it among the resources."""
    for field, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
        for entry in this.entries(field):
            if not entry.get("name"):
                raise NotInProcessError("a generator without a name")
            options = _options(this.fields.get("generatorOptions") or {}, entry)
            manifest = _manifest(kind, entry, options, _pairs(this, entry, reading))
            hashed = not options["disableNameSuffixHash"]
            _absorb(resources, Item(manifest, this.file, hashed=hashed), entry.get("behavior"))


def add_hashes(resources: Resources) -> None:
    """Put the hash of its content behind the name of each generated resource."""
    for item in resources.items:
        if item.hashed:
            item.remember()
            item.manifest["metadata"]["name"] += f"-{_hash(item.manifest)}"


def _options(common: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a generator's options together with those for all generators of the file."""
    own = entry.get("options") or {}
    merged: dict[str, Any] = {
        field: {**(common.get(field) or {}), **(own.get(field) or {})}
        for field in ("labels", "annotations")
    }
    name = "disableNameSuffixHash"
    return merged | {name: bool(common.get(name) or own.get(name))}


def _manifest(
    kind: str, entry: Mapping[str, Any], options: Mapping[str, Any], pairs: Mapping[str, bytes]
) -> Manifest:
    metadata: dict[str, Any] = {"name": entry["name"]}
    if entry.get("namespace"):
        metadata["namespace"] = entry["namespace"]
    for field in ("labels", "annotations"):
        if options[field]:
            metadata[field] = options[field]
    manifest: Manifest = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    if kind == "Secret":
        manifest["type"] = entry.get("type") or "Opaque"
        manifest["data"] = {}
    for key, content in pairs.items():
        if kind == "Secret":
            manifest.setdefault("data", {})[key] = _base64(content)
            continue
        try:
            manifest.setdefault("data", {})[key] = content.decode()
        except UnicodeDecodeError:
            manifest.setdefault("binaryData", {})[key] = _base64(content)
    return manifest


def _absorb(resources: Resources, new: Item, behavior: str | None) -> None:
    """Add what was generated, or put it on what is there already."""
    if behavior in (None, "", "create"):
        if resources.have_had(new.id):
            raise NotInProcessError(f"{new.id} is there already")
        resources.append(new)
        return
    if behavior not in ("merge", "replace"):
        raise NotInProcessError(f"behavior {behavior}")
    old = resources.by_any_id(new.id)
    metadata = new.manifest["metadata"]
    for field in ("labels", "annotations"):
        merged = {**(old.manifest["metadata"].get(field) or {}), **(metadata.get(field) or {})}
        if merged:
            metadata[field] = merged
    metadata["name"] = old.manifest["metadata"]["name"]
    metadata.pop("namespace", None)
    if old.id.namespace:
        metadata["namespace"] = old.id.namespace
    if behavior == "merge":
        for field in ("data", "binaryData"):
            both = {**text_map(old.manifest.get(field)), **(new.manifest.get(field) or {})}
            if both:
                new.manifest[field] = both
        new.file = old.file
    new.earlier = old.earlier
    new.hashed = old.hashed
    resources.items[resources.items.index(old)] = new


def _pairs(this: Kustomization, entry: Mapping[str, Any], reading: Reading) -> dict[str, bytes]:
    """Return the data of a generator."""
    pairs: dict[str, bytes] = {}
    for key, content in _sources(this, entry, reading):
        if not KEY.fullmatch(key) or not is_text(key) or key in pairs:
            raise NotInProcessError(f"key {key} of a generator")
        pairs[key] = content
    return pairs


def _sources(
    this: Kustomization, entry: Mapping[str, Any], reading: Reading
) -> Iterator[tuple[str, bytes]]:
    for literal in entry.get("literals") or []:
        key, sign, value = literal.partition("=")
        quoted = QUOTED.fullmatch(value)
        if not sign or (quoted is None and value.strip("'\"") != value):
            raise NotInProcessError("a literal of another form")
        yield key, (quoted[2] if quoted else value).encode()
    for text in entry.get("files") or []:
        key, sign, path = text.partition("=")
        path = path if sign else text
        yield key if sign else path.rpartition("/")[2], _read(this, path, reading)
    for path in entry.get("envs") or []:
        yield from _env_lines(_read(this, path, reading))


def _read(this: Kustomization, path: str, reading: Reading) -> bytes:
    inside = join(this.folder, path)
    if inside is None:
        raise NotInProcessError("a file outside")
    return reading.read(inside)


def _env_lines(content: bytes) -> Iterator[tuple[str, bytes]]:
    if b"\r" in content or not content.isascii():
        raise NotInProcessError("an env file with more than plain text")
    for line in content.split(b"\n"):
        line = line.lstrip(b" \t")
        if line and not line.startswith(b"#"):
            key, sign, value = line.partition(b"=")
            if not sign:
                raise NotInProcessError("an env file that reads the environment")
            yield key.decode(), value


def _base64(content: bytes) -> str:
    """Return base64 as kustomize writes it: long data in lines, each ended."""
    text = base64.b64encode(content).decode()
    if len(text) < LINE:
        return text
    return "".join(f"{text[start : start + LINE]}\n" for start in range(0, len(text), LINE))


def _hash(manifest: Manifest) -> str:
    """Return ten letters that stand for the content; the name, oddly, does not count."""
    content = {"kind": manifest["kind"], "name": "", "data": manifest.get("data", "")}
    if manifest["kind"] == "Secret":
        content["type"] = manifest.get("type", "")
    more = "binaryData" if manifest["kind"] == "ConfigMap" else "stringData"
    if isinstance(manifest.get(more), dict):
        content[more] = manifest[more]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(HASH_LETTERS)

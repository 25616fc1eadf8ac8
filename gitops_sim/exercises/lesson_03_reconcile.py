"""E03.2: the learner's `reconcile(desired, actual)`, tried on generated pairs.

Every pair lives in namespaces of its own on one real API server without controllers: what the
function asks for is done there, and what came of it is read back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeAlias

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apiserver import InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import ApiError, LabError, NotFoundError
from gitops_sim.exercises.answers import called, lines_of, name_of
from gitops_sim.exercises.results import Verdict
from gitops_sim.exercises.view import LabView
from gitops_sim.journal import Journal
from gitops_sim.types import Manifest

__all__ = ["MANAGED_BY", "OWNER", "PAIRS", "reconcile_converges"]

Key: TypeAlias = tuple[str, str, str]
"""(kind, namespace, name); the namespace of a Namespace is empty."""
Objects: TypeAlias = dict[Key, Manifest]

MANAGED_BY, OWNER = "app.kubernetes.io/managed-by", "lesson"
"""The label, and its value, of objects that the learner's reconciler made."""
PAIRS, SEEDS, MOST_LINES = 200, (1, 2, 3), 20
NAMES = ("cart", "menu", "orders", "prices", "search", "users", "web")
FATES = ("missing", "equal", "different", "extra", "foreign")
"""What can be true of one object: only desired; both; both, with other data; only actual, made by
the reconciler before; only actual, made by someone else."""
EXPECTED = (
    f"a function of at most {MOST_LINES} lines that brings {PAIRS} clusters to what is desired, "
    "and then has nothing more to do"
)


class _Wrong(Exception):  # noqa: N818 - it ends a trial, it is no error
    """What a trial found, and the known mistake that this is: `(found, mistake)`."""

    def __init__(self, found: str, mistake: str = "") -> None:
        super().__init__(found, mistake)
        self.found, self.mistake = found, mistake


def reconcile_converges(view: LabView) -> Verdict:
    """E03.2: 200 pairs converge, nothing is done twice, in order, and never to others' objects."""
    function = view.answer
    if not callable(function):
        return _not_yet(
            "no function", 'hand it in: `lab.check("E03.2", answer=reconcile)`, without brackets'
        )
    if (lines := lines_of(function)) > MOST_LINES:
        return _not_yet(f"{lines} lines", "what do the branches have in common?", "too-long")
    clients = [_client(seed) for seed in SEEDS]
    for number in range(PAIRS):
        seed = number % len(SEEDS)
        try:
            _Pair(clients[seed], SEEDS[seed], number).try_out(function)
        except _Wrong as wrong:
            return _not_yet(
                f"cluster {number + 1} of {PAIRS}: {wrong.found}",
                "the three sets: only desired, only actual, both",
                wrong.mistake,
            )
        except LabError as error:
            return _not_yet(f"cluster {number + 1}: {error.problem}", error.next_step)
    found = f"{PAIRS} clusters came to what is desired, in {lines} lines, and rest there"
    return Verdict(passed=True, expected=EXPECTED, found=found)


def _not_yet(found: str, look_here: str, mistake: str = "") -> Verdict:
    return Verdict(
        passed=False, expected=EXPECTED, found=found, look_here=look_here, mistake=mistake
    )


def _client(seed: int) -> InProcessClient:
    clock = VirtualClock(seed)
    return InProcessClient(new_server(clock, Journal(clock)), OWNER)


def _key(manifest: Manifest) -> Key:
    metadata = manifest["metadata"]
    return (manifest["kind"], metadata.get("namespace", ""), metadata["name"])


def _is_ours(manifest: Manifest) -> bool:
    return bool(manifest["metadata"].get("labels", {}).get(MANAGED_BY) == OWNER)


def _manifest(key: Key, *, ours: bool, value: str = "") -> Manifest:
    kind, namespace, name = key
    metadata: dict[str, Any] = {"name": name, "labels": {MANAGED_BY: OWNER if ours else "others"}}
    if namespace:
        metadata["namespace"] = namespace
    manifest = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    return manifest | ({"data": {"value": value}} if value else {})


class _Pair:
    """One cluster as it is, and what is desired of it."""

    def __init__(self, client: InProcessClient, seed: int, number: int) -> None:
        self._client = client
        self._random = VirtualClock(seed).random(f"pair {number}")
        self._namespaces = [f"{name}-{number}" for name in ("kept", "new", "others")]
        self.desired: Objects = {}
        self._make()

    def _make(self) -> None:
        """Make the cluster: one namespace in both, one only desired, one that is not ours."""
        kept, new, others = self._namespaces
        for namespace, ours in ((kept, True), (others, False)):
            self._client.create(_manifest(("Namespace", "", namespace), ours=ours))
        for name in (kept, new):
            key = ("Namespace", "", name)
            self.desired[key] = _manifest(key, ours=True)
        for name in self._random.sample(NAMES, self._random.randint(1, 4)):
            self._place(("ConfigMap", kept, name), self._random.choice(FATES))
        for name in self._random.sample(NAMES, self._random.randint(1, 2)):
            self._place(("ConfigMap", new, name), "missing")
        self._place(("ConfigMap", others, self._random.choice(NAMES)), "foreign")

    def _place(self, key: Key, fate: str) -> None:
        if fate in ("missing", "equal", "different"):
            self.desired[key] = _manifest(key, ours=True, value="new")
        if fate != "missing":
            value = "new" if fate == "equal" else "old"
            self._client.create(_manifest(key, ours=fate != "foreign", value=value))

    def actual(self) -> Objects:
        """Return what is there, as the server tells it."""
        found: list[Manifest] = []
        for namespace in self._namespaces:
            with suppress(NotFoundError):
                found.append(self._client.get("v1/Namespace", namespace))
            found += self._client.list("v1/ConfigMap", namespace)
        return {_key(manifest): manifest for manifest in found}

    def try_out(self, function: Callable[..., Any]) -> None:
        """Let the function bring this cluster to what is desired.

        Raises:
            _Wrong: It does not.
            LabError: It fails.
        """
        for verb, key in self._asked(function):
            self._do(verb, key)
        self._compare(self.actual())
        for verb, key in self._asked(function):
            raise _Wrong(
                f"all is as desired, and still it asks to {verb} {_told(key)}", "never-rests"
            )

    def _asked(self, function: Callable[..., Any]) -> Iterator[tuple[str, Key]]:
        actual = self.actual()
        answer = called(function, _copied(self.desired), _copied(actual))
        try:
            asked = [(verb, tuple(key)) for verb, key in answer]
        except (TypeError, ValueError):
            raise LabError(
                f"`{name_of(function)}` returned {answer!r}",
                'return a list of pairs such as `("apply", key)`',
            ) from None
        for verb, key in asked:
            known: Mapping[Any, Manifest] = {"apply": self.desired, "delete": actual}.get(verb, {})
            if key not in known:
                raise _Wrong(f"it asks for {verb!r} of {key!r}, which is not there to {verb}")
            if verb == "delete" and not _is_ours(actual[key]):
                raise _Wrong(f"it deletes {_told(key)}, which someone else made", "deletes-others")
        yield from asked

    def _do(self, verb: str, key: Key) -> None:
        kind, namespace, name = key
        try:
            if verb == "apply":
                self._client.apply(self.desired[key], field_manager=OWNER, force=True)
            else:
                self._client.delete(f"v1/{kind}", name, namespace or None)
        except ApiError as refused:
            mistake = "namespace-late" if "namespaces" in str(refused) else ""
            raise _Wrong(f"{verb} {_told(key)}: {refused}", mistake) from None

    def _compare(self, actual: Objects) -> None:
        for key, wanted in self.desired.items():
            if key not in actual:
                raise _Wrong(f"{_told(key)} is desired, and not there")
            if actual[key].get("data") != wanted.get("data"):
                raise _Wrong(
                    f"{_told(key)} is there, with {actual[key]['data']} instead of "
                    f"{wanted['data']}",
                    "only-looks-at-names",
                )
        for key, manifest in actual.items():
            if key not in self.desired and _is_ours(manifest):
                raise _Wrong(f"{_told(key)} is no longer desired, and still there", "never-deletes")


def _copied(objects: Objects) -> Objects:
    return {key: fresh_copy(manifest) for key, manifest in objects.items()}


def _told(key: Key) -> str:
    return "/".join(part for part in key if part)

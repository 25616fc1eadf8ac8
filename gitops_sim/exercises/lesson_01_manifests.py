"""E01.2: the learner's manifests for a runbook, applied to clusters in every state.

Each start is a small world: an API server without controllers, brought into disorder by kubectl
commands. The manifests are applied there by the same kubectl, and what is there is compared.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, TypeAlias

from gitops_sim.apiserver import InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import NotFoundError
from gitops_sim.exercises.results import Verdict
from gitops_sim.exercises.view import LabView
from gitops_sim.journal import Journal
from gitops_sim.kubectl import CommandResult, KubectlCommand
from gitops_sim.protocols import RandomStream
from gitops_sim.push import Workspace
from gitops_sim.render import Renderer
from gitops_sim.types import Manifest

__all__ = ["one_end_from_five_starts"]

State: TypeAlias = dict[str, Any]
"""What the runbook is about, by name; None where it is not there."""

SEEDS = (1, 2, 3)
RUNBOOK, NAMESPACE = "cart.sh", "market"
FILE = "cart.yaml"
ONCE = ("wait", "rollout", "create job")
"""Commands of the runbook that leave nothing which lasts."""
EXPECTED = (
    f"manifests that bring any cluster to what `{RUNBOOK}` leads to on an empty one, whatever is "
    "there before"
)


def one_end_from_five_starts(view: LabView) -> Verdict:
    """E01.2: applied to five scrambled starts, with three seeds, the manifests end in one state."""
    repository = view.repository("runbook")
    if repository is None:
        return _not_yet("this lab has no repository `runbook`", "the first cells import it")
    if not isinstance(view.answer, str) or not view.answer.strip():
        hand_in = 'hand in one text of YAML: `lab.check("E01.2", answer=cart)`'
        is_text = view.answer is None or isinstance(view.answer, str)
        kind = (
            ""
            if is_text
            else f": the answer is no text, it is of type {type(view.answer).__name__}"
        )
        return _not_yet(f"no manifests{kind}", hand_in)
    runbook = repository.tree().read(RUNBOOK).decode().splitlines()
    lasting = [step for step in runbook if not step.startswith(ONCE)]
    clean = _World(0)
    clean.follow(lasting)
    wanted = clean.state()
    for seed in SEEDS:
        starts = _starts(runbook, lasting, VirtualClock(seed).random("starts"))
        for name, steps in starts:
            if (verdict := _applied(view.answer, wanted, name, steps)) is not None:
                return verdict
    found = f"{len(SEEDS) * 5} clusters in five kinds of disorder, and one end"
    return Verdict(passed=True, expected=EXPECTED, found=found)


def _not_yet(found: str, look_here: str, mistake: str = "") -> Verdict:
    return Verdict(
        passed=False, expected=EXPECTED, found=found, look_here=look_here, mistake=mistake
    )


def _starts(
    runbook: Sequence[str], lasting: Sequence[str], stream: RandomStream
) -> Iterator[tuple[str, list[str]]]:
    """Yield five starts: a name, and the commands that lead there."""
    place = f"-n {NAMESPACE}"
    yield "empty", []
    yield "half done", [*lasting[: stream.randint(1, 5)]]
    yield "done before", [step for step in runbook if not step.startswith(ONCE[:2])]
    scale = f"scale deployment cart {place} --replicas={stream.randint(4, 9)}"
    yield "edited", [*lasting, scale, f"label deployment cart {place} tier=none --overwrite"]
    image = f"set image deployment/cart {place} cart=shop/cart:1.{stream.randint(3, 9)}.0"
    yield "another version", [*lasting, image, f"label configmap prices {place} currency-"]


def _applied(manifests: str, wanted: State, name: str, steps: Sequence[str]) -> Verdict | None:
    """Apply the manifests to one start; return what is wrong, or None."""
    world = _World(1)
    world.follow(steps)
    result = world.kubectl(f"apply -f {FILE}", manifests)
    if result.exit_code:
        mistake = "job-left" if world.has_job(manifests) else ""
        return _refused(name, result.stderr.strip().splitlines(), mistake)
    if world.has_job(manifests):
        return _not_yet("a Job among the manifests", "which step makes sense once?", "job-left")
    found = world.state()
    for what, value in wanted.items():
        if found[what] != value:
            mistake = {"replicas": "scale-left-out", "tier": "label-left-out"}.get(what, "")
            return _not_yet(
                f"start “{name}” ends with {what} {found[what]!r} instead of {value!r}",
                f"`{RUNBOOK}`: the step that sets it",
                mistake,
            )
    return None


def _refused(name: str, lines: Sequence[str], mistake: str) -> Verdict:
    """Return what kubectl said: its first line, and of several documents the last that failed."""
    told = next((line for line in reversed(lines) if "rror" in line or "invalid" in line), lines[0])
    look_here = "the object that is named"
    if "namespaces " in told and "not found" in told:
        look_here = "which document makes that Namespace, and does it come first?"
    elif "cannot unmarshal number into" in told:
        look_here = 'a number where a text belongs: put it in quotes, `"4"`'
    return _not_yet(f"start “{name}”: {told}", look_here, mistake)


class _World:
    """An API server and a kubectl."""

    def __init__(self, seed: int) -> None:
        self._clock = VirtualClock(seed)
        self._client = InProcessClient(new_server(self._clock, Journal(self._clock)), "kubectl")

    def follow(self, steps: Sequence[str]) -> None:
        """Run kubectl commands."""
        for step in steps:
            self.kubectl(step)

    def kubectl(self, command: str, manifests: str = "") -> CommandResult:
        """Run one kubectl command; `-f cart.yaml` are the manifests."""
        files = Workspace("/home/learner")
        files.write(FILE, manifests.encode())
        process = KubectlCommand(self._client, self._clock, files, Renderer(), "default")
        results: list[CommandResult] = []

        def job() -> Generator[Any, Any, None]:
            results.append((yield from process.run(command.split())))

        running = self._clock.spawn("kubectl", job())
        self._clock.run_until(lambda: not running.alive, 600.0)
        return results[0] if results else CommandResult(stderr="error: it waits", exit_code=1)

    def has_job(self, manifests: str) -> bool:
        """Return True if a Job is among the manifests."""
        return any(line.split() == ["kind:", "Job"] for line in manifests.splitlines())

    def state(self) -> State:
        """Return what the runbook is about."""
        prices = self._found("v1/ConfigMap", "prices")
        cart = self._found("apps/v1/Deployment", "cart")
        spec = cart.get("spec") or {"template": {"spec": {"containers": [{}]}}}
        return {
            "namespace": self._found("v1/Namespace", NAMESPACE, None).get("kind"),
            "prices": prices.get("data"),
            "currency": _label(prices, "currency"),
            "image": spec["template"]["spec"]["containers"][0].get("image"),
            "tier": _label(cart, "tier"),
            "replicas": spec.get("replicas"),
        }

    def _found(self, kind: str, name: str, namespace: str | None = NAMESPACE) -> Manifest:
        try:
            return self._client.get(kind, name, namespace)
        except NotFoundError:
            return {}


def _label(manifest: Manifest, name: str) -> str | None:
    value: str | None = (manifest.get("metadata") or {}).get("labels", {}).get(name)
    return value

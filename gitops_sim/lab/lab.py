"""The facade: everything a notebook needs hangs on one `Lab`.

A lab is its seed and what came through its door. Making one starts a clock, a journal, a forge and
an image registry; clusters come when first asked for. Nothing happens until time passes (`run`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from gitops_sim.clock import Door, VirtualClock, outside, pace, parse_duration
from gitops_sim.cluster import SimulatedCluster
from gitops_sim.errors import GitOpsSimError, LabError
from gitops_sim.exercises import CheckResult, Checks, LabView
from gitops_sim.forge import Forge
from gitops_sim.journal import Journal, facts
from gitops_sim.lab import arguments, saving
from gitops_sim.lab.comparison import Comparison
from gitops_sim.lab.handle import ClusterHandle
from gitops_sim.lab.moment import Moment
from gitops_sim.lab.overlay import Branch, WhatIf
from gitops_sim.lab.parts import LabParts
from gitops_sim.lab.running import Ran, summarise
from gitops_sim.push import Pipelines
from gitops_sim.registry import Registry
from gitops_sim.render import Renderer
from gitops_sim.types import Step

if TYPE_CHECKING:
    from gitops_sim.lab.serving import Serving

__all__ = ["Lab"]

NODES = 3
"""Of a cluster when nobody says how many."""


class Lab:
    """A forge, an image registry, clusters and agents on one virtual clock.

    Attributes:
        clock: Virtual time.
        journal: Everything that happened.
        forge: Git repositories and merge requests.
        registry: Container images.

    Args:
        seed: Of everything random; the same seed and the same calls give the same history.
        epoch: When the lab begins, RFC 3339; "" is a Monday at 09:00, the same for every lab.
        shuffle: Tests only: a seed that puts events of equal time in random order.
    """

    def __init__(self, seed: int = 0, *, epoch: str = "", shuffle: int | None = None) -> None:
        begins = arguments.the_epoch(epoch)
        self.clock = VirtualClock(arguments.the_seed(seed), epoch=begins, shuffle=shuffle)
        self._shuffle = shuffle
        self._door = Door(self.clock)
        self._address = "lab"
        self.journal = Journal(self.clock)
        self.clock.on_step.append(self._tell_step)
        self._door.register("lab", self)
        self._door.register("clock", self.clock)
        self.forge = Forge(self.clock, self.journal, self._door)
        self.registry = Registry(self.clock, self.journal, self._door)
        renderer = Renderer()
        pipelines = Pipelines(self.forge, self.clock, self.journal, renderer, door=self._door)
        self._parts = LabParts(
            self.clock, self.journal, self._door, self.forge, pipelines, renderer
        )
        self._serving: Serving | None = None
        self._told = 0
        self._handles: dict[str, ClusterHandle] = {}
        self._checks = Checks(
            LabView(self.clock, self.journal, self.forge, self._handles, renderer)
        )

    def __repr__(self) -> str:
        """Return what there is, in one line."""
        clusters = ", ".join(self._handles) or "no cluster"
        repositories = ", ".join(r.name for r in self.forge.repositories) or "no repository"
        return (
            f"<Lab seed={self.clock.seed} at {self.clock.timestamp()}: {repositories}; {clusters}>"
        )

    def cluster(self, name: str = "default", *, nodes: int | None = None) -> ClusterHandle:
        """Return the cluster of that name; it comes to be when first asked for.

        Args:
            name: A DNS label.
            nodes: How many nodes it is made with; None: three, or what it was made with.

        Raises:
            LabError: A new one cannot have that name or that many nodes, or there is one that was
                made with another number of nodes.
        """
        if name not in self._handles:
            wanted = NODES if nodes is None else nodes
            arguments.valid_cluster(name, wanted)
            self._add_cluster(name, wanted)
        handle = self._handles[name]
        arguments.same_nodes(name, nodes, len([*handle.simulated.machines]))
        return handle

    @outside
    def _add_cluster(self, name: str, nodes: int) -> None:
        cluster = SimulatedCluster(
            name, self.clock, self.journal, self._door, self.registry, nodes=nodes
        )
        cluster.faults.offer("registry_down", self.registry.take_down)
        self._handles[name] = ClusterHandle(cluster, self._parts)

        def front() -> object:
            from gitops_sim.server import Front  # as above: only when it is needed

            return Front(cluster.server, self._door, logs=cluster.logs)

        self._door.register_maker(f"server/{name}", front)

    def run(
        self,
        duration: str | None = None,
        *,
        until: str | Callable[[], bool] | None = None,
        timeout: str = "24h",
        speed: float | None = None,
    ) -> Ran:
        """Let virtual time pass.

        Args:
            duration: How long, such as `10m`.
            until: Instead: a moment (`10:32`, `+90s` after the epoch, RFC 3339), or a function
                that is asked whenever something has happened, and at least at each event after a
                second, and stops the run when it returns True.
            timeout: How long to wait for that function.
            speed: Virtual seconds per second of the wall clock, for projectors; None: at once.

        Returns:
            How it went: true, unless the function never returned True.

        Raises:
            LabError: Neither or both of duration and until were given, the moment is past, or
                the speed is no number above 0.
        """
        if (duration is None) == (until is None):
            raise LabError(
                "run needs either how long or until when",
                'write lab.run("10m") or lab.run(until="10:32")',
            )
        if speed is not None:
            arguments.check_speed(speed)
        start, entry = self.clock.now(), len(self.journal)
        reached = True
        with self._door.running():
            if callable(until):
                reached = self._run_until(until, parse_duration(timeout), speed)
            else:
                end = (
                    self.clock.coming_time(until)
                    if until is not None
                    else start + parse_duration(duration or "")
                )
                self._run_to(end, speed)
        told = summarise(self.journal, entry, last_told=self._told)
        self._told = len(self.journal)
        now = self.clock.timestamp()[11:19]
        return Ran(reached, self.clock.now() - start, now, told)

    def _run_to(self, end: float, speed: float | None) -> None:
        if speed is None:
            self.clock.run(end)
        else:
            wall, sleep = saving.wall_clock()
            pace(self.clock, end, speed=speed, wall=wall, sleep=sleep)

    def _run_until(self, wanted: Callable[[], bool], timeout: float, speed: float | None) -> bool:
        holds = self._asked_on_news(wanted)
        if speed is None:
            return self.clock.run_until(holds, timeout)
        deadline = self.clock.now() + timeout
        while not holds():
            if self.clock.now() >= deadline:
                return False
            self._run_to(min(deadline, max(self.clock.next_event(), self.clock.now())), speed)
        return True

    def _asked_on_news(self, wanted: Callable[[], bool]) -> Callable[[], bool]:
        """Return the condition, asked when the journal has grown or a second has passed."""
        last_length, last_time = -1, 0.0

        def holds() -> bool:
            nonlocal last_length, last_time
            length, now = len(self.journal), self.clock.now()
            if length == last_length and now - last_time < 1.0:
                return False
            last_length, last_time = length, now
            return wanted()

        return holds

    def at(self, moment: str) -> Moment:
        """Return the lab as it was: `10:32`, `+90s` after the epoch, or RFC 3339.

        Raises:
            LabError: It is no moment, or not yet past.
        """
        seconds = self.clock.parse_time(moment)
        if not 0 <= seconds <= self.clock.now():
            raise LabError(
                f"{moment}: nothing is known of that moment: it is {self.clock.timestamp()} now",
                f"choose a moment from {self.clock.timestamp(0.0)} on",
            )
        return Moment(self._handles, self.clock, seconds)

    @overload
    def compare(
        self, cluster: ClusterHandle | str, *, since: str | None = None, other: None = None
    ) -> Comparison: ...

    @overload
    def compare(
        self, cluster: ClusterHandle | str, *, since: str | None = None, other: Lab
    ) -> WhatIf: ...

    def compare(
        self, cluster: ClusterHandle | str, *, since: str | None = None, other: Lab | None = None
    ) -> Comparison | WhatIf:
        """Return desired and actual state side by side: a picture with its history.

        Args:
            cluster: Whose.
            since: How far the history goes back, such as `1h`; None: to the beginning.
            other: A lab, such as a fork of this one in which something was done otherwise: then
                the picture lays the histories of both over one another, up to where both have
                come.

        Raises:
            LabError: There is no such cluster in this lab, or not in the other.
        """
        if other is not None and not isinstance(other, Lab):
            raise LabError(f"{other!r} is no lab", "compare with a fork: other=lab.fork()")
        handle = arguments.known_cluster(cluster, self._handles)
        end = self.clock.now() if other is None else min(self.clock.now(), other.clock.now())
        start = 0.0 if since is None else max(0.0, end - parse_duration(since))
        here = handle.compared(start=start, end=end)
        if other is None:
            return here
        there = other._handles.get(handle.name)  # noqa: SLF001 - another lab
        if there is None:
            told = f"{other!r} has no cluster {handle.name!r}"
            raise LabError(told, "compare with a fork of this lab")
        branches = (
            Branch("this lab", here, self.journal),
            Branch("the other lab", there.compared(start=start, end=end), other.journal),
        )
        return WhatIf(handle.name, branches, self.clock, start=start, end=end)

    def check(self, exercise: str, *, answer: Any = None) -> CheckResult:
        """Judge an exercise, such as `E00.1`, on this lab: it looks, and changes nothing.

        Args:
            exercise: Its name.
            answer: What the exercise asks you to hand in, a value or a function, if it does.

        Returns:
            What was expected, what was found, and where to look first; `.hint()` says more.
        """
        return self._checks.check(exercise, answer=answer)

    def serve(self, *, speed: float = 1.0, port: int = 0) -> Serving:
        """Serve all clusters and the forge on loopback: `!kubectl` and `!git` reach them now.

        Args:
            speed: Virtual seconds per wall second while it is served; 0: only `run` moves time.
            port: Of the first cluster; 0 takes a free one.

        Returns:
            What to stop; the environment of this process points to the lab until then.

        Raises:
            LabError: There is no cluster yet, or no such speed or port.
        """
        arguments.check_serving(speed, port)
        from gitops_sim.lab.serving import serve  # threads and sockets come in only here

        if self._serving is not None:
            self._serving.stop()
        clusters = {name: handle.simulated for name, handle in self._handles.items()}
        self._serving = serve(clusters, self._parts, speed=speed, port=port)
        return self._serving

    def save(self, path: str | Path) -> None:
        """Write seed, version, all outside inputs and what was solved to a file for `load`.

        Raises:
            LabError: It cannot be written, or something was interrupted where nobody knows what
                it had done.
        """
        begins, done = self.clock.timestamp(0.0), self._checks.recorded()
        saved = saving.Saved(self.clock.seed, begins, self._door.log(), progress=done)
        saving.save(Path(path), saved)

    @classmethod
    def load(cls, path: str | Path, *, functions_of: Sequence[str] = ()) -> Lab:
        """Return the lab that was saved, by doing again what was done to it.

        Args:
            path: What `save` wrote.
            functions_of: Packages or modules whose functions the file may name, beside the lab's
                own and those of this notebook: a file from somebody else must not run what it
                likes.

        Raises:
            InputError: The file is none of `save`, or of another version.
            LabError: What it holds cannot be done again.
        """
        saved = saving.load(Path(path))
        lab = cls(saved.seed, epoch=saved.epoch)
        try:
            lab._door.replay(saved.inputs, functions_of=("gitops_sim", "__main__", *functions_of))
        except GitOpsSimError:
            raise
        except Exception as error:  # a file that somebody wrote by hand: anything can come
            told = f"{path} cannot be done again: {type(error).__name__}: {error}"
            raise LabError(told, "load it with the version that saved it") from error
        lab._told = len(lab.journal)
        lab._checks.restore(saved.progress)
        return lab

    def fork(self, *, at: str | None = None) -> Lab:
        """Return a second lab with the same history, to try a what-if in.

        Args:
            at: Branch off at that earlier moment; None: now.
        """
        epoch = self.clock.timestamp(0.0)
        branch = type(self)(self.clock.seed, epoch=epoch, shuffle=self._shuffle)
        door = branch._door  # noqa: SLF001 - another lab, made here
        moment = self.clock.now() if at is None else self.at(at).seconds
        inputs = self._door.inputs
        door.replay(inputs if at is None else saving.before(inputs, moment))
        if branch.clock.now() < moment:
            with door.running():
                branch.clock.run(moment)
        branch._told = len(branch.journal)  # noqa: SLF001 - as above
        return branch

    def _tell_step(self, job: str, step: Step, _: float, charged: float) -> None:
        if step.takes + charged:
            self.journal.record(
                facts.StepTaken(job, step.name, step.subject, round(step.takes + charged, 6))
            )

    def _repr_pretty_(self, printer: Any, _: bool) -> None:  # noqa: FBT001 - IPython's protocol
        printer.text(repr(self))

"""E03.3 and E03.4: the learner as a client of one API server that does not make it easy.

The worlds are small: an API server without controllers, and someone else who writes to it too.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from types import GeneratorType
from typing import Any

from gitops_sim.apiserver import ApiServer, InProcessClient, new_server
from gitops_sim.clock import VirtualClock
from gitops_sim.errors import ApiError, ConflictError, ExpiredError, LabError
from gitops_sim.exercises.answers import Patience, called, name_of
from gitops_sim.exercises.results import Verdict
from gitops_sim.exercises.view import LabView
from gitops_sim.journal import Journal
from gitops_sim.types import Manifest, WatchEvent

__all__ = ["both_increments", "same_after_gone"]

SEEDS = (1, 2, 3)
CONFIG_MAP, NAMESPACE = "v1/ConfigMap", "default"
ROUNDS, EXPIRIES = 40, 10
RACES, MOST_REQUESTS = 100, 50
COUNTER = "counter"
FOLLOWED = f"a cache that is what the cluster is, after {EXPIRIES} times 410 Gone"
COUNTED = f"in {RACES} races of two writers every increment counts"
_ENDED = object()


def _server(seed: int) -> ApiServer:
    clock = VirtualClock(seed)
    return new_server(clock, Journal(clock))


def _config_map(name: str, data: dict[str, str]) -> Manifest:
    metadata = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


class OrdersApi:
    """What `follow` is given: the orders, ConfigMaps in one namespace.

    Args:
        server: Has them.
    """

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self._client = InProcessClient(server, "lesson")
        self.patience = Patience(MOST_REQUESTS)
        self.lists = 0
        self.from_zero = 0

    def list(self) -> tuple[Sequence[Manifest], str]:
        """Return all orders there are, and the resourceVersion of the whole list."""
        self.patience.ask()
        self.lists += 1
        return self._client.list(CONFIG_MAP, NAMESPACE), str(self._server.store.revision)

    def watch(self, since: str) -> Sequence[WatchEvent]:
        """Return what happened after a resourceVersion, oldest first: type, object, version.

        Raises:
            ExpiredError: 410 Gone: the server has forgotten what was before a later version.
        """
        self.patience.ask()
        start = None if since in ("", "0") else since
        self.from_zero += start is None
        watch = self._client.watch(CONFIG_MAP, NAMESPACE, since=start)
        events = watch.drain()
        watch.close()
        return events


def same_after_gone(view: LabView) -> Verdict:
    """E03.3: the cache of `follow` ends as the cluster, though watches expired ten times."""
    follow = view.answer
    if not callable(follow):
        hand_in = 'hand it in: `lab.check("E03.3", answer=follow)`, without brackets'
        return _not_followed("no function", hand_in)
    for seed in SEEDS:
        verdict = _Follower(seed).try_out(follow)
        if not verdict.passed:
            return verdict
    found = f"the same orders in cache and cluster, with {len(SEEDS)} seeds"
    return Verdict(passed=True, expected=FOLLOWED, found=found)


def _not_followed(found: str, look_here: str, mistake: str = "") -> Verdict:
    return Verdict(
        passed=False, expected=FOLLOWED, found=found, look_here=look_here, mistake=mistake
    )


class _Follower:
    """A cluster in which orders come and go, and one learner's function that follows them."""

    def __init__(self, seed: int) -> None:
        self._server = _server(seed)
        self._client = InProcessClient(self._server, "shop")
        self._random = VirtualClock(seed).random("orders")
        self._api = OrdersApi(self._server)
        self._made = 0
        self._gone_in = set(self._random.sample(range(1, ROUNDS), EXPIRIES))

    def try_out(self, follow: Callable[..., Any]) -> Verdict:
        """Return whether the cache is right after every round."""
        cache: dict[str, Manifest] = {}
        self._change(4)
        expired = 0
        try:
            job = self._started(follow, cache)
            for number in range(ROUNDS):
                self._change(self._random.randint(2, 4))
                if number in self._gone_in:
                    self._server.store.compact(self._server.store.revision)
                    expired += 1
                self._api.patience.begin()
                if called(next, job, _ENDED, within=follow) is _ENDED:
                    return _not_followed(
                        f"`{name_of(follow)}` returned", "`while True:` around the watch"
                    )
                if (verdict := self._compared(cache, expired)) is not None:
                    return verdict
        except ExpiredError as gone:
            return _not_followed(
                f"410 Gone, and nobody caught it: {gone}",
                "`except ExpiredError:` around the watch",
            )
        except ApiError as refused:
            return _not_followed(str(refused), "which resourceVersion did you watch from?")
        except LabError as error:
            return _not_followed(error.problem, error.next_step)
        return Verdict(passed=True, expected=FOLLOWED, found="")

    def _started(
        self, follow: Callable[..., Any], cache: dict[str, Manifest]
    ) -> Generator[Any, Any, Any]:
        job = called(follow, self._api, cache)
        if not isinstance(job, GeneratorType):
            raise LabError(
                f"`{name_of(follow)}` returned {job!r} instead of waiting for more",
                "keep the `yield` of the starter: it waits until something happens",
            )
        called(next, job, _ENDED, within=follow)
        return job

    def _change(self, times: int) -> None:
        for _ in range(times):
            names = [
                found["metadata"]["name"] for found in self._client.list(CONFIG_MAP, NAMESPACE)
            ]
            deed = self._random.choice(("order", "order", "change", "drop"))
            if deed == "order" or len(names) < 2:
                self._made += 1
                self._client.create(_config_map(f"order-{self._made}", {"dish": "soup"}))
                continue
            name = self._random.choice(names)
            if deed == "drop":
                self._client.delete(CONFIG_MAP, name, NAMESPACE)
            else:
                dish = {"dish": f"dish {self._random.randint(1, 99)}"}
                self._client.patch(CONFIG_MAP, name, {"data": dish}, NAMESPACE)

    def _orders(self) -> dict[str, Manifest]:
        found = self._client.list(CONFIG_MAP, NAMESPACE)
        return {order["metadata"]["name"]: order for order in found}

    def _compared(self, cache: dict[str, Manifest], expired: int) -> Verdict | None:
        """Return what differs between cache and cluster; None if nothing does."""
        there = {
            found["metadata"]["name"]: found for found in self._client.list(CONFIG_MAP, NAMESPACE)
        }
        ghosts = sorted(cache.keys() - there.keys())
        unseen = sorted(
            name
            for name, found in there.items()
            if (cache.get(name) or {}).get("data") != found["data"]
        )
        if not ghosts and not unseen:
            return None
        when = f"after 410 Gone number {expired}" if expired else "before any 410 Gone"
        look_here = "the cache right after a 410: what is in it that the list has not?"
        if self._api.from_zero and expired:
            found = f"{when}: you watched from version 0, and {_differs(ghosts, unseen)}"
            return _not_followed(found, look_here, "from-zero")
        mistake = ""
        if expired and self._api.lists > 1:
            mistake = "ghosts" if ghosts and not unseen else "skipped"
        return _not_followed(f"{when}: {_differs(ghosts, unseen)}", look_here, mistake)


def _differs(ghosts: list[str], unseen: list[str]) -> str:
    told = []
    if ghosts:
        told.append(f"the cache has {', '.join(ghosts[:3])}, the cluster has not")
    if unseen:
        told.append(f"the cache has an old {', '.join(unseen[:3])}, or none")
    return "; ".join(told)


class RacedApi:
    """What `increment` is given: a client whose owner is never alone.

    After a `get` someone else increments the counter too: always after the first one of a race,
    sometimes after later ones.
    """

    def __init__(self, server: ApiServer, seed: int) -> None:
        self._client = InProcessClient(server, "you")
        self._other = InProcessClient(server, "someone-else")
        self._random = VirtualClock(seed).random("race")
        self._patience = Patience(MOST_REQUESTS)
        self.begin()

    def begin(self) -> None:
        """Begin a race: what is counted is of one race."""
        self._patience.begin()
        self.rivals = self._gets = 0
        self.tried = self.stored = 0

    def get(self, kind: str, name: str, namespace: str | None = None) -> Manifest:
        """Return one object; someone may change it as soon as you have it."""
        self._patience.ask()
        found = self._client.get(kind, name, namespace)
        self._gets += 1
        if self._gets == 1 or (self.rivals < 4 and self._random.random() < 0.4):
            counter = self._other.get(CONFIG_MAP, COUNTER)
            counter["data"]["count"] = str(int(counter["data"]["count"]) + 1)
            self._other.update(counter)
            self.rivals += 1
        return found

    def update(self, manifest: Manifest) -> Manifest:
        """Replace an object; ConflictError (409) when its resourceVersion is not the newest."""
        return self._written(lambda: self._client.update(manifest))

    def patch(
        self, kind: str, name: str, patch: Any, namespace: str | None = None, **options: Any
    ) -> Manifest:
        """Change an object by a patch, as `cluster.patch` does."""
        return self._written(lambda: self._client.patch(kind, name, patch, namespace, **options))

    def apply(self, manifest: Manifest, *, field_manager: str, force: bool = False) -> Manifest:
        """Server-side apply, as `cluster.apply` does."""
        return self._written(
            lambda: self._client.apply(manifest, field_manager=field_manager, force=force)
        )

    def _written(self, write: Callable[[], Manifest]) -> Manifest:
        self._patience.ask()
        self.tried += 1
        stored = write()
        self.stored += 1
        return stored


def both_increments(view: LabView) -> Verdict:
    """E03.4: of 100 races of two writers none loses an increment."""
    increment = view.answer
    if not callable(increment):
        hand_in = 'hand it in: `lab.check("E03.4", answer=increment)`, without brackets'
        return _not_counted("no function", hand_in)
    rivals = 0
    worlds = [_race_track(seed) for seed in SEEDS]
    for number in range(RACES):
        client, api = worlds[number % len(worlds)]
        if (verdict := _race(increment, client, api, number + 1)) is not None:
            return verdict
        rivals += api.rivals
    found = f"{RACES} of yours and {rivals} of someone else's, and the counter has them all"
    return Verdict(passed=True, expected=COUNTED, found=found)


def _not_counted(found: str, look_here: str, mistake: str = "") -> Verdict:
    return Verdict(
        passed=False, expected=COUNTED, found=found, look_here=look_here, mistake=mistake
    )


def _race_track(seed: int) -> tuple[InProcessClient, RacedApi]:
    server = _server(seed)
    client = InProcessClient(server, "referee")
    client.create(_config_map(COUNTER, {"count": "0"}))
    return client, RacedApi(server, seed)


def _race(
    increment: Callable[..., Any], client: InProcessClient, api: RacedApi, number: int
) -> Verdict | None:
    """Let the function increment the counter once; return what went wrong, or None."""
    before = _count(client)
    api.begin()
    try:
        called(increment, api)
    except ConflictError as conflict:
        again = api.tried > 1
        return _not_counted(
            f"race {number}: 409 Conflict{', again' if again else ''}: {conflict}",
            "`except ConflictError:`, and what then?",
            "tried-again-once" if again else "",
        )
    except ApiError as refused:
        return _not_counted(f"race {number}: {refused}", "the request that was refused")
    except LabError as error:
        return _not_counted(f"race {number}: {error.problem}", error.next_step)
    after = _count(client)
    if after == before + api.rivals + 1:
        return None
    found = (
        f"race {number}: from {before}, with 1 of yours and {api.rivals} of someone else's, the "
        f"counter came to {after}"
    )
    if after > before + api.rivals + 1:
        return _not_counted(found, "how often did you write?")
    if not api.stored:
        return _not_counted(found, "the write that was refused", "gave-up")
    return _not_counted(found, "`resourceVersion` in what you write", "forced")


def _count(client: InProcessClient) -> int:
    text = str(client.get(CONFIG_MAP, COUNTER)["data"].get("count"))
    if not text.isdigit():
        raise LabError(f"the counter is now {text!r}", "write a number, as text")
    return int(text)

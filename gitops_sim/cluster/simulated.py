"""A simulated cluster: an API server, controllers, a scheduler, kubelets and machines.

A write from outside goes through the lab's door into the store; controllers see it by their
watches and write themselves; the kubelets move what runs on the machines. `kill` and `start` crash
any controller and bring it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gitops_sim.apiserver import InProcessClient, new_server
from gitops_sim.apiserver.webhook_backends import WebhookFunction
from gitops_sim.clock import Account
from gitops_sim.clock.door import Door, outside
from gitops_sim.cluster.api_gate import ApiGate, GatedAccount, GatedCaches, GatedClient
from gitops_sim.cluster.assembly import (
    make_controllers,
    make_provider,
    make_users,
    register_nodes,
)
from gitops_sim.cluster.faults import Faults
from gitops_sim.cluster.housekeeping import STANDARD_CLASS
from gitops_sim.cluster.network.demand import Traffic
from gitops_sim.cluster.nodes.kwok import no_kubelet
from gitops_sim.cluster.nodes.logs import pod_log
from gitops_sim.cluster.nodes.machines import Machines
from gitops_sim.errors import LabError
from gitops_sim.journal import Journal
from gitops_sim.journal.facts import FaultEnded, FaultStarted
from gitops_sim.protocols import Clock, ImageSource, PatchType, Propagation, Watch
from gitops_sim.runtime import Controller, Request, SharedCaches
from gitops_sim.types import Manifest

__all__ = ["SimulatedCluster"]

_PERSON = "kubectl-edit"
"""Field manager of writes from outside that name none."""


class SimulatedCluster:
    """One cluster; a `gitops_sim.protocols.Cluster` for whoever is outside of it.

    Args:
        name: As facts name it.
        clock: Whose time it is.
        journal: Is told everything.
        door: Through which writes from outside come; None: they are not logged.
        images: Where kubelets pull from.
        nodes: How many.
        controllers: False: an API server and nodes alone.
        provider: Whether there is a simulated provider, of disks (the StorageClass `standard`)
            and of load balancers.
        kwok: True: nodes as KWOK fakes them, where pods run at once; images play no part.

    Attributes:
        server: The API server.
        gate: What all clients of the server pass through.
        machines: What the nodes run on.
        traffic: Who uses what runs here: `traffic.set_users("Service/shop/web", 200)`.
        controllers: By name: `deployment-controller`, `kube-scheduler`, `kubelet`, …
        faults: What can be broken on purpose: `faults.api_down("5m")`.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        journal: Journal,
        door: Door | None,
        images: ImageSource,
        *,
        nodes: int = 3,
        controllers: bool = True,
        provider: bool = True,
        kwok: bool = False,
    ) -> None:
        self.name = name
        self.clock = clock
        self.journal = journal
        self.door = self._door = door
        self._address = f"cluster/{name}"
        self.server = new_server(clock, journal, name=name)
        if door is not None:
            self.server.webhooks.ask = door.ask
        self.gate = ApiGate()
        self.machines = Machines(clock, nodes)
        self._kwok = kwok
        self.traffic = Traffic(name, clock, self.machines, door)
        self.controllers: dict[str, Controller] = {}
        self._reader = InProcessClient(self.server, _PERSON)
        self._caches = SharedCaches(self._reader, clock)
        register_nodes(self, kwok=kwok)
        self._users = make_users(self, name)
        if controllers:
            self.controllers = make_controllers(self, None if kwok else images)
            if provider:
                self._reader.create(STANDARD_CLASS)
                self.controllers |= make_provider(self)
            for controller in (*self.controllers.values(), self._users):
                controller.start()
        self.machines.on_change.append(self._look_again)
        self.traffic.on_change.append(self._look_at_users)
        self.faults = Faults(self)
        if door is not None:
            door.register(self._address, self)

    def client(
        self,
        name: str,
        *,
        component: str = "",
        qps: float = 0.0,
        burst: int = 0,
        latency: float = 0.0,
        shares: bool = False,
    ) -> InProcessClient:
        """Return a client for something inside the lab; what it asks is charged to its account.

        Args:
            name: Default field manager of its writes.
            component: Who asks, for faults of one component; empty means `name`.
            qps: Requests per second that its limiter allows; 0: no limit.
            burst: Requests at once before the limit bites.
            latency: Seconds that each request takes.
            shares: What it gets is shared and to be read only, as what caches hand out.
        """
        paying = Account(self.clock, name, qps=qps, burst=burst, latency=latency)
        account, component = GatedAccount(self.gate, paying), component or name
        caches = GatedCaches(self._caches, self.gate, account=account, component=component)
        return GatedClient(
            self.server,
            name,
            self.gate,
            caches=caches,
            account=account,
            component=component,
            shares=shares,
        )

    # What looks.

    def get(
        self, kind: str, name: str, namespace: str | None = None, *, at: str | None = None
    ) -> Manifest:
        """Return one object."""
        return self._reader.get(kind, name, namespace, at=at)

    def list(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        at: str | None = None,
    ) -> Sequence[Manifest]:
        """Return objects, ordered by namespace and name."""
        return self._reader.list(kind, namespace, labels=labels, fields=fields, at=at)

    def watch(
        self,
        kind: str,
        namespace: str | None = None,
        *,
        since: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
    ) -> Watch:
        """Watch from a resourceVersion, or from the present objects on."""
        return self._reader.watch(kind, namespace, since=since, labels=labels, fields=fields)

    def discover(self) -> Sequence[Mapping[str, Any]]:
        """Return the kinds served."""
        return self._reader.discover()

    def logs(
        self, pod: str, namespace: str = "default", *, container: str = "", previous: bool = False
    ) -> str:
        """Return what a container of a pod has printed, as `kubectl logs` does.

        Args:
            pod: Its name.
            namespace: Its namespace.
            container: Which; empty: the first.
            previous: Of the run before the last restart.

        Raises:
            BadRequestError: It has not started, or there is no such container.
            UnknownError: Its node is faked: there is nobody to ask.
        """
        found = self.get("v1/Pod", pod, namespace)
        if self._kwok:
            raise no_kubelet(found, container)
        return pod_log(
            found,
            self.machines,
            container=container,
            previous=previous,
        )

    # What changes something, from outside.

    @outside
    def create(
        self, manifest: Manifest, *, field_manager: str = "", dry_run: bool = False
    ) -> Manifest:
        """Store a new object."""
        return self._reader.create(manifest, field_manager=field_manager, dry_run=dry_run)

    @outside
    def update(
        self,
        manifest: Manifest,
        *,
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        """Replace an object."""
        return self._reader.update(
            manifest, subresource=subresource, field_manager=field_manager, dry_run=dry_run
        )

    @outside
    def patch(
        self,
        kind: str,
        name: str,
        patch: Any,
        namespace: str | None = None,
        *,
        type: PatchType = "merge",  # noqa: A002 - the API's word
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        """Change an object by a patch."""
        return self._reader.patch(
            kind,
            name,
            patch,
            namespace,
            type=type,
            subresource=subresource,
            field_manager=field_manager,
            dry_run=dry_run,
        )

    @outside
    def apply(
        self,
        manifest: Manifest,
        *,
        field_manager: str,
        force: bool = False,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Manifest:
        """Server-side apply."""
        return self._reader.apply(
            manifest,
            field_manager=field_manager,
            force=force,
            subresource=subresource,
            dry_run=dry_run,
        )

    @outside
    def delete(
        self,
        kind: str,
        name: str,
        namespace: str | None = None,
        *,
        propagation: Propagation = "Background",
        resource_version: str | None = None,
        uid: str | None = None,
        grace_period: int | None = None,
        dry_run: bool = False,
    ) -> Manifest:
        """Delete an object, or mark it as deleting."""
        return self._reader.delete(
            kind,
            name,
            namespace,
            propagation=propagation,
            resource_version=resource_version,
            uid=uid,
            grace_period=grace_period,
            dry_run=dry_run,
        )

    @outside
    def webhook(self, address: str, function: WebhookFunction | None) -> None:
        """Let a function answer a webhook, in the place of a server in the cluster.

        Configurations (of admission, or of a definition's conversion) name it by URL or Service. It
        gets the whole review and a client of this cluster, and returns the whole review with its
        response.

        Args:
            address: The `clientConfig.url`, or `<service>.<namespace>/<path>`.
            function: Of a module, so that a saved lab finds it; the same question must get the
                same answer. None: nothing answers there any more.
        """
        functions = self.server.webhooks.functions
        functions.pop(address.removesuffix("/"), None)
        if function is not None:
            functions[address.removesuffix("/")] = function

    # Crashes and faults.

    @outside
    def kill(self, controller: str) -> None:
        """Crash a controller at this moment; it comes back by `start`. Nothing if it is down."""
        found = self._controller(controller)
        if found.alive:
            found.kill()
            fact = FaultStarted("controller down", self._told(controller), "it crashed")
            self.journal.record(fact)

    @outside
    def start(self, controller: str) -> None:
        """Start a controller that was killed; nothing if it runs."""
        found = self._controller(controller)
        if not found.alive:
            found.start()
            self.journal.record(FaultEnded("controller down", self._told(controller), "it runs"))

    @outside
    def node_down(self, node: str) -> None:
        """Cut a node's power: what runs on it is gone at once, and the cluster finds out later."""
        if self.machines.known(node).down_since is None:
            self.machines.take_down(node)
            self.journal.record(FaultStarted("node down", self._told(node), "nothing runs on it"))

    @outside
    def node_up(self, node: str) -> None:
        """Start a node again."""
        if self.machines.known(node).down_since is not None:
            self.machines.bring_back(node)
            self.journal.record(FaultEnded("node down", self._told(node), "it runs again"))

    def _told(self, what: str) -> str:
        return f"{self.name}/{what}"

    def _controller(self, name: str) -> Controller:
        found = self.controllers.get(name)
        if found is None:
            known = ", ".join(sorted(self.controllers)) or "none"
            raise LabError(f"{self.name} has no controller {name!r}", f"choose from: {known}")
        return found

    def _look_at_users(self, namespace: str | None) -> None:
        for service in self._reader.list("v1/Service", namespace):
            metadata = service["metadata"]
            self._users.enqueue(Request(metadata["namespace"], metadata["name"]))

    def _look_again(self, node: str) -> None:
        """Let those look at a machine that changed who cannot see it in the API."""
        self._look_at_users(None)
        for name in ("kubelet", "node-lifecycle-controller"):
            if name in self.controllers:
                self.controllers[name].enqueue(Request("", node))
        for pod in self._reader.list("v1/Pod", fields=f"spec.nodeName={node}"):
            request = Request(pod["metadata"]["namespace"], pod["metadata"]["name"])
            if "kubelet" in self.controllers:
                self.controllers["kubelet"].enqueue(request)

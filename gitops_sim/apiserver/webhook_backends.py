"""What answers webhooks: functions that stand for servers in the cluster, or HTTPS servers outside.

A configuration names a URL or a Service. A function registered under that address is asked first;
any other URL is left to whoever serves the lab, as the core opens no sockets. While a webhook is
asked, nobody waits for the lab's lock, and what it writes is admitted as any other write.

Source: k8s.io/apiserver, pkg/util/webhook (client.go, error.go).
Differs: an answer takes no virtual time; a Service is reached when a function stands for it, with
or without pods behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol, TypeAlias

from gitops_sim.apimachinery.copying import fresh_copy
from gitops_sim.apiserver.store import Kind, Store
from gitops_sim.protocols import Cluster
from gitops_sim.types import Manifest

__all__ = ["OutsideCall", "WebhookBackends", "WebhookCallError", "WebhookFunction"]

WebhookFunction: TypeAlias = Callable[[Manifest, Cluster], Manifest]
"""From a review (AdmissionReview, ConversionReview) and a client of the cluster to a review."""

_SERVICES = Kind("", "Service")
_CONFIGURATIONS = (
    Kind("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    Kind("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
)
_DEEPEST = 10
_DEPTH: ContextVar[int] = ContextVar("webhooks that wait for each other", default=0)


class WebhookCallError(Exception):
    """A webhook could not be asked; the text is the API server's."""


class OutsideCall(Protocol):
    """Asks an HTTPS server outside of the lab."""

    def __call__(
        self, url: str, review: Manifest, *, ca_bundle: str, seconds: float
    ) -> dict[str, Any]:
        """Return `{"body": …}` with the JSON it answers, or `{"error": text}`."""


class Ask(Protocol):
    """Lets go of the lab's lock and asks; see `Door.ask`."""

    def __call__(self, call: Callable[[], Any], *, repeats: bool = False) -> Any:
        """Return what the call returns, or returned before a replay."""


def _ask_at_once(call: Callable[[], Any], *, repeats: bool = False) -> Any:
    del repeats
    return call()


class WebhookBackends:
    """Who answers the webhooks of one server.

    Args:
        store: Has the Services that a webhook may be behind.

    Attributes:
        make_client: Gives the client of the function at an address.
        functions: By address: a URL, or `<service>.<namespace>/<path>`, without a slash at the end.
        outside: Asks other URLs; None while the lab is not served.
        ask: How to ask without holding up others.
        converters: The `spec.conversion.webhook` of kinds whose versions a webhook converts.
    """

    make_client: Callable[[str], Cluster]

    def __init__(self, store: Store) -> None:
        self.functions: dict[str, WebhookFunction] = {}
        self.outside: OutsideCall | None = None
        self.ask: Ask = _ask_at_once
        self.converters: dict[Kind, Manifest] = {}
        self._store = store

    @property
    def are_there(self) -> bool:
        """True when a request may have to wait for a webhook."""
        return bool(self.converters) or any(map(self._store.objects, _CONFIGURATIONS))

    def call(self, config: Manifest, review: Manifest, seconds: int) -> Any:
        """Return the JSON that the server of a `clientConfig` answers to a review.

        Raises:
            WebhookCallError: It cannot be reached, takes too long, or fails.
        """
        address, url = _places(config)
        url = f"{url}{'&' if '?' in url else '?'}timeout={seconds}s"
        function = self.functions.get(address)
        told = fresh_copy(review)
        if function is None and not config.get("url"):
            raise WebhookCallError(f'Post "{url}": {self._unreachable(config)}')
        depth = _DEPTH.get()
        if depth >= _DEEPEST:  # a webhook that calls itself waits until the outermost gives up
            raise WebhookCallError(f'Post "{url}": context deadline exceeded')
        token = _DEPTH.set(depth + 1)
        try:
            if function is not None:
                client, asked = self.make_client(address), function
                answer = self.ask(lambda: _answer(asked, told, client), repeats=True)
            else:
                answer = self.ask(lambda: self._call_outside(config, url, told, seconds))
        finally:
            _DEPTH.reset(token)
        if "error" in answer:
            raise WebhookCallError(answer["error"])
        return answer["body"]

    def _call_outside(
        self, config: Manifest, url: str, review: Manifest, seconds: int
    ) -> dict[str, Any]:
        outside = self.outside
        if outside is None:  # a replay does not come here: it has the answer
            return {"error": f'Post "{url}": {self._unreachable(config)}'}
        return outside(url, review, ca_bundle=config.get("caBundle") or "", seconds=seconds)

    def _unreachable(self, config: Manifest) -> str:
        service = config.get("service")
        if not service:
            host = config["url"].removeprefix("https://").partition("/")[0].partition(":")[0]
            return f"dial tcp: lookup {host}: no such host"
        name = service["name"]
        if self._store.get(_SERVICES, service["namespace"], name) is None:
            return f'service "{name}" not found'
        return f'no endpoints available for service "{name}"'


def _answer(function: WebhookFunction, review: Manifest, client: Cluster) -> dict[str, Any]:
    try:
        return {"body": function(review, client)}
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        return {
            "error": f'an error on the server ("{told}") has prevented the request from succeeding'
        }


def _places(config: Manifest) -> tuple[str, str]:
    """Return the address under which a function is looked up, and the URL that is called."""
    if config.get("url"):
        return config["url"].removesuffix("/"), config["url"]
    service = config["service"]
    name, namespace = service["name"], service["namespace"]
    path = (service.get("path") or "").removesuffix("/")
    url = f"https://{name}.{namespace}.svc:{service.get('port', 443)}{path}"
    return f"{name}.{namespace}{path}", url

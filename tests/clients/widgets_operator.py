"""An operator as people write them with kopf; a test runs it as `kopf run` does."""

from __future__ import annotations

import asyncio
from typing import Any

import kopf


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.posting.loggers = True
    settings.persistence.finalizer = "example.com/widgets"


@kopf.on.create("example.com", "v1", "widgets")
async def create(
    spec: kopf.Spec, name: str, namespace: str, patch: kopf.Patch, **_: Any
) -> dict[str, Any]:
    patch.status["phase"] = "Made"
    return {"size": spec["size"]}


@kopf.on.update("example.com", "v1", "widgets", field="spec.size")
def resized(old: int, new: int, patch: kopf.Patch, **_: Any) -> None:
    if new > 50:
        raise kopf.PermanentError("too large")
    patch.status["resized"] = f"{old} to {new}"


@kopf.on.create("example.com", "v1", "widgets", id="later", retries=5, backoff=0.1)
def needs_two_tries(retry: int, patch: kopf.Patch, **_: Any) -> None:
    if retry < 1:
        raise kopf.TemporaryError("not yet", delay=0.1)
    patch.status["tries"] = retry + 1


@kopf.timer("example.com", "v1", "widgets", interval=0.2)
def tick(status: kopf.Status, patch: kopf.Patch, **_: Any) -> None:
    patch.status["ticks"] = min(status.get("ticks", 0) + 1, 3)


@kopf.daemon("example.com", "v1", "widgets", cancellation_timeout=1.0)
async def guard(stopped: kopf.DaemonStopped, name: str, logger: kopf.Logger, **_: Any) -> None:
    logger.info("guards %s", name)
    while not stopped:
        await stopped.wait(10)
    logger.info("guards %s no more", name)


@kopf.on.delete("example.com", "v1", "widgets")
async def deleted(name: str, logger: kopf.Logger, **_: Any) -> None:
    await asyncio.sleep(0)
    logger.info("cleaned up after %s", name)

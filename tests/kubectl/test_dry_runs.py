"""A dry run says what would be done, and does nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

NEW = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new"}, "data": {"a": "1"}}
OLD = NEW | {"metadata": {"name": "old"}}


@pytest.mark.parametrize("dry_run", ["client", "server"])
@pytest.mark.parametrize(
    "command",
    [
        "annotate deploy/web a=b",
        "apply -f new.yaml",
        "apply -f old.yaml",
        "create -f new.yaml",
        "create configmap other",
        "create deployment other --image=x",
        "delete deploy/web",
        "label deploy/web a=b",
        'patch deploy/web -p \'{"spec":{"replicas":7}}\'',
        "replace -f old.yaml",
        "run other --image=x",
        "scale deploy/web --replicas=5",
        "set image deploy/web web=shop/web:9",
    ],
)
def test_nothing_is_written(kubectl: Any, command: str, dry_run: str) -> None:
    kubectl.write(new_yaml=json.dumps(NEW), old_yaml=json.dumps(OLD | {"data": {"a": "2"}}))
    kubectl.ok("create deployment web --image=shop/web:1")
    kubectl.client.create(OLD)
    before = kubectl.server.store.revision
    told = kubectl.run(f"{command} --dry-run={dry_run}")
    assert told.exit_code == 0, told.stderr
    assert told.stdout.endswith("(dry run)\n" if dry_run == "client" else "(server dry run)\n")
    assert kubectl.server.store.revision == before


def test_another_word_is_no_dry_run(kubectl: Any) -> None:
    told = kubectl.fails("create configmap a --dry-run=maybe")
    assert 'Invalid dry-run value (maybe). Must be "none", "server", or "client".' in told

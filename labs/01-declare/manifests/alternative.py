"""Another right answer: the same as JSON, which is YAML too."""

import json

from gitops_sim import Lab


def answer(lab: Lab) -> str:
    """Write a List."""
    objects = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "market"}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "prices", "namespace": "market", "labels": {"currency": "euro"}},
            "data": {"soup": "4"},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "cart", "namespace": "market", "labels": {"tier": "back"}},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": {"app": "cart"}},
                "template": {
                    "metadata": {"labels": {"app": "cart"}},
                    "spec": {"containers": [{"name": "cart", "image": "shop/cart:1.2.0"}]},
                },
            },
        },
    ]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})

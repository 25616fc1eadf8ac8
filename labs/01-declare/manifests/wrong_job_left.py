"""A wrong answer: every step became an object."""

from gitops_sim import Lab

MANIFESTS = """
apiVersion: v1
kind: Namespace
metadata:
  name: market
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: prices
  namespace: market
  labels:
    currency: euro
data:
  soup: "4"
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
  namespace: market
  labels:
    app: cart
    tier: back
spec:
  replicas: 3
  selector:
    matchLabels:
      app: cart
  template:
    metadata:
      labels:
        app: cart
    spec:
      containers:
        - name: cart
          image: shop/cart:1.2.0
---
apiVersion: batch/v1
kind: Job
metadata:
  name: open-accounts
  namespace: market
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: accounts
          image: shop/accounts:1.0.0
"""


def answer(lab: Lab) -> str:
    """Hand in the Job too."""
    return MANIFESTS

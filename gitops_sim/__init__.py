"""GitOps in a notebook: a Kubernetes cluster and a Git forge on a virtual clock."""

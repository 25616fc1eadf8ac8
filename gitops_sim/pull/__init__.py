"""Agents that pull: each a package of its own that knows nothing of the others."""

"""The certificates of one lab: an authority of its own, made at each start and kept nowhere.

kubectl sends its token only over TLS, so there is no plain form.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

__all__ = ["Certificates", "make_certificates"]


@dataclass(frozen=True, slots=True)
class Certificates:
    """The authority's certificate (PEM), and the context that a server listens with."""

    authority: bytes
    context: ssl.SSLContext


def make_certificates(*hosts: str) -> Certificates:
    """Make an authority and a server certificate for names and addresses."""
    import trustme  # 150 ms to import: only when a server starts

    authority = trustme.CA(organization_name="gitops-sim")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*hosts).configure_cert(context)
    context.set_alpn_protocols(["http/1.1"])
    return Certificates(authority.cert_pem.bytes(), context)

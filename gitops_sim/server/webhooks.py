"""Calls to webhooks over HTTPS, for a lab that is served: as the API server's client makes them.

Source: k8s.io/apiserver, pkg/util/webhook/client.go; k8s.io/client-go, rest/request.go.
Differs: only servers on this machine are called. A lab delivers other people's repositories, and a
webhook configuration in one must not make it call somebody; other hosts are not found.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import string
from typing import Any
from urllib.parse import quote, urlsplit

from gitops_sim.types import Manifest

__all__ = ["call_webhook"]

_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
_MOST_BYTES = 3 * 1024 * 1024
_STATUS_TEXTS = {
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted",
}


def call_webhook(url: str, review: Manifest, *, ca_bundle: str, seconds: float) -> dict[str, Any]:
    """Post a review to a URL; return `{"body": …}` with the answer, or `{"error": text}`.

    Args:
        url: With the timeout in its query.
        review: The body.
        ca_bundle: Base64 of the certificates (PEM) to trust; empty: those of the system.
        seconds: How long it may take.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        return {"error": f'parse "{url}": invalid host or port'}
    if parts.scheme != "https" or host not in _LOCAL:
        return _failed(url, f"dial tcp: lookup {host}: no such host")
    try:
        context = _context(ca_bundle)
    except (ssl.SSLError, ValueError):
        return {"error": "unable to load root certificates: unable to parse bytes as PEM block"}
    connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
    try:
        connection.request(
            "POST",
            quote(f"{parts.path or '/'}?{parts.query}", safe=string.punctuation),
            json.dumps(review).encode(),
            {"Content-Type": "application/json", "Accept": "application/json, */*"},
        )
        response = connection.getresponse()
        body = response.read(_MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        return _failed(url, _dial_problem(error, host, port))
    finally:
        connection.close()
    return _read(response.status, body)


def _context(ca_bundle: str) -> ssl.SSLContext:
    if not ca_bundle:
        return ssl.create_default_context()
    return ssl.create_default_context(cadata=base64.b64decode(ca_bundle, validate=True).decode())


def _failed(url: str, problem: str) -> dict[str, Any]:
    return {"error": f'Post "{url}": {problem}'}


def _dial_problem(error: Exception, host: str, port: int) -> str:
    if isinstance(error, TimeoutError):
        return "context deadline exceeded"
    if isinstance(error, socket.gaierror):
        return f"dial tcp: lookup {host}: no such host"
    if isinstance(error, ConnectionRefusedError):
        return f"dial tcp {host}:{port}: connect: connection refused"
    if isinstance(error, ssl.SSLCertVerificationError):
        if "mismatch" in error.verify_message or "not valid for" in error.verify_message:
            return f"tls: failed to verify certificate: x509: certificate is not valid for {host}"
        if "expired" in error.verify_message:
            return (
                "tls: failed to verify certificate: x509: certificate has expired or is not yet "
                "valid"
            )
        return "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    if isinstance(error, ssl.SSLError):
        return "http: server gave HTTP response to HTTPS client"
    return "EOF"


def _read(status: int, body: bytes) -> dict[str, Any]:
    text = body.decode("utf-8", "replace")
    if not 200 <= status <= 206:
        if status in _STATUS_TEXTS:
            return {"error": _STATUS_TEXTS[status]}
        if status >= 500:
            told = f"({json.dumps(text.strip()[:2048])}) has prevented the request from succeeding"
            return {"error": f"an error on the server {told}"}
        return {"error": "the server rejected our request for an unknown reason"}
    if len(body) > _MOST_BYTES:
        return {"error": "http: response body too large"}
    try:
        return {"body": json.loads(text)}
    except (ValueError, RecursionError) as error:
        return {"error": f"couldn't get version/kind; json parse error: {error}"}

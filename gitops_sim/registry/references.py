"""Names of images: `nginx`, `ghcr.io/shop/web:1.2`, `web@sha256:…`.

Source: distribution/reference (reference.go, normalize.go).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitops_sim.errors import ImagePullError

__all__ = ["Reference", "parse_reference"]

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_REFERENCE = re.compile(
    rf"(?:(?P<domain>{_HOST}(?:\.{_HOST})*(?::[0-9]+)?)/)?"
    rf"(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Reference:
    """An image's name in full: `docker.io/library/nginx`, a tag, and a digest or "".

    `tag` is empty only when a digest stands alone.
    """

    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        """Print in full, as container runtimes do."""
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}{'@' + self.digest if self.digest else ''}"

    @property
    def host(self) -> str:
        """The registry that is asked: `registry-1.docker.io` for Docker Hub."""
        domain = self.repository.partition("/")[0]
        return "registry-1.docker.io" if domain == "docker.io" else domain

    @property
    def path(self) -> str:
        """The repository inside its registry: `library/nginx`."""
        return self.repository.partition("/")[2]


def parse_reference(text: str) -> Reference:
    """Return an image's name in full: registry, `library/` and `:latest` filled in.

    Raises:
        ImagePullError: It is no name; the message is the kubelet's for InvalidImageName.
    """
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise _invalid(text, "invalid reference format")
    domain, path = found["domain"] or "", found["path"]
    is_domain = "." in domain or ":" in domain or domain == "localhost" or domain.lower() != domain
    if domain and not is_domain:
        domain, path = "", f"{domain}/{path}"
    if domain in ("", "index.docker.io", "docker.io"):
        domain = "docker.io"
        path = path if "/" in path else f"library/{path}"
    repository = f"{domain}/{path}"
    if len(repository) > _LONGEST:
        raise _invalid(text, f"repository name must not be more than {_LONGEST} characters")
    digest = found["digest"] or ""
    tag = found["tag"] or ("" if digest else "latest")
    return Reference(repository, tag, digest)


def _invalid(text: str, problem: str) -> ImagePullError:
    upper = re.fullmatch(r"[\w./:-]+", text) and text.lower() != text
    if upper and _REFERENCE.fullmatch(text.lower()):
        name = re.sub(r":[^/]*$", "", text)
        shown = name if "/" in name else f"library/{name}"
        problem = f"invalid reference format: repository name ({shown}) must be lowercase"
    message = f'Failed to apply default image tag "{text}": couldn\'t parse image name "{text}": '
    return ImagePullError(text, message + problem)

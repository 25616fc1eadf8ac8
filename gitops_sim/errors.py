"""Every error of the lab, one tree.

    GitOpsSimError
    ├── ApiError                     by the `reason` of a Kubernetes Status
    │   ├── BadRequestError          400 BadRequest
    │   ├── UnauthorizedError        401 Unauthorized
    │   ├── ForbiddenError           403 Forbidden
    │   ├── NotFoundError            404 NotFound
    │   ├── MethodNotAllowedError    405 MethodNotAllowed
    │   ├── NotAcceptableError       406 NotAcceptable
    │   ├── AlreadyExistsError       409 AlreadyExists
    │   ├── ConflictError            409 Conflict
    │   ├── ExpiredError             410 Expired
    │   ├── TooLargeError            413 RequestEntityTooLarge
    │   ├── UnsupportedMediaTypeError 415 UnsupportedMediaType
    │   ├── InvalidError             422 Invalid
    │   ├── TooManyRequestsError     429 TooManyRequests
    │   ├── InternalError            500 InternalError
    │   ├── UnknownError             500 without a reason
    │   ├── UnavailableError         503 ServiceUnavailable
    │   ├── RequestTimeoutError      504 Timeout
    │   └── WebhookDeniedError       an admission webhook says no: its own code and reason
    ├── GitError
    │   ├── UnknownRefError          no such branch, tag or commit
    │   ├── RefRejectedError         a rule of the forge refuses a change of a branch
    │   └── MergeConflictError       names the files that both sides changed
    ├── InputError                   a file that someone wrote is wrong: file, line, field, fix
    │   ├── ManifestError            YAML or a manifest
    │   ├── BuildError               a kustomization that cannot be built
    │   └── SpecError                a workflow, a scenario or an agent's own resource
    ├── LabError                     said to a learner: what, and one next step
    │   └── DurationError            "10 parsecs"
    ├── ImagePullError               a registry cannot give an image; the kubelet's message
    ├── RevokedWriterError           a killed controller tried to write
    └── TerminalError                a reconcile error that a retry cannot mend

All context is in positional arguments, so that `type(e)(*e.args)` rebuilds an error: SimPy does
exactly that with the exception of a failed process, and pickle does too.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "AlreadyExistsError",
    "ApiError",
    "BadRequestError",
    "BuildError",
    "ConflictError",
    "DurationError",
    "ExpiredError",
    "ForbiddenError",
    "GitError",
    "GitOpsSimError",
    "ImagePullError",
    "InputError",
    "InternalError",
    "InvalidError",
    "LabError",
    "ManifestError",
    "MergeConflictError",
    "MethodNotAllowedError",
    "NotAcceptableError",
    "NotFoundError",
    "RefRejectedError",
    "RequestTimeoutError",
    "RevokedWriterError",
    "SpecError",
    "TerminalError",
    "TooLargeError",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnavailableError",
    "UnknownError",
    "UnknownRefError",
    "UnsupportedMediaTypeError",
    "WebhookDeniedError",
]


class GitOpsSimError(Exception):
    """Anything that the lab raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows instead of a stack trace: what is wrong, and what to do.

        Source: IPython, InteractiveShell.showtraceback.
        """
        return [f"{type(self).__name__}: {self}"]


class ApiError(GitOpsSimError):
    """A refusal of the Kubernetes API, told as the real server tells it.

    `message` is the server's text. `details` is the `details` of the Status, with `name`,
    `group`, `kind` (the plural resource, as the real server does), `causes` and
    `retryAfterSeconds` where they apply; an empty dict is sent, None is left out.
    """

    code = 500
    reason = "InternalError"

    def __init__(self, message: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(message, details)
        self.message = message
        self.details: dict[str, Any] = details or {}

    def __str__(self) -> str:
        """The server's message alone: it names its subject already."""
        return self.message

    def status(self) -> dict[str, Any]:
        """Return the Status object that the server sends as the body of this refusal."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            body["reason"] = self.reason
        if self.args[1] is not None:
            body["details"] = self.details
        return body | {"code": self.code}


class BadRequestError(ApiError):
    """The request makes no sense, whatever the state of the cluster."""

    code, reason = 400, "BadRequest"


class UnauthorizedError(ApiError):
    """Nobody knows who is asking."""

    code, reason = 401, "Unauthorized"


class ForbiddenError(ApiError):
    """Who is asking is known and may not, or admission refuses."""

    code, reason = 403, "Forbidden"


class NotFoundError(ApiError):
    """No such object, or no such resource."""

    code, reason = 404, "NotFound"


class MethodNotAllowedError(ApiError):
    """The resource exists but has not this verb."""

    code, reason = 405, "MethodNotAllowed"


class NotAcceptableError(ApiError):
    """The client accepts no form that the server can send."""

    code, reason = 406, "NotAcceptable"


class AlreadyExistsError(ApiError):
    """An object with this name is there already."""

    code, reason = 409, "AlreadyExists"


class ConflictError(ApiError):
    """Someone else changed the object, or owns a field that was applied."""

    code, reason = 409, "Conflict"


class ExpiredError(ApiError):
    """The revision asked for is compacted: list again.

    `details["continue"]` is a token by which the list goes on inconsistently; the server tells it
    in the metadata of the Status.
    """

    code, reason = 410, "Expired"

    def status(self) -> dict[str, Any]:
        """Return the Status, with a token where there is one."""
        body = super().status()
        token = self.details.get("continue")
        if token is None:
            return body
        body.pop("details")
        return body | {"metadata": {"continue": token}}


class TooLargeError(ApiError):
    """The body is larger than the server takes (3 MiB)."""

    code, reason = 413, "RequestEntityTooLarge"


class UnsupportedMediaTypeError(ApiError):
    """The content type of the body or patch is not one the server reads."""

    code, reason = 415, "UnsupportedMediaType"


class InvalidError(ApiError):
    """The object breaks rules; `details["causes"]` has reason, message and field of each."""

    code, reason = 422, "Invalid"


class TooManyRequestsError(ApiError):
    """The server asks to come back later."""

    code, reason = 429, "TooManyRequests"


class InternalError(ApiError):
    """The server failed."""

    code, reason = 500, "InternalError"


class UnknownError(ApiError):
    """The server failed in a way that it has no reason for: an internal error, told as it is."""

    code, reason = 500, ""


class UnavailableError(ApiError):
    """The server, or a webhook it needs, is away."""

    code, reason = 503, "ServiceUnavailable"


class RequestTimeoutError(ApiError):
    """The server gave up waiting."""

    code, reason = 504, "Timeout"


class WebhookDeniedError(ApiError):
    """An admission webhook denied the request: `(message, details, code, reason)`, as it says."""

    def __init__(
        self,
        message: str,
        details: dict[str, Any] | None = None,
        code: int = 400,
        reason: str = "",
    ) -> None:
        super().__init__(message, details)
        self.args = (message, details, code, reason)
        self.code, self.reason = code, reason


class GitError(GitOpsSimError):
    """Git or the forge refuses."""


class UnknownRefError(GitError):
    """No such branch, tag, commit or path: `(repository, name, next_step)`."""

    def __init__(self, repository: str, name: str, next_step: str = "") -> None:
        super().__init__(repository, name, next_step)
        self.repository, self.name, self.next_step = repository, name, next_step

    def __str__(self) -> str:
        """Name what was looked for and where, then what to do."""
        text = f"{self.repository}: no branch, tag, commit or path {self.name!r}"
        return f"{text}\nNext: {self.next_step}" if self.next_step else text


class RefRejectedError(GitError):
    """A rule of the forge refuses: `(repository, ref, rule, next_step)`."""

    def __init__(self, repository: str, ref: str, rule: str, next_step: str = "") -> None:
        super().__init__(repository, ref, rule, next_step)
        self.repository, self.ref, self.rule, self.next_step = repository, ref, rule, next_step

    def __str__(self) -> str:
        """Name the rule, then what to do."""
        text = f"{self.repository}: {self.ref} refused: {self.rule}"
        return f"{text}; {self.next_step}" if self.next_step else text


class MergeConflictError(GitError):
    """Both sides changed the same lines: `(repository, source, target, files)`."""

    def __init__(self, repository: str, source: str, target: str, files: tuple[str, ...]) -> None:
        super().__init__(repository, source, target, files)
        self.repository, self.source, self.target, self.files = repository, source, target, files

    def __str__(self) -> str:
        """List the files in conflict."""
        return (
            f"{self.repository}: {self.source} does not merge into {self.target}: "
            f"conflict in {', '.join(self.files)}"
        )


class InputError(GitOpsSimError):
    """A file that someone wrote is wrong.

    Args:
        file: Path inside the repository or folder; empty when the input is not a file.
        line: 1-based line; 0 when unknown.
        problem: What is wrong, in one sentence without a full stop.
        fix: What to do; empty when the problem says it.
        field: JSON path of the field, such as `spec.replicas`; empty when not about one.
    """

    def __init__(self, file: str, line: int, problem: str, fix: str = "", field: str = "") -> None:
        super().__init__(file, line, problem, fix, field)
        self.file, self.line, self.problem, self.fix, self.field = file, line, problem, fix, field

    def __str__(self) -> str:
        """Print `file:line: field: problem (fix)`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        text = ": ".join(part for part in (place, self.field, self.problem) if part)
        return f"{text} (fix: {self.fix})" if self.fix else text


class ManifestError(InputError):
    """A YAML file or a manifest in it."""


class BuildError(InputError):
    """A kustomization that cannot be built."""


class SpecError(InputError):
    """A workflow, a scenario, or an agent's own resource."""


class LabError(GitOpsSimError):
    """Said to a learner: what went wrong, and one next step: `(problem, next_step)`."""

    def __init__(self, problem: str, next_step: str = "") -> None:
        super().__init__(problem, next_step)
        self.problem, self.next_step = problem, next_step

    def __str__(self) -> str:
        """Problem, then the next step."""
        return f"{self.problem}\nNext: {self.next_step}" if self.next_step else self.problem


class DurationError(LabError):
    """Text that is no duration: "10 parsecs", or a number without a unit."""


class ImagePullError(GitOpsSimError):
    """A registry cannot give an image.

    Args:
        reference: The image asked for.
        message: What the kubelet reports.
    """

    def __init__(self, reference: str, message: str) -> None:
        super().__init__(reference, message)
        self.reference = reference
        self.message = message

    def __str__(self) -> str:
        """Return the kubelet's message."""
        return self.message


class RevokedWriterError(GitOpsSimError):
    """A killed controller tried to write: `(writer, verb, subject)`. Always a bug."""

    def __init__(self, writer: str, verb: str, subject: str) -> None:
        super().__init__(writer, verb, subject)
        self.writer, self.verb, self.subject = writer, verb, subject

    def __str__(self) -> str:
        """Who tried what on which object."""
        return f"{self.writer} is dead and tried to {self.verb} {self.subject}"


class TerminalError(GitOpsSimError):
    """A reconcile error that only a change of its input can mend, so that nobody retries it.

    Source: controller-runtime, reconcile.TerminalError.
    """

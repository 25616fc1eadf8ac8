"""How kubectl tells an error: `Error from server (NotFound): …`, `error: …`, several lines.

Source: k8s.io/kubectl pkg/cmd/util/helpers.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitops_sim.errors import ApiError, InvalidError, LabError, UnauthorizedError

__all__ = ["REFUSED", "error_text", "with_source"]

REFUSED = (
    "The connection to the server localhost:8080 was refused - did you specify the right host or "
    "port?"
)
"""What kubectl says without a kubeconfig."""
WITHOUT_PREFIX = ("error: ", REFUSED)


def error_text(errors: Sequence[Exception]) -> str:
    """Return what stands on standard error for the errors of one command, with newlines."""
    if len(errors) != 1:
        return "".join(f"{_in_a_list(error)}\n" for error in errors)
    error = errors[0]
    if isinstance(error, InvalidError):
        return _invalid(error)
    text = _in_a_list(error)
    if not isinstance(error, ApiError) and not text.startswith(WITHOUT_PREFIX):
        text = f"error: {text}"
    return text if text.endswith("\n") else f"{text}\n"


def with_source(error: ApiError, doing: str, source: str) -> ApiError:
    """Return an error of the server that says what was done with which file."""
    message = f'error when {doing} "{source}": {error.message}' if source else error.message
    return type(error)(message, error.details)


def _in_a_list(error: Exception) -> str:
    if isinstance(error, UnauthorizedError):
        return f"error: You must be logged in to the server ({error.message})"
    if isinstance(error, ApiError):
        reason = f" ({error.reason})" if error.reason else ""
        return f"Error from server{reason}: {error.message}"
    if isinstance(error, LabError):
        return error.problem
    return str(error)


def _invalid(error: InvalidError) -> str:
    """Return the causes of a refused object, one a line when there are several."""
    kind, name = error.details.get("kind", ""), error.details.get("name", "")
    text = f'The {kind} "{name}" is invalid' if kind or name else "The request is invalid"
    causes = list(
        dict.fromkeys(
            f"{cause.get('field', '')}: {cause.get('message', '')}"
            for cause in error.details.get("causes", [])
        )
    )
    if not causes:
        return f"{text}: {error.message}\n" if not (kind or name) else f"{text}\n"
    if len(causes) == 1:
        return f"{text}: {causes[0]}\n"
    return f"{text}: \n" + "".join(f"* {cause}\n" for cause in causes)

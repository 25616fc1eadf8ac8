"""The error tree: everything that a failed job or a pickle must carry."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from gitops_sim import errors

EXAMPLES: dict[str, tuple[object, ...]] = {
    "ApiError": ("text", {"name": "web"}),
    "UnknownRefError": ("shop", "main", "next"),
    "RefRejectedError": ("shop", "main", "rule", "next"),
    "MergeConflictError": ("shop", "a", "b", ("x", "y")),
    "InputError": ("a.yaml", 3, "problem", "fix", "spec.replicas"),
    "LabError": ("problem", "next"),
    "ImagePullError": ("shop/web:9", "failed to pull"),
    "RevokedWriterError": ("flux", "apply", "Deployment/web"),
    "GitOpsSimError": ("text",),
}


def classes(of: type[errors.GitOpsSimError]) -> Iterator[type[errors.GitOpsSimError]]:
    yield of
    for below in of.__subclasses__():
        yield from classes(below)


TREE = sorted(set(classes(errors.GitOpsSimError)), key=lambda cls: cls.__name__)


def example(cls: type[errors.GitOpsSimError]) -> errors.GitOpsSimError:
    for base in cls.__mro__:
        if base.__name__ in EXAMPLES:
            return cls(*EXAMPLES[base.__name__])
    raise AssertionError(cls)


@pytest.mark.parametrize("cls", TREE, ids=lambda cls: cls.__name__)
def test_error_is_rebuilt_from_its_arguments(cls: type[errors.GitOpsSimError]) -> None:
    error = example(cls)
    again = type(error)(*error.args)
    assert vars(again) == vars(error)
    assert str(again) == str(error)
    restored = pickle.loads(pickle.dumps(error))
    assert (type(restored), str(restored), vars(restored)) == (cls, str(error), vars(error))


def test_every_class_is_exported_and_drawn_in_the_tree() -> None:
    names = {cls.__name__ for cls in TREE if cls.__module__ == errors.__name__}
    assert names == set(errors.__all__)
    drawn = errors.__doc__ or ""
    assert not [name for name in names if name not in drawn]


def test_a_notebook_shows_the_message_and_no_stack_trace() -> None:
    error = errors.LabError("the clock runs already", "let the running call end first")
    assert error._render_traceback_() == [
        "LabError: the clock runs already\nNext: let the running call end first"
    ]

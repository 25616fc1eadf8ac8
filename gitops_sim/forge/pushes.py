"""Objects and refs that come from elsewhere: a push, ref by ref, or a whole imported repository.

Objects are checked before any of them is stored. Then each ref goes through `Repository.move`,
where the rules of its branch are; one refused ref does not stop the others, as in Git.

Source: git, builtin/receive-pack.c (`update`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gitops_sim.errors import GitError, RefRejectedError
from gitops_sim.forge.checking import check_objects
from gitops_sim.forge.names import check_ref_name
from gitops_sim.forge.objects import COMMIT
from gitops_sim.forge.packs import read_pack

if TYPE_CHECKING:
    from gitops_sim.forge.repository import Repository

__all__ = ["take_import", "take_push"]

IMPORTER = "import"
"""Who moves the branches of a repository that comes from elsewhere."""


def take_import(
    repository: Repository, refs: Mapping[str, str], shallow: Sequence[str], pack: bytes
) -> None:
    """Take refs with their history into an empty repository; only the heads are told as new."""
    objects = repository.objects
    for kind, content in read_pack(pack, objects).values():
        objects.add(kind, content)
    objects.shallow |= set(shallow)
    heads = sorted({repository.refs.peel(found) for found in refs.values()} - {""})
    repository.take_as_known([p for head in heads for p in objects.commit(head).parents])
    for ref, found in sorted(refs.items()):
        repository.move(ref, found, IMPORTER, imported=True)


def take_push(
    repository: Repository, commands: Sequence[Sequence[str]], pack: bytes, by: str
) -> dict[str, str]:
    """Do what `Repository.receive` says."""
    objects = repository.objects
    new = read_pack(pack, objects) if pack else {}
    check_objects(new, [command[1] for command in commands if command[1]], objects)
    for kind, content in new.values():
        objects.add(kind, content)
    refused: dict[str, str] = {}
    for old, new_id, ref in commands:
        try:
            _take_ref(repository, ref, (old, new_id), by)
        except RefRejectedError as error:
            refused[ref] = f"{error.rule}; {error.next_step}"
        except GitError as error:
            refused[ref] = str(error)
    return refused


def _take_ref(repository: Repository, ref: str, ids: tuple[str, str], by: str) -> None:
    """Move one pushed ref from an old to a new id; GitError says why not."""
    old, new = ids
    kind, _, name = ref.removeprefix("refs/").partition("/")
    if not ref.startswith(("refs/heads/", "refs/tags/")):
        raise GitError("only branches and tags are kept here")
    check_ref_name(name, what=kind.removesuffix("s"))
    if repository.refs.get(ref) != old:
        raise GitError("it has moved meanwhile, fetch first")
    is_branch = kind == "heads"
    if is_branch and new and repository.objects.kind(new) != COMMIT:
        raise GitError("a branch names a commit")
    if is_branch and not new and name == repository.default_branch:
        raise GitError("refusing to delete the default branch")
    if not old:
        repository.refs.check_room(ref)
        if is_branch and not repository.branches():
            repository.make_default(name)
    repository.move(ref, new, by)

"""A directory of a revision becomes manifests: plain YAML, or a kustomization.

Kustomizations are built in process, or by kubectl what only it builds exactly.

`build(tree, path)` once, `Renderer.build` with memory. Repositories are untrusted: nothing outside
the tree is read, nothing is fetched, nothing of theirs is run.
"""

from gitops_sim.render.build import Renderer, build
from gitops_sim.render.folder_tree import FolderTree, git_blob_id
from gitops_sim.render.objects import objects_of
from gitops_sim.render.plain import repeated_folders
from gitops_sim.render.results import Build, BuildOptions, Rendered
from gitops_sim.render.subset import Subset, as_kubectl_takes, without

__all__ = [
    "Build",
    "BuildOptions",
    "FolderTree",
    "Rendered",
    "Renderer",
    "Subset",
    "as_kubectl_takes",
    "build",
    "git_blob_id",
    "objects_of",
    "repeated_folders",
    "without",
]

"""Another right answer: file by file, and minutes later."""

from gitops_sim import Lab


def answer(lab: Lab) -> str:
    """Apply each file, twice."""
    home, book = lab.cluster("home"), lab.forge.repository("runbook")
    files = " ".join(f"-f {path}" for path in book.tree().files("manifests"))
    home.kubectl(f"apply {files}", repository=book)
    lab.run("5m")
    return str(home.kubectl(f"apply {files}", repository=book))

"""Another right answer: fill in twice, and compare."""

from string import Template

from gitops_sim import Lab


def answer(lab: Lab) -> list[str]:
    """Render every file on two days."""
    teams = lab.forge.repository("teams")
    today = {"DATE": "monday", "RANDOM": "1", "RUN": "1", "COMMIT": teams.head()}
    tomorrow = {"DATE": "tuesday", "RANDOM": "2", "RUN": "2", "COMMIT": teams.head()}
    changing = []
    for path in teams.tree().files():
        text = Template(teams.read(path))
        if "/" in path and text.substitute(today) != text.substitute(tomorrow):
            changing.append(path.split("/")[0])
    return changing

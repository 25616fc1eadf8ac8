"""From words on the command line to an exit code.

A command is a module of this room with `configure(parser)` and `run(arguments) -> int`; only the
chosen one is loaded. Exit codes: 0 fine; 1 the thing asked about is not so; 2 wrong usage or input,
told in one message on stderr, never as a stack trace.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import version

from gitops_sim.errors import GitOpsSimError

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "tour": "open JupyterLab on the course",
    "serve": "serve a cluster to kubectl and other clients",
    "run": "deliver a repository to a simulated cluster and tell what happened",
    "diff": "compare a directory of a repository with a cluster",
    "render": "print the manifests that a directory gives",
    "check": "judge exercises, or list them",
    "course": "copy the notebooks and labs to a folder to work in",
    "doctor": "tell what is installed, what is missing, and how to get it",
}
"""Every command with the line that help shows for it; each is the module of its name."""

INTERRUPTED = 130
"""What a shell gives a process that Ctrl-C ended."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code.

    Args:
        words: The command line without the program's name; by default the process's own.
    """
    words = _with_negatives(sys.argv[1:] if words is None else words)
    try:
        arguments = _parsed(words)
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    except GitOpsSimError as error:
        return _failed(str(error))
    except OSError as error:
        return _without_output() if isinstance(error, BrokenPipeError) else _failed(_told(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # a bug of ours: say so, show the trace to those who ask for it
        if os.environ.get("GITOPS_SIM_TRACE"):
            raise
        return _failed(
            f"internal error: {type(error).__name__}: {error}\n"
            "Next: run it again with GITOPS_SIM_TRACE=1 and report what it prints"
        )
    return code


def _with_negatives(words: Sequence[str]) -> list[str]:
    """Return the words with `--until -5m` as `--until=-5m`: what is said of it is then told."""
    joined: list[str] = []
    for word in words:
        if re.match(r"-\d", word) and joined and re.fullmatch(r"--[a-z-]+", joined[-1]):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def _parsed(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="gitops-sim", description="A teaching and simulation lab for GitOps."
    )
    parser.add_argument(
        "--version", action="version", version=f"gitops-sim {version('gitops-sim')}"
    )
    commands = parser.add_subparsers(metavar="command", required=True)
    chosen = next((word for word in words if not word.startswith("-")), "")
    for name, line in COMMANDS.items():
        command = commands.add_parser(name, help=line, description=f"{line[0].upper()}{line[1:]}.")
        if name == chosen:
            module = importlib.import_module(f"gitops_sim.cli.{name}")
            module.configure(command)
            command.set_defaults(run=module.run)
    return parser.parse_args(words)


def _failed(message: str) -> int:
    print(f"gitops-sim: {message}", file=sys.stderr)
    return 2


def _told(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror or error}"


def _without_output() -> int:
    """Whoever read our output went away (`| head`): end quietly, as other tools do."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0

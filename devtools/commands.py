"""The commands of `./dev`."""

from __future__ import annotations

import argparse
import os
import subprocess
from collections.abc import Sequence

from devtools import demo, environments, gates
from devtools.environments import CLOUD, ROOT, TOOLS

_BENCHMARKS = ("roadmap", "phases", "waits", "indexes")


def main(arguments: Sequence[str]) -> int:
    """Parse, set up what the command needs, do it. Returns the exit status."""
    if arguments[:1] == ["bench"]:  # whose options are the benchmarks' own
        environments.for_testing()
        return subprocess.run(bench_command(arguments[1:]), cwd=ROOT, env=_with_collection(), check=False).returncode
    parser = argparse.ArgumentParser(prog="./dev", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="make the virtual environments and nothing else")
    show = commands.add_parser("demo", help="bring the whole roadmap up on the embedded cloud and reach the site")
    show.add_argument("--keep", action="store_true", help="leave the embedded cloud running at the end")
    for name, text in (("test", "run the quality gates"), ("test-all", "run them with everything that takes long")):
        command = commands.add_parser(name, help=text)
        command.add_argument("gates", nargs="*", help="only these, such as unit or molecule-networking")
    cloud = commands.add_parser("cloud", help="the embedded cloud: up, down, status, reset, env")
    cloud.add_argument("arguments", nargs=argparse.REMAINDER)
    commands.add_parser(
        "bench", help="how fast the whole roadmap runs, and how fast it could; also `bench phases`, `waits`, `indexes`"
    )
    options = parser.parse_args(arguments)

    match options.command:
        case "setup":
            environments.for_testing()
            return 0
        case "demo":
            environments.for_running()
            return demo.run(keep=options.keep)
        case "cloud":
            environments.for_running()
            asked = [CLOUD / "bin" / "python", "-m", "local_cloud", *options.arguments]
            return subprocess.run(asked, cwd=ROOT, env=dict(os.environ), check=False).returncode
        case _:
            environments.for_testing()
            return gates.run(options.gates, long=options.command == "test-all")


def bench_command(arguments: Sequence[str]) -> list[str]:
    """The benchmark that is named first, or that of the whole roadmap, with the other arguments."""
    named = bool(arguments) and arguments[0] in _BENCHMARKS
    name, given = (arguments[0], arguments[1:]) if named else ("roadmap", arguments)
    return [str(TOOLS / "bin" / "python"), "-m", f"benchmarks.{name}", *given]


def _with_collection() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "collections")])}

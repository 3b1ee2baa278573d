"""`ansible-test sanity` on the built artifact, the way Ansible's own CI runs it, without ignores.

ansible-test needs a collection below ``ansible_collections/`` and outside any git checkout that ignores
it, its dependencies beside it, and a pip for the virtual environments it makes. It fetches that pip from
a site of its own; here it comes from PyPI like everything else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PIP = "24.2"  # what ansible-test of ansible-core 2.19 asks for

# Stands in for get-pip.py: runs pip out of its own wheel. ansible-test adds two options of get-pip's.
_GET_PIP = """\
import sys
sys.path.insert(0, {wheel!r})
from pip._internal.cli.main import main
asked = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(main(["install", *asked]))
"""


def run(venv: Path, cache: Path) -> int:
    """Build, unpack, test; the exit code of ansible-test. ``cache`` keeps its environments between runs."""
    home = cache / "ansible-test-home"
    _offer_pip(venv, home)
    with tempfile.TemporaryDirectory(prefix="stories1001-sanity-") as folder:
        checkout = _lay_out(venv, Path(folder))
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        command: list[str | Path] = [
            venv / "bin" / "ansible-test",
            "sanity",
            "--venv",
            "--requirements",
            "--python",
            python,
            "--color",
            "no",
        ]
        environment = {**os.environ, "HOME": str(home), "PATH": f"{venv / 'bin'}:{os.environ['PATH']}"}
        return subprocess.run(command, cwd=checkout, env=environment, check=False).returncode


def _lay_out(venv: Path, folder: Path) -> Path:
    """The built collection with its dependencies beside it; returns its folder."""
    galaxy = venv / "bin" / "ansible-galaxy"
    subprocess.run(
        [galaxy, "collection", "build", "--force", "--output-path", folder],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    collections = folder / "ansible_collections"
    checkout = collections / "stories1001" / "platform"
    checkout.mkdir(parents=True)
    artifact = next(folder.glob("stories1001-platform-*.tar.gz"))
    with tarfile.open(artifact) as archive:
        archive.extractall(checkout, filter="data")
    bundled = next(venv.glob("lib/python3*/site-packages/ansible_collections"))
    for namespace in ("amazon", "community"):
        shutil.copytree(bundled / namespace / "aws", collections / namespace / "aws")
    return checkout


def _offer_pip(venv: Path, home: Path) -> None:
    script = home / ".ansible" / "test" / "cache" / f"get_pip_{PIP.replace('.', '_')}.py"
    if script.exists():
        return
    wheels = home / "wheels"
    pip: list[str | Path] = [
        venv / "bin" / "python",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        wheels,
        f"pip=={PIP}",
    ]
    subprocess.run(pip, check=True)
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(_GET_PIP.format(wheel=str(next(wheels.glob(f"pip-{PIP}-*.whl")))), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run(ROOT / ".venv", ROOT / ".cache"))

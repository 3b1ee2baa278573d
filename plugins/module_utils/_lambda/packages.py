# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Deployment packages: the handlers and the libraries that they need, in one zip whose bytes follow from them alone.

The same sources and pins give the same zip on every machine, so that its hash tells whether a function runs it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from .._engine.steps import StepFailed

# Functions run on Amazon Linux 2, whose C library takes wheels of this tag (Lambda developer guide, "Runtimes").
_PLATFORMS = {"x86_64": "manylinux2014_x86_64", "arm64": "manylinux2014_aarch64"}
_REQUIREMENTS = "requirements.txt"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can say
_LARGEST = 50 * 1024 * 1024  # bytes that CreateFunction takes (Lambda quotas)


def build(source: Path, cache: Path, runtime: str, architecture: str) -> Path:
    """The package of a folder of handlers, from the cache when it was built before. Raises StepFailed.

    source: Python files, and requirements.txt with exact pins. runtime: such as python3.11.
    """
    if not source.is_dir():
        raise StepFailed(f"Looked for handlers in {source} and found no such folder. Mend the path.")
    package = cache / f"{_fingerprint(source, runtime, architecture)}.zip"
    if not package.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            libraries = Path(folder) / "libraries"
            _install(source / _REQUIREMENTS, libraries, runtime, architecture)
            unfinished = Path(folder) / package.name
            _zip(unfinished, source, libraries)
            os.replace(unfinished, package)  # a build that is killed leaves no half a package
    if package.stat().st_size > _LARGEST:
        raise StepFailed(
            f"Built the package of {source}; it has {package.stat().st_size} bytes and Lambda takes {_LARGEST}. "
            "Remove a library."
        )
    return package


def code_sha256(package: Path) -> str:
    """The hash as Lambda shows it."""
    return base64.b64encode(hashlib.sha256(package.read_bytes()).digest()).decode()


def _sources(source: Path) -> Iterator[Path]:
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _fingerprint(source: Path, runtime: str, architecture: str) -> str:
    digest = hashlib.sha256(f"{runtime} {architecture}".encode())
    for path in _sources(source):
        digest.update(path.relative_to(source).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:32]


def _install(requirements: Path, target: Path, runtime: str, architecture: str) -> None:
    target.mkdir()
    if not requirements.exists():
        return
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    wheels = ["--only-binary=:all:", "--platform", _PLATFORMS[architecture], "--implementation", "cp"]
    version = ["--python-version", runtime.removeprefix("python")]
    done = subprocess.run(
        [*command, *wheels, *version, "--target", str(target), "--requirement", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip told no reason"]
        raise StepFailed(
            f"Installed the libraries of {requirements} for {runtime} on {architecture}; pip failed: {lines[0]}. Mend "
            "the pins, or the way to the package index, and run the play again."
        )


def _zip(path: Path, *folders: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for folder in folders:
            for file in _sources(folder):
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, file.read_bytes())

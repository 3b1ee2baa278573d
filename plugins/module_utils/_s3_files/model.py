# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of a folder and objects of a bucket: which are still to be uploaded. Pure but for `local`."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SHOWN = 100  # keys in a diff; a library has many thousands


@dataclass(frozen=True)
class File:
    """size in bytes, modified in seconds since 1970. Of an object, modified is when it was uploaded."""

    size: int
    modified: float


Objects = Mapping[str, File]


@dataclass(frozen=True)
class Upload:
    """All files that the bucket lacks or has in another version, by key."""

    bucket: str
    files: Mapping[str, File]

    @property
    def id(self) -> str:
        return f"s3_files/{self.bucket}:upload"

    @property
    def sentence(self) -> str:
        size = sum(file.size for file in self.files.values())
        return f"Upload {len(self.files)} files ({size:,} bytes) to bucket {self.bucket}"

    def after(self, observed: Objects) -> Objects:
        return {**observed, **self.files}


def local(root: Path, prefix: str, exclude: Sequence[str]) -> dict[str, File]:
    """The files below a folder by their keys. exclude: shell patterns for a file's path below the folder."""
    found = {}
    for folder, _folders, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            below = path.relative_to(root).as_posix()
            if path.is_file() and not any(fnmatch.fnmatch(below, pattern) for pattern in exclude):
                about = path.stat()
                found[f"{prefix}{below}"] = File(about.st_size, about.st_mtime)
    return found


def plan(files: Objects, observed: Objects, bucket: str) -> tuple[Upload, ...]:
    """One step with everything that is missing, of another size, or older than the file. Nothing is removed."""
    wanted = {
        key: file
        for key, file in files.items()
        if key not in observed or observed[key].size != file.size or observed[key].modified < int(file.modified)
    }
    return (Upload(bucket, wanted),) if wanted else ()


def shown(observed: Objects, steps: Sequence[Upload]) -> dict[str, int]:
    """For the diff: sizes by key of what the step touches, the first hundred."""
    keys = sorted(key for step in steps for key in step.files)[:_SHOWN]
    return {key: observed[key].size for key in keys if key in observed}

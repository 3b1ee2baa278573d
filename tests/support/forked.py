"""A module of the collection in a fork of a server that has imported what all of them need.

A fresh interpreter spends most of a short module run on imports; the tests make thousands of runs.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# The last is this file, whose function runs in the fork. pytest is there because a fork prepares the main program.
_PRELOADED = [
    "pytest",
    "boto3",
    "psycopg",
    "ansible.module_utils.basic",
    "ansible.module_utils.testing",
    "ansible_collections.amazon.aws.plugins.module_utils.modules",
    "ansible_collections.stories1001.platform.plugins.module_utils._engine.runner",
    "ansible_collections.stories1001.platform.plugins.module_utils._aws.api",
    "tests.support.botocore_models",
    "tests.support.forked",
]
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(_PRELOADED)


def run(module: str, arguments: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[str, str]:
    """What the module printed to stdout and stderr. environment: all that it sees."""
    with tempfile.TemporaryDirectory() as folder:
        fork = _CONTEXT.Process(target=_in_the_fork, args=(module, json.dumps(arguments), dict(environment), folder))
        fork.start()
        fork.join()
        out, err = (Path(folder, name) for name in ("stdout", "stderr"))
        return out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8")


def _in_the_fork(module: str, arguments: str, environment: dict[str, str], folder: str) -> None:
    from ansible.module_utils.testing import patch_module_args

    os.environ.clear()
    os.environ.update(environment)
    for number, name in ((1, "stdout"), (2, "stderr")):
        target = os.open(Path(folder, name), os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(target, number)
    # core 2.19 reads a module's arguments through a profile; this is what ansiballz does, in few lines.
    sys.argv = [module.rpartition(".")[2]]
    with patch_module_args(json.loads(arguments)):
        runpy.run_module(module, run_name="__main__")

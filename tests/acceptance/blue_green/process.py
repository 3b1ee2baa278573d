"""One run of the module, as Ansible would start it, that can be killed at any write.

RIG_KILL_AT: such as ``ModifyListener#2:after``; the process sends itself SIGKILL after its second ModifyListener.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
from collections import Counter
from typing import Any

from ansible.module_utils.testing import patch_module_args
from botocore.client import BaseClient

_READS = ("Describe", "List", "Get", "Query", "BatchGet")
_MODULE = "ansible_collections.stories1001.platform.plugins.modules.ecs_blue_green"


def die_at(point: str) -> None:
    """Count the writes of this process and end it at one of them."""
    plain, counted = BaseClient._make_api_call, Counter[str]()

    def call(self: Any, operation: str, parameters: Any) -> Any:
        if operation.startswith(_READS):
            return plain(self, operation, parameters)
        counted[operation] += 1
        this = f"{operation}#{counted[operation]}"
        if f"{this}:before" == point:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = plain(self, operation, parameters)
        if f"{this}:after" == point:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    BaseClient._make_api_call = call


def main() -> None:
    arguments = {
        "_ansible_remote_tmp": "~/.ansible/tmp",
        "_ansible_keep_remote_files": False,
        "_ansible_diff": True,
        **json.loads(sys.stdin.read()),
    }
    if told := os.environ.get("RIG_KILL_AT"):
        die_at(told)
    sys.argv = ["ecs_blue_green"]
    with patch_module_args(arguments):
        runpy.run_module(_MODULE, run_name="__main__")


if __name__ == "__main__":
    main()

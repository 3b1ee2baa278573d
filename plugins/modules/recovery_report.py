#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: recovery_report
short_description: Judge a recovery drill and write its report
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Compares what a restored database holds with its original, table by table, and the measured times with their limits.
  - Writes one report as JSON and one as Markdown, named by platform and moment, into a folder on the controller.
  - Does not fail on a drill that failed, so that its caller can clean up first; see RV(passed).
options:
  folder:
    description: Folder for the reports; made when it does not exist.
    type: path
    required: true
  name_prefix:
    description: Prefix of the platform's names.
    type: str
    required: true
  source:
    description: Name of the original cluster.
    type: str
    required: true
  restored_as:
    description: Name of the restored cluster.
    type: str
    required: true
  restore_point:
    description: The moment that was restored.
    type: str
    required: true
  before:
    description: What M(stories1001.platform.postgres_fingerprint) read from the original before that moment.
    type: dict
    required: true
  after:
    description: What it read after that moment.
    type: dict
    required: true
  restored:
    description: What it read from the restored database.
    type: dict
    required: true
  restore:
    description: What M(stories1001.platform.aurora_restore) returned.
    type: dict
    required: true
  newest_copy:
    description: When the newest copy in the other region was made; empty when there is none.
    type: str
    default: ""
  rto_limit_minutes:
    description: Minutes in which the restored database must answer.
    type: int
    default: 60
  rpo_limit_minutes:
    description: Minutes of writes that may be lost within the region.
    type: int
    default: 15
  cross_region_rpo_limit_minutes:
    description: Minutes of writes that may be lost with the region.
    type: int
    default: 1560
attributes:
  check_mode:
    description: Judges, and writes no files.
    support: full
  diff_mode:
    description: Shows no difference; a report is a new file.
    support: none
"""

EXAMPLES = r"""
- name: Write the report
  stories1001.platform.recovery_report:
    folder: reports
    name_prefix: stories-production
    source: stories-production
    restored_as: stories-production-drill
    restore_point: "{{ drill_before.marked_at }}"
    before: "{{ drill_before }}"
    after: "{{ drill_after }}"
    restored: "{{ drill_restored }}"
    restore: "{{ drill_restore }}"
"""

RETURN = r"""
passed:
  description: Whether the data were right and all that was measured within its limits.
  returned: success
  type: bool
  sample: true
failures:
  description: What was not.
  returned: success
  type: list
  elements: str
  sample: []
report:
  description: The whole report.
  returned: success
  type: dict
  sample: {passed: true, measured: [{what: RTO, seconds: 512.3, limit_seconds: 3600, verdict: met}]}
files:
  description: The two files.
  returned: success
  type: list
  elements: str
  sample: [reports/stories-production-drill-20261122T234812Z.json, reports/stories-production-drill-20261122T234812Z.md]
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._recovery.report import build, markdown


def main() -> None:
    limit = {"type": "int"}
    fingerprint = {"type": "dict", "required": True}
    text = {"type": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "name_prefix": text,
            "source": text,
            "restored_as": text,
            "restore_point": text,
            "before": fingerprint,
            "after": fingerprint,
            "restored": fingerprint,
            "restore": fingerprint,
            "newest_copy": {"type": "str", "default": ""},
            "rto_limit_minutes": {**limit, "default": 60},
            "rpo_limit_minutes": {**limit, "default": 15},
            "cross_region_rpo_limit_minutes": {**limit, "default": 1560},
        },
        supports_check_mode=True,
    )
    now = datetime.now(UTC)
    report = build(module.params, now)
    stem = Path(module.params["folder"]) / f"{report['platform']}-drill-{now:%Y%m%dT%H%M%SZ}"
    files = {f"{stem}.json": json.dumps(report, indent=2) + "\n", f"{stem}.md": markdown(report)}
    if not module.check_mode:
        try:
            stem.parent.mkdir(parents=True, exist_ok=True)
            for name, text_ in files.items():
                _write(name, text_)
        except OSError as error:
            module.fail_json(msg=f"Tried to write the report {stem}.json; {error.strerror}. Mend the folder's rights.")
    module.exit_json(
        changed=True, passed=report["passed"], failures=report["failures"], report=report, files=sorted(files)
    )


def _write(name: str, text: str) -> None:
    """The whole file or none, should the run be killed."""
    beside = f"{name}.new"
    Path(beside).write_text(text, encoding="utf-8")
    os.replace(beside, name)


if __name__ == "__main__":
    main()

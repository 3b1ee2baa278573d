#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_coverage
short_description: Check that nothing of a platform is left out of its backups
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Finds every resource of the platform that holds data (Aurora clusters, DynamoDB tables, EFS file systems, the bucket
    of media) by its tags, and holds it against the selections of the backup plans as AWS Backup decides them,
    the region's service opt-in, the length of point-in-time recovery, and the replication of buckets.
  - Fails when one is left out. In check mode it tells and does not fail, since the plans may not exist yet.
  - Tells how old the newest recovery point of each is, in this region and in the other.
options:
  name_prefix:
    description: Prefix of the platform's names.
    type: str
    required: true
  tags:
    description: Tags of the platform. C(Project) and C(Environment) identify what is its own.
    type: dict
    required: true
  pitr_days:
    description: Days that point-in-time recovery of a database shall reach back.
    type: int
    default: 30
  replication:
    description: Whether the bucket of media shall be replicated.
    type: bool
    default: true
  opt_in:
    description: Whether to switch AWS Backup's service opt-in on where it is off. It holds for the whole account.
    type: bool
    default: false
  dr_region:
    description: Region of the other vault.
    type: str
  dr_vault:
    description: Name of the other vault.
    type: str
attributes:
  check_mode:
    description: Changes nothing but O(opt_in), and that not in check mode.
    support: full
  diff_mode:
    description: There are no differences to show.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Check that nothing is left out
  stories1001.platform.backup_coverage:
    name_prefix: stories-production
    tags:
      Project: 1001-stories
      Environment: production
"""

RETURN = r"""
covered:
  description: What holds data, and how it is kept.
  returned: success
  type: list
  elements: dict
  sample:
    - arn: arn:aws:rds:us-east-1:123456789012:cluster:stories-production
      kind: aurora
      plans: [stories-production-warm]
      replicated_to: ""
      newest_recovery_point: "2026-11-22T04:12:00+00:00"
      newest_copy: "2026-11-22T05:02:00+00:00"
problems:
  description: A sentence for each thing that could be lost.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._backup.survey import Survey
from ..module_utils._engine.runner import refusing


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name_prefix": {"type": "str", "required": True},
            "tags": {"type": "dict", "required": True},
            "pitr_days": {"type": "int", "default": 30},
            "replication": {"type": "bool", "default": True},
            "opt_in": {"type": "bool", "default": False},
            "dr_region": {"type": "str"},
            "dr_vault": {"type": "str"},
        },
        required_together=[("dr_region", "dr_vault")],
        supports_check_mode=True,
    )
    params = module.params
    with refusing(module):
        survey = Survey(Aws(module), params["name_prefix"], params["tags"])
        changed = params["opt_in"] and survey.opt_in(write=not module.check_mode)
        covered, problems = survey.read(
            pitr_days=params["pitr_days"],
            replication=params["replication"],
            dr_region=params["dr_region"],
            dr_vault=params["dr_vault"],
        )
    if problems and not module.check_mode:
        module.fail_json(msg="\n".join(problems), problems=problems, covered=covered)
    module.exit_json(changed=changed, covered=covered, problems=problems)


if __name__ == "__main__":
    main()

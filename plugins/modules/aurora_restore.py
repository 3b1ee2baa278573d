#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: aurora_restore
short_description: Restore an Aurora cluster beside its original
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Restores a cluster to a moment, to the latest possible one, or from a snapshot, with its instances, as a new cluster
    beside the original, whose network, groups, classes and keys it takes unless others are given.
  - Tags tell what was restored. Running again finishes what was begun, finds nothing to do when it is there, and
    refuses a name under which something else was restored.
  - With O(state=absent), removes a restored cluster without a snapshot; one that was switched into service, and any
    other, is refused.
  - A recovery point of AWS Backup for Aurora is a snapshot, so its ARN can be given as O(snapshot), also in the region
    that it was copied to.
options:
  name:
    description: Name of the restored cluster.
    type: str
    required: true
  state:
    description: Whether the restored cluster shall exist.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of everything made. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  source_cluster:
    description: The cluster to restore, and the model for all settings that are not given.
    type: str
    default: ""
  restore_to_time:
    description:
      - Moment to go back to, with its zone, such as C(2026-11-22T23:40:00Z), in whole seconds.
      - Without it and without O(snapshot), the latest possible moment.
    type: str
    default: ""
  snapshot:
    description: Name or ARN of a cluster snapshot.
    type: str
    default: ""
  wait_for_restorable:
    description: Seconds to wait until O(restore_to_time) can be restored, which takes AWS some minutes.
    type: int
    default: 900
  subnet_group:
    description: DB subnet group. The original's when not given.
    type: str
    default: ""
  security_group_ids:
    description: Security groups. The original's when not given.
    type: list
    elements: str
    default: []
  cluster_parameter_group:
    description: DB cluster parameter group. The original's when not given.
    type: str
    default: ""
  instance_parameter_group:
    description: DB parameter group. That of the original's writer when not given.
    type: str
    default: ""
  instance_class:
    description: Class of the instances. That of the original's writer when not given.
    type: str
    default: ""
  instance_count:
    description: Instances to make; one is enough to look at the data.
    type: int
    default: 1
  port:
    description: Port. The original's when not given.
    type: int
  kms_key_arn:
    description: Key for the storage. The original's when not given.
    type: str
    default: ""
  master_secret_kms_key_arn:
    description: Key for the secret of the master password that RDS manages. The original's when not given.
    type: str
    default: ""
  deletion_protection:
    description: Whether the restored cluster is protected.
    type: bool
    default: false
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Have the database as it was before the mistake
  stories1001.platform.aurora_restore:
    name: stories-production-restored
    tags:
      Project: 1001-stories
      Environment: production
    source_cluster: stories-production
    restore_to_time: "2026-11-22T23:40:00Z"
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: db_cluster/stories-production-restored:create
      sentence: Create restored Aurora cluster stories-production-restored
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {db_cluster: {stories-production-restored: {id: stories-production-restored}}}
endpoint:
  description: Where the restored database answers.
  returned: when state is present
  type: str
  sample: stories-production-restored.cluster-abc.us-east-1.rds.amazonaws.com
port:
  description: Its port.
  returned: when state is present
  type: int
  sample: 5432
database:
  description: Name of its database.
  returned: when state is present
  type: str
  sample: stories_db
master_secret_arn:
  description: Secret of its master user.
  returned: when state is present
  type: str
  sample: arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-1
began:
  description: When the restore was begun by this run, after any wait for O(restore_to_time).
  returned: when state is present
  type: str
  sample: "2026-11-22T23:41:02.512+00:00"
looked_at:
  description: When RV(latest_restorable) was read.
  returned: when the original exists
  type: str
  sample: "2026-11-22T23:40:58.100+00:00"
latest_restorable:
  description: The latest moment that could be restored then; what was written after it would have been lost.
  returned: when the original exists
  type: str
  sample: "2026-11-22T23:37:21+00:00"
"""

from datetime import UTC, datetime
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._aws.tags import named
from ..module_utils._aws.waiters import until
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State, planned
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused
from ..module_utils._rds.instances import DbInstance
from ..module_utils._recovery import restored
from ..module_utils._recovery.restored import RestoredCluster


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "source_cluster": {"type": "str", "default": ""},
            "restore_to_time": {"type": "str", "default": ""},
            "snapshot": {"type": "str", "default": ""},
            "wait_for_restorable": {"type": "int", "default": 900},
            "subnet_group": {"type": "str", "default": ""},
            "security_group_ids": {"type": "list", "elements": "str", "default": []},
            "cluster_parameter_group": {"type": "str", "default": ""},
            "instance_parameter_group": {"type": "str", "default": ""},
            "instance_class": {"type": "str", "default": ""},
            "instance_count": {"type": "int", "default": 1},
            "port": {"type": "int"},
            "kms_key_arn": {"type": "str", "default": "", "no_log": False},
            "master_secret_kms_key_arn": {"type": "str", "default": "", "no_log": False},
            "deletion_protection": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    with refusing(module):
        if wrong := restored.problems(module.params):
            raise PlanRefused(wrong)
        if module.params["state"] == "absent":
            _remove(module)
        else:
            _restore(module)


def _remove(module: Any) -> None:
    name, tags, aws = module.params["name"], module.params["tags"], Aws(module)
    cluster = RestoredCluster(aws, tags, name, apply_immediately=True, removing=True, keep_protection=False)
    converge_resources(module, [cluster, DbInstance(aws, tags, name)], None)


def _restore(module: Any) -> None:
    params, aws = module.params, Aws(module)
    name, source = params["name"], params["source_cluster"]
    origin = restored.origin(params)
    standing = RestoredCluster(aws, params["tags"], name).described()
    if standing:
        restored.refuse_another(restored.tags_of(standing), origin, name)
    original = RestoredCluster(aws, params["tags"], source).described() if source else None
    looked = datetime.now(UTC)
    timing: dict[str, Any] = {}
    if original:
        timing = {"looked_at": looked.isoformat(), "latest_restorable": original["LatestRestorableTime"].isoformat()}
    if not standing and origin.moment != "snapshot":
        _check_moment(module, aws, origin, original)
    settings = restored.inherited(params, original, _writer(aws, original))
    tags = named({**params["tags"], **origin.tags}, name)
    began = datetime.now(UTC)

    def outputs(state: State) -> dict[str, Any]:
        cluster = state["db_cluster", name]
        place = planned("db_cluster", name)
        return {
            **timing,
            "began": began.isoformat(),
            "endpoint": cluster.outputs.get("endpoint") or place,
            "port": cluster.fields.get("port") or settings["port"] or 5432,
            "database": cluster.fields.get("database_name") or (original or {}).get("DatabaseName"),
            "master_secret_arn": cluster.outputs.get("master_secret_arn") or place,
        }

    kind = RestoredCluster(aws, params["tags"], name, apply_immediately=True, origin=origin, settings=settings)
    instances = DbInstance(aws, params["tags"], name, apply_immediately=True)
    converge_resources(module, [kind, instances], restored.desired(params, settings, tags), outputs)


def _writer(aws: Aws, cluster: dict[str, Any] | None) -> dict[str, Any] | None:
    """The writer of a cluster as RDS describes it."""
    members = (cluster or {}).get("DBClusterMembers") or []
    names = [member["DBInstanceIdentifier"] for member in members if member.get("IsClusterWriter")]
    if not names:
        return None
    attempt = f"look at DB instance {names[0]}"
    found = aws.pages(attempt, "rds", "describe_db_instances", "DBInstances", DBInstanceIdentifier=names[0])
    return dict(found[0]) if found else None


def _check_moment(module: Any, aws: Aws, origin: restored.Origin, original: dict[str, Any] | None) -> None:
    """Refuse a moment that cannot be restored; wait for one that soon can."""
    if original is None:
        raise PlanRefused(
            [
                f"Looked for Aurora cluster {origin.source} to restore and found none in {module.region}. Name one "
                "that exists, or restore from a snapshot."
            ]
        )
    if origin.moment == restored.LATEST:
        return
    moment, now = datetime.fromisoformat(origin.moment), datetime.now(UTC)
    earliest = original["EarliestRestorableTime"]
    if moment < earliest or moment > now:
        raise PlanRefused(
            [
                f"Tried to restore {origin.source} to {origin.moment}; it can go back to any moment from "
                f"{restored.written(earliest)} until now, {restored.written(now)}. Choose one between."
            ]
        )
    if module.check_mode:
        return

    def read() -> str:
        found = RestoredCluster(aws, module.params["tags"], origin.source).described()
        return "restorable" if found and found["LatestRestorableTime"] >= moment else "not yet restorable"

    until(
        f"{origin.moment} of {origin.source} to be restorable",
        read,
        good={"restorable"},
        timeout=module.params["wait_for_restorable"],
    )


if __name__ == "__main__":
    main()

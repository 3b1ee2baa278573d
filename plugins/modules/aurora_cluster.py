#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: aurora_cluster
short_description: Make an Aurora PostgreSQL cluster with its groups, logs and instances
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes a DB subnet group, a cluster and an instance parameter group, the log groups, an encrypted Aurora PostgreSQL
    cluster whose master password RDS keeps in Secrets Manager, and its instances over the zones, or removes them all.
  - A change of a static parameter waits for a reboot, which is returned as RV(pending_reboot) and made only with
    O(reboot).
  - The stock modules change security groups and storage type on every run, reset an omitted backup retention to one
    day, and know no managed master password.
options:
  name:
    description: Identifier of the cluster; instances are called C(name-1), C(name-2) and so on.
    type: str
    required: true
  state:
    description: Whether the cluster shall exist. Removal is refused while O(deletion_protection=true).
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every resource. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  engine_version:
    description:
      - A major version such as C(15) keeps what stands, or takes the newest that AWS offers.
      - An exact one such as C(15.8) is made or upgraded to; a newer minor version that AWS installed counts as it.
    type: str
    default: "15"
  allow_major_version_upgrade:
    description: Allows a higher major version on a standing cluster.
    type: bool
    default: false
  subnet_ids:
    description: Subnets in at least two zones. Required when O(state=present).
    type: list
    elements: str
  security_group_ids:
    description: Security groups of the cluster. Required when O(state=present).
    type: list
    elements: str
  availability_zones:
    description: Zones over which the instances are spread in turn; AWS chooses when empty.
    type: list
    elements: str
    default: []
  snapshot:
    description:
      - Name or ARN of a cluster snapshot, or of a recovery point of AWS Backup, from which a cluster that does not
        exist yet is restored instead of being made empty. Of no effect once it stands.
      - O(database_name) and O(master_username) are then the snapshot's.
    type: str
    default: ""
  port:
    description: TCP port.
    type: int
    default: 5432
  database_name:
    description: The database that is made with the cluster.
    type: str
    default: stories_db
  master_username:
    description: The master user.
    type: str
    default: stories_admin
  master_secret_kms_key_arn:
    description: KMS key of the master user's secret; AWS's own when empty.
    type: str
    default: ""
  kms_key_arn:
    description: KMS key of the storage; AWS's own when empty. It can never be changed.
    type: str
    default: ""
  storage_type:
    description: V(aurora-iopt1) costs more for storage and nothing for I/O.
    type: str
    choices: [aurora, aurora-iopt1]
    default: aurora
  backup_retention_period:
    description: Days for which a point in time can be restored, 1 to 35.
    type: int
    default: 30
  preferred_backup_window:
    description: Daily window of the backup in UTC, at least 30 minutes.
    type: str
    default: 03:00-04:00
  preferred_maintenance_window:
    description: Weekly window of maintenance in UTC, at least 30 minutes, apart from O(preferred_backup_window).
    type: str
    default: sun:04:00-sun:05:00
  deletion_protection:
    description: Refuses to delete the cluster.
    type: bool
    default: true
  final_snapshot_name:
    description: Name of the snapshot that is taken on removal. Needed then, unless O(skip_final_snapshot=true).
    type: str
    default: ""
  skip_final_snapshot:
    description: Removes the cluster and its data without a last snapshot.
    type: bool
    default: false
  cloudwatch_logs_exports:
    description: Logs that are exported to CloudWatch Logs.
    type: list
    elements: str
    choices: [postgresql, instance, iam-db-auth-error]
    default: [postgresql]
  log_retention_days:
    description: For how long their log groups keep events.
    type: int
    default: 30
  log_kms_key_arn:
    description: KMS key of the log groups; AWS's own when empty.
    type: str
    default: ""
  iam_database_authentication:
    description: Lets IAM principals log in with a token.
    type: bool
    default: true
  copy_tags_to_snapshot:
    description: Gives snapshots the cluster's tags.
    type: bool
    default: true
  cluster_parameters:
    description: Parameters of the cluster parameter group by name; all others are AWS's defaults.
    type: dict
    default: {}
  instance_parameters:
    description: Parameters of the instance parameter group by name.
    type: dict
    default: {}
  serverless_v2_scaling:
    description: Capacity of instances of class C(db.serverless) in Aurora capacity units, in halves.
    type: dict
    suboptions:
      min_capacity:
        description: At least this many.
        type: float
        required: true
      max_capacity:
        description: At most this many.
        type: float
        required: true
  instance_count:
    description: Number of instances, the writer among them.
    type: int
    default: 3
  instance_class:
    description: Class of every instance.
    type: str
    default: db.r6g.large
  performance_insights:
    description: Records what sessions wait for.
    type: bool
    default: true
  performance_insights_retention:
    description: For how many days; 7 is free.
    type: int
    default: 7
  performance_insights_kms_key_arn:
    description: KMS key of Performance Insights; AWS's own when empty.
    type: str
    default: ""
  monitoring_interval:
    description: Seconds between two measurements of enhanced monitoring; 0 switches it off.
    type: int
    default: 60
  monitoring_role_arn:
    description: Role with which RDS writes these measurements. Needed unless O(monitoring_interval=0).
    type: str
    default: ""
  auto_minor_version_upgrade:
    description: Lets AWS install minor versions in the maintenance window.
    type: bool
    default: true
  ca_certificate_identifier:
    description: Certificate authority of the server certificates; AWS's default when empty.
    type: str
    default: ""
  apply_immediately:
    description:
      - Makes changes that interrupt the service now instead of in the maintenance window.
      - Otherwise such a change is returned as RV(pending) and counts as made.
    type: bool
    default: false
  reboot:
    description: Restarts instances, one after another, for which a changed static parameter waits.
    type: bool
    default: false
extends_documentation_fragment:
  - stories1001.platform.attributes
  - stories1001.platform.waiting
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the database
  stories1001.platform.aurora_cluster:
    name: stories-production
    tags: {Project: 1001-stories, Environment: production}
    engine_version: "15"
    subnet_ids: [subnet-0a, subnet-0b, subnet-0c]
    security_group_ids: [sg-0a]
    availability_zones: [us-east-1a, us-east-1b, us-east-1c]
    monitoring_role_arn: arn:aws:iam::123456789012:role/stories-production-rds-monitoring
    cluster_parameters:
      shared_preload_libraries: pg_stat_statements
      rds.force_ssl: true

- name: Make it in another region, with the data of a backup that was copied there
  stories1001.platform.aurora_cluster:
    region: us-west-2
    name: stories-recovery
    tags: {Project: 1001-stories, Environment: recovery}
    snapshot: arn:aws:rds:us-west-2:123456789012:cluster-snapshot:awsbackup:copyjob-0a1b
    subnet_ids: [subnet-0d, subnet-0e, subnet-0f]
    security_group_ids: [sg-0b]
    monitoring_role_arn: arn:aws:iam::123456789012:role/stories-recovery-rds-monitoring
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "db_cluster/stories-production:create", sentence: Create Aurora cluster stories-production}]
unfinished:
  description: What AWS still works at, and the steps left until then; empty unless O(wait=false).
  returned: success
  type: list
  elements: str
  sample: []
resources:
  description: Ids by kind and name. An id that does not exist yet is a placeholder that starts with C(planned:).
  returned: success
  type: dict
  sample: {db_cluster: {stories-production: {id: stories-production}}}
endpoint:
  description: Host name of the writer.
  returned: success and O(state=present)
  type: str
  sample: stories-production.cluster-abcdef.us-east-1.rds.amazonaws.com
reader_endpoint:
  description: Host name that leads to the readers.
  returned: success and O(state=present)
  type: str
  sample: stories-production.cluster-ro-abcdef.us-east-1.rds.amazonaws.com
master_secret_arn:
  description: ARN of the secret in which RDS keeps the master user's password.
  returned: success and O(state=present)
  type: str
  sample: arn:aws:secretsmanager:us-east-1:123456789012:secret:rds!cluster-0a1b
engine_version:
  description: The version of the cluster.
  returned: success and O(state=present)
  type: str
  sample: "15.8"
pending:
  description: What AWS will change in the next maintenance window, by resource.
  returned: success and O(state=present)
  type: dict
  sample: {stories-production-1: {DBInstanceClass: db.r6g.xlarge}}
pending_reboot:
  description: Instances for which a changed static parameter waits.
  returned: success and O(state=present)
  type: list
  elements: str
  sample: [stories-production-1]
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import Resource, State
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.steps import PlanRefused
from ..module_utils._rds.clusters import DbCluster, described_snapshot
from ..module_utils._rds.kinds import aurora_kinds, available_versions
from ..module_utils._rds.model import desired, problems, snapshot_problems
from ..module_utils._rds.versions import resolve


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "engine_version": {"type": "str", "default": "15"},
            "allow_major_version_upgrade": {"type": "bool", "default": False},
            "subnet_ids": {"type": "list", "elements": "str"},
            "security_group_ids": {"type": "list", "elements": "str"},
            "availability_zones": {"type": "list", "elements": "str", "default": []},
            "snapshot": {"type": "str", "default": ""},
            "port": {"type": "int", "default": 5432},
            "database_name": {"type": "str", "default": "stories_db"},
            "master_username": {"type": "str", "default": "stories_admin"},
            "master_secret_kms_key_arn": {"type": "str", "default": "", "no_log": False},
            "kms_key_arn": {"type": "str", "default": "", "no_log": False},
            "storage_type": {"type": "str", "choices": ["aurora", "aurora-iopt1"], "default": "aurora"},
            "backup_retention_period": {"type": "int", "default": 30},
            "preferred_backup_window": {"type": "str", "default": "03:00-04:00"},
            "preferred_maintenance_window": {"type": "str", "default": "sun:04:00-sun:05:00"},
            "deletion_protection": {"type": "bool", "default": True},
            "final_snapshot_name": {"type": "str", "default": ""},
            "skip_final_snapshot": {"type": "bool", "default": False},
            "cloudwatch_logs_exports": {
                "type": "list",
                "elements": "str",
                "choices": ["postgresql", "instance", "iam-db-auth-error"],
                "default": ["postgresql"],
            },
            "log_retention_days": {"type": "int", "default": 30},
            "log_kms_key_arn": {"type": "str", "default": "", "no_log": False},
            "iam_database_authentication": {"type": "bool", "default": True},
            "copy_tags_to_snapshot": {"type": "bool", "default": True},
            "cluster_parameters": {"type": "dict", "default": {}},
            "instance_parameters": {"type": "dict", "default": {}},
            "serverless_v2_scaling": {
                "type": "dict",
                "options": {
                    "min_capacity": {"type": "float", "required": True},
                    "max_capacity": {"type": "float", "required": True},
                },
            },
            "instance_count": {"type": "int", "default": 3},
            "instance_class": {"type": "str", "default": "db.r6g.large"},
            "performance_insights": {"type": "bool", "default": True},
            "performance_insights_retention": {"type": "int", "default": 7},
            "performance_insights_kms_key_arn": {"type": "str", "default": "", "no_log": False},
            "monitoring_interval": {"type": "int", "default": 60},
            "monitoring_role_arn": {"type": "str", "default": ""},
            "auto_minor_version_upgrade": {"type": "bool", "default": True},
            "ca_certificate_identifier": {"type": "str", "default": ""},
            "apply_immediately": {"type": "bool", "default": False},
            "reboot": {"type": "bool", "default": False},
            "wait": {"type": "bool", "default": True},
        },
        required_if=[("state", "present", ("subnet_ids", "security_group_ids"))],
        supports_check_mode=True,
    )
    params, aws = module.params, Aws(module)
    name, present = params["name"], params["state"] == "present"
    with refusing(module):
        if not present:
            _check_removal(params)
        wanted = _wanted(aws, params) if present else None
    kinds = aurora_kinds(
        aws,
        params["tags"],
        name,
        reboot=params["reboot"],
        apply_immediately=params["apply_immediately"],
        removing=not present,
        keep_protection=params["deletion_protection"],
        final_snapshot_name=params["final_snapshot_name"],
        major_upgrade=params["allow_major_version_upgrade"],
        snapshot=params["snapshot"],
    )
    converge_resources(
        module, kinds, wanted, lambda state: _outputs(state, name) if present else {}, wait=params["wait"]
    )


def _wanted(aws: Aws, params: dict[str, Any]) -> list[Resource]:
    if wrong := problems(params):
        raise PlanRefused(wrong)
    standing = DbCluster(aws, params["tags"], params["name"]).described()
    offered = available_versions(aws)
    version = standing["EngineVersion"] if standing else None
    if params["snapshot"] and standing is None:
        found = described_snapshot(aws, params["snapshot"])
        if wrong := snapshot_problems(params, found):
            raise PlanRefused(wrong)
        # Its own version, as long as AWS makes clusters of that.
        version = found["EngineVersion"] if found and found["EngineVersion"] in offered else None
    wanted = resolve(params["engine_version"], version, offered, major_upgrade=params["allow_major_version_upgrade"])
    return desired(params, wanted)


def _check_removal(params: dict[str, Any]) -> None:
    if bool(params["final_snapshot_name"]) == params["skip_final_snapshot"]:
        raise PlanRefused(
            [
                f"Tried to remove Aurora cluster {params['name']}; its data needs exactly one of final_snapshot_name "
                "and skip_final_snapshot. Choose one."
            ]
        )


def _outputs(state: State, name: str) -> dict[str, Any]:
    cluster = state["db_cluster", name]
    found = [one for one in state.values() if one.kind in ("db_cluster", "db_instance")]
    waiting = {one.name for one in found if one.fields.get("parameters_applied") is False}
    return {
        **{key: cluster.outputs.get(key) for key in ("endpoint", "reader_endpoint", "master_secret_arn")},
        "engine_version": cluster.fields["engine_version"],
        "pending": {one.name: one.outputs["pending"] for one in found if one.outputs.get("pending")},
        "pending_reboot": sorted(waiting.union(cluster.outputs.get("pending_reboot", ()))),
    }


if __name__ == "__main__":
    main()

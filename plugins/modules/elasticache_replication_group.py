#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: elasticache_replication_group
short_description: Make a replicated Redis or Valkey cache with its subnet group, parameters and logs
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes a replication group (cluster mode off) over several zones with its subnet group, its parameter group
    and the log groups of its slow log and engine log, or removes them all.
  - The AUTH token is read out of a secret inside the module and never shown. AWS does not tell a token either, so the
    version of the secret that was set last is kept in the tag C(AuthTokenVersion) of the replication group.
  - The stock modules make single cache clusters only, and reject the parameter group family C(redis7).
options:
  name:
    description: Id of the replication group, up to 40 characters; names of the other resources begin with it.
    type: str
    required: true
  state:
    description: Whether the cache shall exist.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every resource. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  description:
    description: What the cache is for.
    type: str
    default: ""
  engine:
    description: Which engine.
    type: str
    choices: [redis, valkey]
    default: redis
  engine_version:
    description: Major and minor version; patches are AWS's to choose.
    type: str
    default: "7.1"
  node_type:
    description: Size of every node.
    type: str
    default: cache.t3.medium
  num_cache_clusters:
    description: Number of nodes, the primary among them, 1 to 6.
    type: int
    default: 3
  port:
    description: TCP port.
    type: int
    default: 6379
  subnet_ids:
    description: Subnets of the nodes. Required when O(state=present).
    type: list
    elements: str
  security_group_ids:
    description: Security groups of the nodes. Required when O(state=present).
    type: list
    elements: str
  automatic_failover:
    description: Promotes a replica when the primary fails. Needs two nodes.
    type: bool
    default: true
  multi_az:
    description: Spreads the nodes over zones. Needs O(automatic_failover).
    type: bool
    default: true
  kms_key_arn:
    description: KMS key of the encryption at rest; AWS's own when empty.
    type: str
    default: ""
  transit_encryption:
    description: Demands TLS of every client.
    type: bool
    default: true
  auth_token_secret:
    description: ARN of the secret whose whole value is the AUTH token, 16 to 128 characters; no AUTH when empty.
    type: str
    default: ""
  auth_token_update_strategy:
    description:
      - V(rotate) lets the old token live beside the new one, so that clients can change over.
      - V(set) then ends the old one.
    type: str
    choices: [rotate, set]
    default: rotate
  parameter_group_family:
    description: Family of the parameter group.
    type: str
    default: redis7
  parameters:
    description: Parameters by name; all others are AWS's defaults.
    type: dict
    default: {}
  logs:
    description: Logs to deliver to CloudWatch Logs.
    type: list
    elements: str
    choices: [slow-log, engine-log]
    default: [slow-log, engine-log]
  log_format:
    description: Format of these logs.
    type: str
    choices: [json, text]
    default: json
  log_retention_days:
    description: For how long their log groups keep events.
    type: int
    default: 30
  log_kms_key_arn:
    description: KMS key of the log groups; AWS's own when empty.
    type: str
    default: ""
  snapshot_retention_limit:
    description: Days for which automatic snapshots are kept, 0 to 35.
    type: int
    default: 7
  snapshot_window:
    description: Daily hour of the snapshot in UTC.
    type: str
    default: 03:00-04:00
  preferred_maintenance_window:
    description: Weekly hour of maintenance in UTC, apart from O(snapshot_window).
    type: str
    default: sun:04:00-sun:05:00
  auto_minor_version_upgrade:
    description: Lets AWS install minor versions in the maintenance window.
    type: bool
    default: true
  notification_topic_arn:
    description: SNS topic of the events; none when empty.
    type: str
    default: ""
  apply_immediately:
    description:
      - Changes node type and version now instead of in the maintenance window.
      - Otherwise such a change is returned as RV(pending) and counts as made.
    type: bool
    default: false
  final_snapshot_name:
    description: Name of the snapshot that is taken on removal; none is taken when empty.
    type: str
    default: ""
extends_documentation_fragment:
  - stories1001.platform.attributes
  - stories1001.platform.waiting
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the cache
  stories1001.platform.elasticache_replication_group:
    name: stories-production-redis
    tags: {Project: 1001-stories, Environment: production}
    subnet_ids: [subnet-0a, subnet-0b, subnet-0c]
    security_group_ids: [sg-0a]
    auth_token_secret: arn:aws:secretsmanager:us-east-1:123456789012:secret:stories-production-redis-auth-token-AbCdEf
    parameters:
      maxmemory-policy: allkeys-lru
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample:
    - id: "replication_group/stories-production-redis:create"
      sentence: Create replication group stories-production-redis
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
  sample: {replication_group: {stories-production-redis: {id: stories-production-redis}}}
primary_endpoint:
  description: Host name of the primary, for writes.
  returned: success and O(state=present)
  type: str
  sample: master.stories-production-redis.abcdef.use1.cache.amazonaws.com
reader_endpoint:
  description: Host name that leads to the replicas.
  returned: success and O(state=present)
  type: str
  sample: replica.stories-production-redis.abcdef.use1.cache.amazonaws.com
pending:
  description: What AWS will change in the next maintenance window.
  returned: success and O(state=present)
  type: dict
  sample: {CacheNodeType: cache.r7g.large}
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._elasticache.kinds import cache_kinds
from ..module_utils._elasticache.model import ENGINE_LOG, SLOW_LOG, desired
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.resources import State
from ..module_utils._engine.runner import refusing
from ..module_utils._secrets.kinds import current_version


def main() -> None:
    logs = [SLOW_LOG, ENGINE_LOG]
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "description": {"type": "str", "default": ""},
            "engine": {"type": "str", "choices": ["redis", "valkey"], "default": "redis"},
            "engine_version": {"type": "str", "default": "7.1"},
            "node_type": {"type": "str", "default": "cache.t3.medium"},
            "num_cache_clusters": {"type": "int", "default": 3},
            "port": {"type": "int", "default": 6379},
            "subnet_ids": {"type": "list", "elements": "str"},
            "security_group_ids": {"type": "list", "elements": "str"},
            "automatic_failover": {"type": "bool", "default": True},
            "multi_az": {"type": "bool", "default": True},
            "kms_key_arn": {"type": "str", "default": "", "no_log": False},
            "transit_encryption": {"type": "bool", "default": True},
            "auth_token_secret": {"type": "str", "default": "", "no_log": False},
            "auth_token_update_strategy": {
                "type": "str",
                "choices": ["rotate", "set"],
                "default": "rotate",
                "no_log": False,
            },
            "parameter_group_family": {"type": "str", "default": "redis7"},
            "parameters": {"type": "dict", "default": {}},
            "logs": {"type": "list", "elements": "str", "choices": logs, "default": logs},
            "log_format": {"type": "str", "choices": ["json", "text"], "default": "json"},
            "log_retention_days": {"type": "int", "default": 30},
            "log_kms_key_arn": {"type": "str", "default": "", "no_log": False},
            "snapshot_retention_limit": {"type": "int", "default": 7},
            "snapshot_window": {"type": "str", "default": "03:00-04:00"},
            "preferred_maintenance_window": {"type": "str", "default": "sun:04:00-sun:05:00"},
            "auto_minor_version_upgrade": {"type": "bool", "default": True},
            "notification_topic_arn": {"type": "str", "default": ""},
            "apply_immediately": {"type": "bool", "default": False},
            "final_snapshot_name": {"type": "str", "default": ""},
            "wait": {"type": "bool", "default": True},
        },
        required_if=[("state", "present", ("subnet_ids", "security_group_ids"))],
        supports_check_mode=True,
    )
    params = module.params
    aws, secret, name = Aws(module), params["auth_token_secret"], params["name"]
    with refusing(module):
        wanted = desired(params, current_version(aws, secret) if secret else None) if _present(params) else None
    kinds = cache_kinds(
        aws,
        params["tags"],
        name,
        auth_token_secret=secret,
        token_strategy=params["auth_token_update_strategy"].upper(),
        apply_immediately=params["apply_immediately"],
        final_snapshot_name=params["final_snapshot_name"],
        engine=(params["engine"], params["engine_version"]) if wanted else None,
    )

    def outputs(state: State) -> dict[str, Any]:
        group = state["replication_group", name].outputs
        return {key: group.get(key) for key in ("primary_endpoint", "reader_endpoint", "pending")}

    converge_resources(module, kinds, wanted, outputs if _present(params) else lambda state: {}, wait=params["wait"])


def _present(params: dict[str, Any]) -> bool:
    return bool(params["state"] == "present")


if __name__ == "__main__":
    main()

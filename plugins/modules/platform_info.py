#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: platform_info
short_description: Find what earlier phases made, by its tags
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Reads the ids that a phase needs from AWS itself, the only state there is.
  - Checks the credentials and the region first, so that a phase fails with one sentence before it writes.
  - A section whose phase has not run is an error that names the playbook to run. In check mode its ids
    are placeholders that start with C(planned:), so that a plan of several phases can be made on an
    empty account.
options:
  name_prefix:
    description: Prefix of every name, such as C(stories-production).
    type: str
    required: true
  tags:
    description: Tags C(Project) and C(Environment) that identify the platform.
    type: dict
    required: true
  requires:
    description: Sections that must exist.
    type: list
    elements: str
    default: []
  optional:
    description: Sections that may exist; one that does not is null.
    type: list
    elements: str
    default: []
  availability_zones:
    description: Zones that must exist in the region.
    type: list
    elements: str
    default: []
  engine_versions:
    description:
      - Versions that the region must offer, unless they run already, by engine. C(aurora-postgresql) takes a major
        version or an exact one, C(redis) and C(valkey) a major and minor version. An empty one is not asked for.
    type: dict
    default: {}
  known:
    description:
      - What an earlier task of the same run returned. Account, zones and sections that are in it are not asked for
        again, and are returned with the others. What another platform or region returned is not used.
      - Give it only what nobody has changed since, as the phases do; each comes after those that make its sections.
    type: dict
    default: {}
attributes:
  check_mode:
    description: Reads only.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Find what phase 1 made
  stories1001.platform.platform_info:
    name_prefix: stories-production
    tags: {Project: 1001-stories, Environment: production}
    requires: [network]
  register: platform

- name: Show the subnets of the data tier
  ansible.builtin.debug:
    var: platform.network.data_subnet_ids
"""

RETURN = r"""
account_id:
  description: The account of the credentials in use.
  returned: success
  type: str
  sample: "123456789012"
partition:
  description: The AWS partition.
  returned: success
  type: str
  sample: aws
name_prefix:
  description: Whose resources these are.
  returned: success
  type: str
  sample: stories-production
region:
  description: Where they are.
  returned: success
  type: str
  sample: us-east-1
network:
  description: One key for each required section; here that of the network.
  returned: when required
  type: dict
  sample: {vpc_id: vpc-0a1b2c3d, data_subnet_ids: [subnet-0a1b2c3d]}
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.runner import refusing
from ..module_utils._engine.side_by_side import together
from ..module_utils._engine.steps import PlanRefused
from ..module_utils._platform.account import caller, region_problems, zone_problems
from ..module_utils._platform.engines import engine_problems
from ..module_utils._platform.sections import SECTIONS, Where, read


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name_prefix": {"type": "str", "required": True},
            "tags": {"type": "dict", "required": True},
            "requires": {"type": "list", "elements": "str", "default": []},
            "optional": {"type": "list", "elements": "str", "default": []},
            "availability_zones": {"type": "list", "elements": "str", "default": []},
            "engine_versions": {"type": "dict", "default": {}},
            "known": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    params = module.params
    aws = Aws(module)
    with refusing(module):
        if unknown := sorted({*params["requires"], *params["optional"]} - set(SECTIONS)):
            sections = ", ".join(sorted(SECTIONS))
            raise PlanRefused([f"Asked for the sections {', '.join(unknown)}; there are {sections}. Mend the play."])
        whose = {"name_prefix": params["name_prefix"], "region": str(aws.region)}
        known: dict[str, Any] = params["known"] if whose.items() <= params["known"].items() else {}
        me: dict[str, str] = {name: known[name] for name in ("account_id", "partition") if name in known}
        if not me:
            if wrong := region_problems(aws):
                raise PlanRefused(wrong)
            wrong, me = together(lambda: zone_problems(aws, params["availability_zones"]), lambda: caller(aws))
            if wrong:
                raise PlanRefused(wrong)
        if wrong := engine_problems(aws, params["tags"], params["name_prefix"], params["engine_versions"]):
            raise PlanRefused(wrong)
        had = {name: known[name] for name in SECTIONS if known.get(name) is not None}
        where = Where(params["name_prefix"], params["tags"], me["account_id"], str(aws.region))
        asked, perhaps = ([one for one in params[kind] if one not in had] for kind in ("requires", "optional"))
        (told, missing), (found, _absent) = together(
            lambda: read(aws, where, asked, placeholders=module.check_mode),
            lambda: read(aws, where, perhaps, placeholders=False),
        )
        if missing:
            raise PlanRefused(missing)
        nothing = dict.fromkeys(params["optional"])
        module.exit_json(changed=False, **whose, **me, **{**nothing, **had, **found, **told})


if __name__ == "__main__":
    main()

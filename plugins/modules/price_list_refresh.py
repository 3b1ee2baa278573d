#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: price_list_refresh
short_description: Bring the price list of a region up to date from the AWS Price List API
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Asks C(pricing:GetProducts) for the on-demand price of everything that a price list of this collection holds by
    region, and writes those that differ into the list's file. A list that does not exist is made.
  - What the API does not answer stays as it is and is told under RV(not_found). Prices that are the same in every
    region stand in C(global.yml) and are not asked for.
  - The Price List API answers in C(us-east-1) for every region; it is free and needs C(pricing:GetProducts).
options:
  path:
    description: The file of the list, on the machine where the module runs.
    type: path
    required: true
  price_region:
    description: The region whose prices are asked for.
    type: str
    required: true
  instance_classes:
    description: Database instance classes to ask for, beside those of the list.
    type: list
    elements: str
    default: []
  node_types:
    description: Cache node types to ask for, beside those of the list.
    type: list
    elements: str
    default: []
  other_region:
    description: Region to which backups are copied; the price of the way there is asked for too.
    type: str
    default: ""
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Bring the prices of Frankfurt up to date
  stories1001.platform.price_list_refresh:
    path: roles/cost_control/files/price_lists/eu-central-1.yml
    price_region: eu-central-1
    instance_classes: [db.t4g.medium]
    node_types: [cache.t4g.micro]
"""

RETURN = r"""
steps:
  description: Each price that was changed, or in check mode would be.
  returned: always
  type: list
  elements: dict
  sample: [{id: "price/nat_gateway/hour:change", sentence: "Change nat_gateway/hour from $0.05 to $0.052"}]
not_found:
  description: Prices that the API did not answer, or answered with several, which stay as they are.
  returned: success
  type: list
  elements: str
  sample: [rds_proxy/acu_hour]
date:
  description: The date of the list.
  returned: success
  type: str
  sample: "2026-02-01"
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._costs.listed import answers_of, converge_list, read_list


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "price_region": {"type": "str", "required": True},
            "instance_classes": {"type": "list", "elements": "str", "default": []},
            "node_types": {"type": "list", "elements": "str", "default": []},
            "other_region": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    params: dict[str, Any] = module.params
    converge_list(
        module,
        params["path"],
        read_list(params["path"], params["price_region"]),
        lambda known: answers_of(Aws(module), params, known),
    )


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: secretsmanager_secrets
short_description: Keep secrets in Secrets Manager without ever overwriting or showing their values
version_added: "0.1.0"
author: 1001 Stories (@1001stories)
description:
  - Makes secrets whose values are given, generated, or copied out of other secrets, and removes them with
    a recovery window.
  - A value is written once, when the secret has none. It is written again only with O(secrets[].rotate), or
    with O(secrets[].follow) when it differs from what it is made of. The stock module overwrites by default,
    so that a generated value changes on every run.
  - A secret of the same name that waits for its deletion is restored with the value it had.
  - No value is returned, shown in a diff or written to a log.
options:
  name_prefix:
    description: Prefix of all names, such as C(stories-production). Only these secrets are ever listed.
    type: str
    required: true
  state:
    description: Whether the secrets shall exist. With V(absent) and no O(secrets), all with the prefix are removed.
    type: str
    choices: [present, absent]
    default: present
  tags:
    description: Tags of every secret. C(Project) and C(Environment) identify the platform.
    type: dict
    required: true
  recovery_window_in_days:
    description: Days in which a removed secret can be restored, 7 to 30.
    type: int
    default: 30
  secrets:
    description: The secrets.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Full name. It may not end in a hyphen and six characters, which AWS takes for an ARN's.
        type: str
        required: true
      description:
        description: What it is for.
        type: str
        default: ""
      kms_key_id:
        description: ARN, id or alias of the KMS key that encrypts it; AWS's own key when left out.
        type: str
      value:
        description: The value itself. Give exactly one of O(secrets[].value), O(secrets[].text), O(secrets[].json).
        type: str
      text:
        description: A text with C({name}) placeholders for parts that are generated or copied.
        type: str
      json:
        description: A JSON object of strings, which may hold C({name}) placeholders.
        type: dict
      generate:
        description: Parts that are generated, once.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Its placeholder.
            type: str
            required: true
          length:
            description: Number of characters, at least 16.
            type: int
            default: 40
          characters:
            description: What it is made of. Letters and digits need no escaping in a URL.
            type: str
            default: abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789
      copy:
        description: Parts that are copied out of other secrets.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Its placeholder.
            type: str
            required: true
          secret_id:
            description: ARN or name of the secret to read.
            type: str
            required: true
          key:
            description: Key of its JSON object; the whole value when left out.
            type: str
            default: ""
      follow:
        description:
          - Writes the value again when it differs from what it is made of, such as an address inside a URL.
          - Excludes generated parts.
        type: bool
        default: false
      rotate:
        description: Writes a new value in this run, whatever the present one is.
        type: bool
        default: false
      policy:
        description: Resource policy; not managed when left out. AWS refuses one that opens the secret to all.
        type: dict
extends_documentation_fragment:
  - stories1001.platform.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the secrets of the application
  stories1001.platform.secretsmanager_secrets:
    name_prefix: stories-production
    tags: {Project: 1001-stories, Environment: production}
    secrets:
      - name: stories-production-app-user
        description: The application's own database user
        json: {username: stories_app, password: "{password}"}
        generate: [{name: password, length: 40}]
      - name: stories-production-database-url
        text: postgresql://stories_app:{password}@db.example.internal:5432/stories_db
        copy: [{name: password, secret_id: stories-production-app-user, key: password}]
        follow: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: dict
  sample: [{id: "secret/stories-production-app-user:create", sentence: Create secret stories-production-app-user}]
resources:
  description: Ids by kind and name.
  returned: success
  type: dict
  sample: {secret: {stories-production-app-user: {id: "arn:aws:secretsmanager:…", arn: "arn:aws:secretsmanager:…"}}}
arns:
  description: ARNs by name. One that does not exist yet is a placeholder that starts with C(planned:).
  returned: success and O(state=present)
  type: dict
  sample: {stories-production-app-user: "arn:aws:secretsmanager:…"}
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ..module_utils._aws.api import Aws
from ..module_utils._engine.kinds import converge_resources
from ..module_utils._engine.runner import refusing
from ..module_utils._secrets.kinds import Secret
from ..module_utils._secrets.model import ALPHANUMERIC, desired


def main() -> None:
    generate = {
        "name": {"type": "str", "required": True},
        "length": {"type": "int", "default": 40},
        "characters": {"type": "str", "default": ALPHANUMERIC},
    }
    # no_log is said of the names of keys too; they are names, and the values live in AWS alone.
    copy = {
        "name": {"type": "str", "required": True},
        "secret_id": {"type": "str", "required": True, "no_log": False},
        "key": {"type": "str", "default": "", "no_log": False},
    }
    secret = {
        "name": {"type": "str", "required": True},
        "description": {"type": "str", "default": ""},
        "kms_key_id": {"type": "str", "no_log": False},
        "value": {"type": "str", "no_log": True},
        "text": {"type": "str"},
        "json": {"type": "dict"},
        "generate": {"type": "list", "elements": "dict", "default": [], "options": generate},
        "copy": {"type": "list", "elements": "dict", "default": [], "options": copy},
        "follow": {"type": "bool", "default": False},
        "rotate": {"type": "bool", "default": False},
        "policy": {"type": "dict"},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name_prefix": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tags": {"type": "dict", "required": True},
            "recovery_window_in_days": {"type": "int", "default": 30},
            "secrets": {"type": "list", "elements": "dict", "default": [], "options": secret, "no_log": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    present = params["state"] == "present"
    specs = {spec["name"]: spec for spec in params["secrets"]}
    kind = Secret(
        Aws(module),
        params["tags"],
        params["name_prefix"],
        specs if present or specs else None,
        params["recovery_window_in_days"],
        restore=present,
    )
    with refusing(module):
        wanted = desired(params) if present else None
    converge_resources(
        module,
        [kind],
        wanted,
        lambda state: {"arns": {name: state["secret", name].id for name in specs}} if present else {},
    )


if __name__ == "__main__":
    main()

"""Imported by the fork server of tests: botocore's parsed service models, kept for all its forks.

Parsing them costs more than all the rest of a short module run. A fork gets a copy of its own (copy on write).
"""

from __future__ import annotations

import functools
import gc

import botocore.session
from botocore.loaders import JSONFileLoader

_SERVICES = """
ec2 ecs elbv2 rds elasticache iam kms s3 logs secretsmanager sts ecr application-autoscaling servicediscovery
resourcegroupstaggingapi acm cloudfront wafv2 lambda sqs dynamodb cloudwatch sns
"""

JSONFileLoader.load_file = functools.cache(JSONFileLoader.load_file)
_loader = botocore.session.get_session().get_component("data_loader")
for _service in _SERVICES.split():
    for _kind in ("service-2", "endpoint-rule-set-1"):
        _loader.load_service_model(_service, _kind)
# A collection in a fork would touch, and so copy, every page of them.
gc.collect()
gc.freeze()

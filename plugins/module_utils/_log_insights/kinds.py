# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How CloudWatch Logs lists, makes, changes and removes saved queries and metric filters: one list call a sort."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from .._aws.api import Aws
from .._engine.kinds import Kind
from .._engine.resources import Found, Resource, Traits
from .model import filter_fields, query_fields, query_name, transformation


class QueryDefinition(Kind):
    """Saved queries in the folder of our prefix."""

    kind = "query_definition"
    traits = Traits("saved query")

    def __init__(self, aws: Aws, prefix: str) -> None:
        self._aws = aws
        self._folder = query_name(prefix, "")

    def observe(self) -> Iterable[Found]:
        # boto3 has no paginator for this call.
        token: dict[str, str] = {}
        while True:
            answer = self._aws.call(
                f"list the saved queries {self._folder}*",
                "logs",
                "describe_query_definitions",
                queryDefinitionNamePrefix=self._folder,
                **token,
            )
            for one in answer.get("queryDefinitions", []):
                yield Found(self.kind, one["name"], one["queryDefinitionId"], query_fields(one))
            if not answer.get("nextToken"):
                return
            token = {"nextToken": answer["nextToken"]}

    def create(self, wanted: Resource) -> Found:
        ident = self._put(f"save query {wanted.name}", wanted)["queryDefinitionId"]
        return Found(self.kind, wanted.name, ident, wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        self._put(f"change {', '.join(fields)} of saved query {found.name}", wanted, queryDefinitionId=found.id)

    def _put(self, attempt: str, wanted: Resource, **ident: str) -> Any:
        fields = wanted.fields
        return self._aws.call(
            attempt,
            "logs",
            "put_query_definition",
            name=wanted.name,
            queryString=fields["query"],
            logGroupNames=fields["log_groups"],
            **ident,
        )

    def delete(self, found: Found) -> None:
        attempt = f"delete saved query {found.name}"
        self._aws.call(attempt, "logs", "delete_query_definition", queryDefinitionId=found.id)


class MetricFilter(Kind):
    """Metric filters whose metrics lie in the namespace of our prefix."""

    kind = "metric_filter"
    traits = Traits("metric filter")

    def __init__(self, aws: Aws, prefix: str) -> None:
        self._aws = aws
        self._namespace = prefix

    def observe(self) -> Iterable[Found]:
        attempt = f"list the metric filters of {self._namespace}"
        for one in self._aws.pages(attempt, "logs", "describe_metric_filters", "metricFilters"):
            if one["metricTransformations"][0]["metricNamespace"] == self._namespace:
                yield Found(self.kind, one["filterName"], one["filterName"], filter_fields(one))

    def one_at_a_time(self, wanted: Resource) -> Hashable:
        # CloudWatch Logs answers OperationAborted to two that change the same log group.
        return str(wanted.fields["log_group"])

    def create(self, wanted: Resource) -> Found:
        self._put(f"create metric filter {wanted.name}", wanted)
        return Found(self.kind, wanted.name, wanted.name, wanted.fields)

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        if "log_group" in fields:
            self.delete(found)  # a filter belongs to its log group; one that moves is made anew
        self._put(f"change {', '.join(fields)} of metric filter {found.name}", wanted)

    def _put(self, attempt: str, wanted: Resource) -> None:
        self._aws.call(
            attempt,
            "logs",
            "put_metric_filter",
            logGroupName=wanted.fields["log_group"],
            filterName=wanted.name,
            filterPattern=wanted.fields["pattern"],
            metricTransformations=[transformation(wanted.fields)],
        )

    def delete(self, found: Found) -> None:
        attempt, group = f"delete metric filter {found.name}", found.fields["log_group"]
        self._aws.call(attempt, "logs", "delete_metric_filter", logGroupName=group, filterName=found.name)

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Alarms on a percentile: AWS shows the percentile and no other statistic; ministack adds an average."""

from __future__ import annotations

from local_cloud.control_plane.overlay import Call, Params, registry


@registry.handles("cloudwatch", "DescribeAlarms")
async def describe_alarms(call: Call) -> Params:
    answer = await call.forward()
    for alarm in answer.get("MetricAlarms", []):
        if alarm.get("ExtendedStatistic"):
            alarm.pop("Statistic", None)
    return answer

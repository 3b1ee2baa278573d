# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What phases 5 and 6 cost: logs, metrics, traces, notices, backups."""

from __future__ import annotations

from .bill import USAGE_KIND, Description, Part, Rule, above

# Free each month. Source: the pages named in price_lists/global.yml.
_FREE_TRACES = 100_000
_FREE_EMAILS = 1_000


def _logs(description: Description, _name: str) -> list[Part]:
    written = description.usage("log_gb")
    # Kept for about a month, so that what is stored is what a month writes.
    return [
        Part(written, "GB written", "cloudwatch_logs/gb"),
        Part(written, "GB kept", "cloudwatch_logs/gb_month"),
    ]


def _watching(description: Description, name: str) -> list[Part]:
    if name == "custom metrics":
        return [Part(description.usage("custom_metrics"), "metrics", "cloudwatch/metric_month")]
    if name == "traces":
        return [Part(above(description.usage("traces"), _FREE_TRACES) / 1e6, "M", "xray/million_traces")]
    return [Part(above(description.usage("emails"), _FREE_EMAILS) / 1e3, "thousand", "sns/thousand_emails")]


RULES = (
    Rule(3, USAGE_KIND, lambda _description: ["logs"], _logs),
    Rule(5, USAGE_KIND, lambda _description: ["custom metrics", "traces", "e-mails"], _watching),
)

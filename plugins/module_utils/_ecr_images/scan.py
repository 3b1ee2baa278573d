# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a scan of an image found, and whether that is allowed: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED")
# Basic scanning ends as COMPLETE, enhanced scanning (Amazon Inspector) goes on for ever as ACTIVE.
_DONE = ("COMPLETE", "ACTIVE")
_FAILED = ("FAILED", "UNSUPPORTED_IMAGE", "SCAN_ELIGIBILITY_EXPIRED", "FINDINGS_UNAVAILABLE", "LIMIT_EXCEEDED")
_SHOWN = 5  # findings that a sentence names


@dataclass(frozen=True)
class Scan:
    """status: AWS's word. counts: findings by severity. findings: name, severity, package, uri of each."""

    status: str
    reason: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Mapping[str, str], ...] = ()

    @property
    def done(self) -> bool:
        return self.status in _DONE

    @property
    def failed(self) -> bool:
        return self.status in _FAILED


def scan_of(answer: Mapping[str, Any]) -> Scan:
    """From the answer of DescribeImageScanFindings."""
    told = answer.get("imageScanStatus", {})
    found = answer.get("imageScanFindings", {})
    counts = {name: int(count) for name, count in found.get("findingSeverityCounts", {}).items()}
    findings = [*map(_basic, found.get("findings", [])), *map(_enhanced, found.get("enhancedFindings", []))]
    findings.sort(key=lambda one: (_rank(one["severity"]), one["name"]))
    return Scan(told.get("status", ""), told.get("description", ""), counts, tuple(findings))


def too_many(scan: Scan, allowed: Mapping[str, int]) -> Iterator[str]:
    """One sentence for each severity of which there are more than allowed."""
    for severity, most in sorted(allowed.items(), key=lambda one: _rank(one[0])):
        count = scan.counts.get(severity, 0)
        if count <= most:
            continue
        named = [one for one in scan.findings if one["severity"] == severity][:_SHOWN]
        shown = ", ".join(f"{one['name']} in {one['package'] or 'the image'}" for one in named)
        yield f"{count} findings of severity {severity}, allowed are {most}" + (f": {shown}" if shown else "")


def wrong_limits(allowed: Mapping[str, Any]) -> Iterator[str]:
    for severity, most in allowed.items():
        if severity not in SEVERITIES:
            yield f"Read severity {severity} in maximum_findings; ECR knows {', '.join(SEVERITIES)}. Name one of them."
        elif not isinstance(most, int) or isinstance(most, bool) or most < 0:
            yield f"Read {most!r} for {severity} in maximum_findings; give a number of findings, 0 or more."


def _basic(finding: Mapping[str, Any]) -> dict[str, str]:
    attributes = {one["key"]: one.get("value", "") for one in finding.get("attributes", [])}
    package = " ".join(filter(None, (attributes.get("package_name"), attributes.get("package_version"))))
    return {
        "name": finding.get("name", ""),
        "severity": finding.get("severity", "UNDEFINED"),
        "package": package,
        "uri": finding.get("uri", ""),
    }


def _enhanced(finding: Mapping[str, Any]) -> dict[str, str]:
    details = finding.get("packageVulnerabilityDetails", {})
    packages = [f"{one.get('name', '')} {one.get('version', '')}" for one in details.get("vulnerablePackages", [])]
    return {
        "name": details.get("vulnerabilityId") or finding.get("title", ""),
        "severity": finding.get("severity", "UNDEFINED"),
        "package": ", ".join(packages),
        "uri": details.get("sourceUrl", ""),
    }


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)

# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Redirects, weights and matchers, without a load balancer."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from local_cloud.data_plane.load_balancer.rules import Seen, choose_group, code_matches, redirect_location
from tests.local_cloud.data_plane.stage import forward

SEEN = Seen("GET", "stories.example.com:80", "/library", "page=2", {}, "127.0.0.1", "HTTP", 80)


@pytest.mark.parametrize(
    ("config", "offset", "location"),
    [
        ({"Protocol": "HTTPS", "Port": "443"}, 0, "https://stories.example.com/library?page=2"),
        ({"Protocol": "HTTPS", "Port": "443"}, 20000, "https://stories.example.com:20443/library?page=2"),
        ({"Host": "www.#{host}", "Path": "/new/#{path}"}, 0, "http://www.stories.example.com/new/library?page=2"),
        ({"Query": ""}, 0, "http://stories.example.com/library"),
        ({"Port": "8080"}, 20000, "http://stories.example.com:8080/library?page=2"),
    ],
)
def test_a_redirect_fills_its_placeholders(config: dict[str, str], offset: int, location: str) -> None:
    assert redirect_location(config, SEEN, offset) == location


@pytest.mark.parametrize(
    ("matcher", "code", "matches"),
    [("200", 200, True), ("200", 204, False), ("200,301", 301, True), ("200-299", 250, True), ("200-299", 300, False)],
)
def test_a_matcher_takes_codes_lists_and_ranges(matcher: str, code: int, matches: bool) -> None:
    assert code_matches(matcher, code) is matches


def test_groups_are_chosen_by_weight_and_never_with_weight_0() -> None:
    action = forward(("a", 3), ("b", 1), ("c", 0))[0]
    found = Counter(choose_group(action, None) for _ in range(4000))
    assert found.keys() == {"a", "b"}
    assert 0.7 < found["a"] / 4000 < 0.8


@pytest.mark.parametrize(
    ("weights", "sticky", "stuck_to", "chosen"),
    [
        ((0, 0), {}, None, None),
        ((0, 5), {}, "a", "b"),
        ((1, 10**6), {"Enabled": True}, "a", "a"),
        ((0, 5), {"Enabled": True}, "a", "b"),
        ((0, 5), {"Enabled": True}, "gone", "b"),
    ],
    ids=[
        "no weight, no group",
        "a cookie counts only where stickiness is on",
        "stickiness beats weight",
        "weight 0 ends stickiness",
        "a group that left the action binds nobody",
    ],
)
def test_a_sticky_client_is_bound_to_its_group(
    weights: tuple[int, int], sticky: dict[str, Any], stuck_to: str | None, chosen: str | None
) -> None:
    assert choose_group(forward(("a", weights[0]), ("b", weights[1]), **sticky)[0], stuck_to) == chosen

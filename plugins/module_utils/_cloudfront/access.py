# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may reach what: CloudFront the buckets (origin access controls), viewers the signed paths (keys)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._engine.resources import Found, Resource, Traits
from .api import NamedKind


class OriginAccessControl(NamedKind):
    kind = "origin_access_control"
    thing = "OriginAccessControl"
    snake = "origin_access_control"
    listing = ("list_origin_access_controls", "OriginAccessControlList", {})
    comment_key = "Description"
    in_use = "OriginAccessControlInUse"
    traits = Traits("origin access control")

    def unpacked(self, item: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        return item["Id"], item

    def fields(self, config: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "comment": config.get("Description", ""),
            "signing": config["SigningBehavior"],
            "protocol": config["SigningProtocol"],
            "origin_type": config["OriginAccessControlOriginType"],
        }

    def config(self, wanted: Resource) -> dict[str, Any]:
        return {
            "Name": wanted.name,
            "Description": wanted.fields["comment"],
            "SigningBehavior": wanted.fields["signing"],
            "SigningProtocol": wanted.fields["protocol"],
            "OriginAccessControlOriginType": wanted.fields["origin_type"],
        }


class PublicKey(NamedKind):
    """A key whose private half signs URLs. Its id is what a signed URL names as ``Key-Pair-Id``."""

    kind = "public_key"
    thing = "PublicKey"
    snake = "public_key"
    listing = ("list_public_keys", "PublicKeyList", {})
    in_use = "PublicKeyInUse"
    traits = Traits("public key", immutable=frozenset({"encoded_key"}))

    def unpacked(self, item: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        return item["Id"], item

    def fields(self, config: Mapping[str, Any]) -> dict[str, Any]:
        return {"comment": config.get("Comment", ""), "encoded_key": config["EncodedKey"].strip()}

    def config(self, wanted: Resource) -> dict[str, Any]:
        return {
            "CallerReference": wanted.name,
            "Name": wanted.name,
            "EncodedKey": f"{wanted.fields['encoded_key']}\n",
            "Comment": wanted.fields["comment"],
        }


class KeyGroup(NamedKind):
    """The public keys that a behavior trusts."""

    kind = "key_group"
    thing = "KeyGroup"
    snake = "key_group"
    listing = ("list_key_groups", "KeyGroupList", {})
    in_use = "ResourceInUse"
    traits = Traits("key group")

    def fields(self, config: Mapping[str, Any]) -> dict[str, Any]:
        return {"comment": config.get("Comment", ""), "public_keys": sorted(config["Items"])}

    def config(self, wanted: Resource) -> dict[str, Any]:
        return {
            "Name": wanted.name,
            "Items": wanted.fields["public_keys"],
            "Comment": wanted.fields["comment"],
        }

    def change(self, found: Found, wanted: Resource, fields: Sequence[str]) -> None:
        super().change(found, wanted, fields)
        # A key that a rotation has pushed out signs nothing any more, and an account has room for ten.
        keys = PublicKey(self.aws, self.prefix)
        for key in keys.observe():
            if key.id in found.fields["public_keys"] and key.id not in wanted.fields["public_keys"]:
                keys.delete(key)

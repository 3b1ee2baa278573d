"""Signed URLs: as botocore signs them, with keys that never show."""

from __future__ import annotations

import datetime
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.stories1001.platform.plugins.module_utils._cloudfront import signing
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

URL = "https://www.example.org/content/books/the%20well.pdf"
EXPIRES = 1_800_000_000


@pytest.fixture(scope="module")
def private_key() -> str:
    return signing.new_private_key()


def sign_with(private_key: str, text: bytes) -> bytes:
    key = serialization.load_pem_private_key(private_key.encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key.sign(text, padding.PKCS1v15(), hashes.SHA1())


@pytest.mark.parametrize("url", [URL, f"{URL}?page=2"])
def test_a_canned_signature_is_the_one_that_botocore_makes(private_key: str, url: str) -> None:
    signer = CloudFrontSigner("K1", lambda text: sign_with(private_key, text))
    end = datetime.datetime.fromtimestamp(EXPIRES, datetime.UTC)
    expected = signer.generate_presigned_url(url, date_less_than=end)
    assert signing.signed_url(url, EXPIRES, private_key=private_key, key_pair_id="K1") == expected


@pytest.mark.parametrize(
    "limits",
    [{"starts": EXPIRES - 60}, {"source": "203.0.113.0/24"}, {"starts": EXPIRES - 60, "source": "203.0.113.0/24"}],
)
def test_a_custom_policy_is_the_one_that_botocore_makes(private_key: str, limits: dict[str, object]) -> None:
    signer = CloudFrontSigner("K1", lambda text: sign_with(private_key, text))
    given = {
        "date_less_than": datetime.datetime.fromtimestamp(EXPIRES, datetime.UTC),
        "date_greater_than": limits.get("starts") and datetime.datetime.fromtimestamp(EXPIRES - 60, datetime.UTC),
        "ip_address": limits.get("source"),
    }
    policy = signer.build_policy(URL, **{name: value for name, value in given.items() if value})
    ours = signing.policy(URL, EXPIRES, **limits)  # type: ignore[arg-type]  # the table holds both kinds

    assert json.loads(ours) == json.loads(policy)


def test_a_url_names_the_key_and_the_end_and_nothing_of_the_private_key(private_key: str) -> None:
    url = signing.signed_url(URL, EXPIRES, private_key=private_key, key_pair_id="K1")
    query = parse_qs(urlsplit(url).query)
    assert query["Key-Pair-Id"] == ["K1"]
    assert query["Expires"] == [str(EXPIRES)]
    assert not set("+=/") & set(query["Signature"][0])
    assert private_key.splitlines()[1] not in url


def test_keys_other_than_rsa_of_2048_bits_are_refused() -> None:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    for key in (ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 3072)):
        text = key.private_bytes(encoding, form, serialization.NoEncryption()).decode()
        with pytest.raises(ValueError, match="no RSA key of 2048 bits"):
            signing.public_key(text)

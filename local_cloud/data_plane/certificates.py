# Copyright: (c) 2026, 1001 Stories
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The cloud's own certificate authority, made once in each state directory.

`cryptography` is loaded only in a short process of its own: it would take a quarter of a server's memory.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from local_cloud.settings import CHECKOUT

_DAYS = 3650
_NAME = "1001 Stories local cloud"


class Authority:
    """Certificates in `folder`: ca.pem, and for each server NAME.pem (certificate, then key; mode 0600)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"

    async def create(self) -> None:
        """Make the authority unless it exists."""
        if not self.ca_file.exists():
            await self._run("ca", [])

    async def certificate(self, name: str, hosts: list[str]) -> Path:
        """The file with a server's certificate and key for these addresses and names; made unless it exists."""
        path = self.folder / f"{name}.pem"
        listing = self.folder / f"{name}.hosts"
        if not path.exists() or not listing.exists() or listing.read_text().split() != hosts:
            await self._run(name, hosts)
            listing.write_text(" ".join(hosts))
        return path

    async def _run(self, name: str, hosts: list[str]) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__, str(self.folder), name, *hosts, cwd=CHECKOUT
        )
        if await process.wait() != 0:
            raise RuntimeError(f"making the certificate {name} in {self.folder} failed; see the log above")


def _make(folder: Path, name: str, hosts: list[str]) -> None:
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def address_or_name(host: str) -> x509.GeneralName:
        try:
            return x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            return x509.DNSName(host)

    folder.mkdir(parents=True, exist_ok=True, mode=0o755)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .public_key(key.public_key())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
    )
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _NAME)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    if name == "ca":
        builder = builder.subject_name(ca_name).issuer_name(ca_name).add_extension(identifier, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_ca_usage(), critical=True)
        certificate = builder.sign(key, hashes.SHA256())
    else:
        ca_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
        ca = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hosts[0][:64])])
        builder = builder.subject_name(subject).issuer_name(ca_name)
        names = x509.SubjectAlternativeName([address_or_name(host) for host in hosts])
        builder = builder.add_extension(names, critical=False).add_extension(identifier, critical=False)
        ca_identifier = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        issuer = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_identifier)
        builder = builder.add_extension(issuer, critical=False)
        certificate = builder.sign(ca_key, hashes.SHA256())  # type: ignore[arg-type]  # the key that we made
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    if name == "ca":
        _write_secret(folder / "ca.key", secret)
        (folder / "ca.pem").write_bytes(public)
    else:
        _write_secret(folder / f"{name}.pem", public + secret)


def _ca_usage() -> Any:
    from cryptography.x509 import KeyUsage

    return KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_secret(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("name")
    arguments.add_argument("hosts", nargs="*")
    options = arguments.parse_args()
    _make(options.folder, options.name, options.hosts)

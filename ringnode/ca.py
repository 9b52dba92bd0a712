"""The ring's certificate authority: who holds a certificate of it is a node of the ring.

A node's folder holds ca.crt, node.crt, node.key and ring.secret (signs logins); ca.key stays with its owner.
"""

import datetime
import ipaddress
import os
import secrets
import shutil
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ringnode.errors import ConfigError

CA_DAYS = 3650
NODE_DAYS = 1825  # nodes of a club are renewed by hand, if at all
BACKDATED = datetime.timedelta(hours=25)  # a machine whose clock is behind accepts it all the same
NODE_FILES = ("ca.crt", "node.crt", "node.key", "ring.secret")


def init(folder: Path, ring: str = "ringnode") -> None:
    """Make a new ring's authority in `folder`. ConfigError if there is one already."""
    if (folder / "ca.key").exists():
        raise ConfigError(f"{folder} already holds an authority; delete it by hand if you mean it")
    _make_folder(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{ring} ring authority {secrets.token_hex(4)}")])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _builder(name, name, key.public_key(), CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identity, critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "ca.key", _pem(key), private=True)
    _write(folder / "ring.secret", secrets.token_hex(32).encode() + b"\n", private=True)
    _write(folder / "ca.crt", certificate.public_bytes(serialization.Encoding.PEM))


def issue(authority: Path, folder: Path, name: str, hosts: tuple[str, ...]) -> None:
    """Write a node's certificate and all it needs into `folder`; `hosts` are the names it is reached by.

    ConfigError if `authority` holds none.
    """
    try:
        ca_key = serialization.load_pem_private_key((authority / "ca.key").read_bytes(), None)
        ca = x509.load_pem_x509_certificate((authority / "ca.crt").read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{authority} holds no authority (make one with `ringnode ca init`): {error}") from error
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    _make_folder(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    alternatives = [_alternative(host) for host in dict.fromkeys((*hosts, "localhost", "127.0.0.1"))]
    certificate = (
        _builder(subject, ca.subject, key.public_key(), NODE_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(folder / "node.key", _pem(key), private=True)
    _write(folder / "node.crt", certificate.public_bytes(serialization.Encoding.PEM))
    if folder != authority:
        shutil.copyfile(authority / "ca.crt", folder / "ca.crt")
        _write(folder / "ring.secret", (authority / "ring.secret").read_bytes(), private=True)


def fingerprint(folder: Path) -> str:
    """The ring's name for machines: SHA-256 of its authority's certificate. ConfigError for a folder not whole."""
    missing = [name for name in NODE_FILES if not (folder / name).is_file()]
    if missing:
        raise ConfigError(f"{folder} lacks {', '.join(missing)}: make them with `ringnode ca init` and `ca issue`")
    try:
        ca = x509.load_pem_x509_certificate((folder / "ca.crt").read_bytes())
        x509.load_pem_x509_certificate((folder / "node.crt").read_bytes()).verify_directly_issued_by(ca)
    except (OSError, ValueError, TypeError, InvalidSignature) as error:
        raise ConfigError(f"node.crt in {folder} is not signed by the ca.crt beside it {error}".strip()) from error
    return ca.fingerprint(hashes.SHA256()).hex()


def secret(folder: Path) -> str:
    """What the ring's nodes sign logins with."""
    return (folder / "ring.secret").read_text("ascii").strip()


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be made: {error}") from error


def _write(path: Path, content: bytes, private: bool = False) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o644), "wb") as file:
        file.write(content)

"""The ring's authority: who it signs is a node."""

import ssl
import stat
from pathlib import Path

import pytest

from ringnode import ca
from ringnode.errors import ConfigError


def test_an_issued_folder_is_whole(tmp_path: Path) -> None:
    ca.init(tmp_path / "ca", "club")
    ca.issue(tmp_path / "ca", tmp_path / "one", "one", ("music.example", "10.0.0.1", "::1"))
    ca.issue(tmp_path / "ca", tmp_path / "two", "two", ())
    assert ca.fingerprint(tmp_path / "one") == ca.fingerprint(tmp_path / "two")
    assert ca.secret(tmp_path / "one") == ca.secret(tmp_path / "two") and len(ca.secret(tmp_path / "one")) == 64
    assert not (tmp_path / "one" / "ca.key").exists()
    context = ssl.create_default_context(cafile=str(tmp_path / "one" / "ca.crt"))
    context.load_cert_chain(tmp_path / "one" / "node.crt", tmp_path / "one" / "node.key")


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    ca.init(tmp_path / "ca")
    ca.issue(tmp_path / "ca", tmp_path / "one", "one", ())
    for secret in ("ca/ca.key", "ca/ring.secret", "one/node.key", "one/ring.secret"):
        assert stat.S_IMODE((tmp_path / secret).stat().st_mode) == 0o600


def test_an_authority_is_never_overwritten(tmp_path: Path) -> None:
    ca.init(tmp_path)
    before = (tmp_path / "ca.key").read_bytes()
    with pytest.raises(ConfigError, match="already"):
        ca.init(tmp_path)
    assert (tmp_path / "ca.key").read_bytes() == before


def test_renewing_a_certificate_keeps_the_ring(tmp_path: Path) -> None:
    ca.init(tmp_path / "ca")
    ca.issue(tmp_path / "ca", tmp_path / "one", "one", ())
    before = ca.fingerprint(tmp_path / "one")
    ca.issue(tmp_path / "ca", tmp_path / "one", "one", ("another.example",))
    assert ca.fingerprint(tmp_path / "one") == before


def test_what_is_missing_or_mixed_up_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ca\.crt, node\.crt, node\.key, ring\.secret"):
        ca.fingerprint(tmp_path)
    with pytest.raises(ConfigError, match="no authority"):
        ca.issue(tmp_path / "nowhere", tmp_path / "one", "one", ())
    for ring in ("a", "b"):
        ca.init(tmp_path / ring)
        ca.issue(tmp_path / ring, tmp_path / f"{ring}1", "one", ())
    (tmp_path / "a1" / "node.crt").write_bytes((tmp_path / "b1" / "node.crt").read_bytes())
    with pytest.raises(ConfigError, match="not signed"):
        ca.fingerprint(tmp_path / "a1")
    (tmp_path / "b1" / "node.crt").write_text("garbage")
    with pytest.raises(ConfigError):
        ca.fingerprint(tmp_path / "b1")

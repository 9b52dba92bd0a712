"""Certificates for tests that talk over real TLS in one process."""

from pathlib import Path

import pytest

from ringnode import ca
from ringnode.objects import wire


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A node's folder; Pyro is set up with it for this process."""
    folder = tmp_path_factory.mktemp("tls")
    ca.init(folder / "ca")
    ca.issue(folder / "ca", folder / "node", "node", ("127.0.0.1",))
    wire.setup(folder / "node")
    return folder / "node"

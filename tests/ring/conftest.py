"""Rings of real processes."""

from collections.abc import Iterator

import pytest
from processes import RingOfProcesses


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RingOfProcesses]:
    """Five nodes, three copies, started at the same moment; each test leaves it whole."""
    made = RingOfProcesses(tmp_path_factory.mktemp("ring"), 5)
    try:
        made.start()
        yield made
    finally:
        made.close()

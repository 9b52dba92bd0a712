"""Small files that are replaced whole, whatever happens in the middle."""

import random
from pathlib import Path

import pytest
from faulty_disk import FaultyDisk, PowerCut
from test_crashes import cut, fail

from ringnode.errors import ConfigError, DiskFailed
from ringnode.node import Identity
from ringnode.storage.disk import Disk


@pytest.mark.parametrize("seed", range(10))
def test_a_replaced_file_is_the_old_or_the_new_after_a_power_cut(tmp_path: Path, seed: int) -> None:
    for at in range(1, 9):
        root = tmp_path / str(at)
        root.mkdir()
        disk = FaultyDisk()
        disk.replace(root / "note", b"old" * 100)
        disk.at, disk.happens = disk.calls + at, cut
        done = True
        try:
            disk.replace(root / "note", b"new" * 200)
        except PowerCut:
            done = False
        disk.after_power_cut(root, tmp_path / f"{at} after", random.Random(f"{seed} {at}"))
        found = (tmp_path / f"{at} after" / "note").read_bytes()
        assert found == b"new" * 200 or (found == b"old" * 100 and not done)
    assert done


def test_a_disk_that_fails_says_so_until_it_works_again(tmp_path: Path) -> None:
    disk = FaultyDisk(1, fail)
    with pytest.raises(DiskFailed, match="Input/output error"):
        disk.check(tmp_path)
    assert disk.trouble == "Input/output error" and disk.trouble_at > 0
    disk.check(tmp_path)
    assert disk.trouble == "" and not list(tmp_path.iterdir())


def test_folders_are_made_with_their_parents(tmp_path: Path) -> None:
    Disk().make_folder(tmp_path / "a" / "b")
    Disk().make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_an_identity_is_kept_and_a_damaged_one_is_said(tmp_path: Path) -> None:
    Identity("ring", "ab" * 32, "mark", 4).save(tmp_path)
    assert Identity.load(tmp_path, "ring") == Identity("ring", "ab" * 32, "mark", 5)
    (tmp_path / "identity.json.new").write_bytes(b'{"ri')  # of a start that was killed
    Identity.load(tmp_path, "ring").save(tmp_path)
    assert Identity.load(tmp_path, "ring").incarnation == 6
    (tmp_path / "identity.json").write_bytes(b'{"ri')
    with pytest.raises(ConfigError, match="is damaged"):
        Identity.load(tmp_path, "ring")

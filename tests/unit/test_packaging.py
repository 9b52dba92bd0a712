"""What is installed from a wheel or an sdist is all there: the code, what it reads, and the player."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILT = ("index.html", "index.html.br", "worker.js", "assets/index-3f9c.js.gz", "assets/words-3f9c.woff2")


def files(folder: Path) -> set[str]:
    """The files of the two packages below a folder."""
    found = (path for name in ("ringnode", "api") for path in (folder / name).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in found}


def test_wheel_and_sdist_have_every_file_and_the_player(tmp_path: Path) -> None:
    source, made = tmp_path / "source", tmp_path / "made"
    left_out = shutil.ignore_patterns("__pycache__", "built")
    for name in ("ringnode", "api"):
        shutil.copytree(ROOT / name, source / name, ignore=left_out)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in BUILT:
        path = source / "api" / "built" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    steps = ["build_py", "--build-lib", str(made), "sdist", "--formats=tar", "--dist-dir", str(tmp_path)]
    subprocess.run([sys.executable, "setup.py", "--quiet", *steps], cwd=source, check=True, timeout=100)
    wanted = files(source)
    assert {"ringnode/catalogue/schema.sql", *(f"api/built/{name}" for name in BUILT)} <= wanted
    assert wanted == files(made)
    (sdist,) = tmp_path.glob("*.tar")
    with tarfile.open(sdist) as archive:
        assert wanted <= {name.partition("/")[2] for name in archive.getnames()}

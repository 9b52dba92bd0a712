"""The laws of the house, checked: who may import whom, how long things may be, what is not called where."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FUNCTION_LINES = 40  # fits a screen; docstrings are not counted
FILE_LINES = 360

LAYERS = {
    "ringnode.errors": 0, "ringnode.config": 0, "ringnode.process": 0, "ringnode.ca": 0, "ringnode": 0,
    "ringnode.protocol": 1, "ringnode.catalogue": 1, "ringnode.storage": 1,
    "ringnode.objects": 2,
    "ringnode.services": 3,
    "ringnode.node": 4, "ringnode.gateway": 4,
    "api": 5,
    "ringnode.serve": 6, "ringnode.http_server": 6, "ringnode.cli": 6, "ringnode.__main__": 6,
    "ringnode.client": 6, "ringnode.console": 6, "ringnode.demo": 6, "ringnode.demo_music": 6,
    "ringnode.uploading": 6, "ringnode.ring_commands": 6, "ringnode.people_commands": 6,
    "ringnode.cache": 6, "ringnode.terminal": 6,
}  # fmt: skip

# What a layer must never touch: its law, in names of modules.
BANNED = {
    "ringnode.protocol": {"time", "random", "secrets", "socket", "threading", "os", "pathlib", "sqlite3", "Pyro5"},
    "ringnode.catalogue": {"Pyro5", "flask", "socket", "ringnode.objects", "ringnode.storage"},
    "ringnode.storage": {"Pyro5", "flask", "sqlite3", "ringnode.catalogue"},
    "ringnode.services": {"Pyro5", "flask", "api"},
    "api": {"Pyro5", "sqlite3", "ringnode.objects", "ringnode.protocol", "ringnode.storage"},
}
STRANGERS = ("ringnode.protocol", "ringnode.catalogue")  # neighbours in L1 that do not know each other


def sources() -> list[Path]:
    return sorted([*ROOT.glob("ringnode/**/*.py"), *ROOT.glob("api/**/*.py")])


def module(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def layer(name: str) -> tuple[str, int]:
    """The longest entry of LAYERS that the module belongs to."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        prefix = ".".join(parts[:n])
        if prefix in LAYERS and (prefix != "ringnode" or name == "ringnode"):
            return prefix, LAYERS[prefix]
    raise AssertionError(f"{name} has no layer: give it one in LAYERS")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module in ("ringnode", "ringnode.catalogue", "ringnode.objects"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def upward(name: str, imported: str) -> bool:
    """Does the import go against the order of the layers?"""
    if not (within(imported, "ringnode") or within(imported, "api")) or imported == "ringnode":
        return False
    try:
        there, level = layer(imported)
    except AssertionError:
        return False  # a name inside a module, not a module
    here, mine = layer(name)
    return level > mine or {here, there} == set(STRANGERS)


def banned(name: str, imported: str) -> bool:
    return any(within(name, p) and within(imported, b) for p, names in BANNED.items() for b in names)


@pytest.mark.parametrize("path", sources(), ids=module)
def test_imports_point_down_and_keep_the_laws(path: Path) -> None:
    name = module(path)
    wrong = [i for i in imports(path) if upward(name, i) or banned(name, i)]
    assert not wrong, f"{name} must not import {wrong}"


def test_the_checker_sees_a_wrong_import() -> None:
    assert upward("ringnode.protocol.chord", "ringnode.services.loop")
    assert upward("ringnode.protocol.chord", "ringnode.catalogue.records")
    assert not upward("ringnode.services.loop", "ringnode.protocol.chord")
    assert banned("api.resources.songs", "Pyro5.api")
    assert banned("ringnode.protocol.chord", "time")
    assert not banned("ringnode.objects.peers", "Pyro5.api")


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every function with its lines, its docstring not counted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                lines -= (first.end_lineno or 0) - first.lineno + 1
            yield node.name, lines


@pytest.mark.parametrize("path", sources(), ids=module)
def test_functions_fit_a_screen_and_files_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= FILE_LINES, f"{path.name} is too long: split it where it has two subjects"
    long = [(name, lines) for name, lines in functions(ast.parse(text)) if lines > FUNCTION_LINES]
    assert not long, f"functions of more than {FUNCTION_LINES} lines: {long}"


def test_everything_public_is_explained() -> None:
    bare = []
    for path in sources():
        tree = ast.parse(path.read_text("utf-8"))
        if not ast.get_docstring(tree):
            bare.append(module(path))
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                bare.append(f"{module(path)}.{node.name}")
    assert not bare, f"no docstring: {bare}"


def test_the_repository_speaks_of_the_project_alone() -> None:
    """No path of somebody's machine in any file."""
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *sources(), *ROOT.glob("tests/**/*.py")]:
        if path != Path(__file__):
            text = path.read_text("utf-8")
            assert "/work/" not in text and "/root/" not in text and "/home/" not in text, path

"""The docs are true: every setting and command has its line, every link its file."""

import re
from dataclasses import fields
from pathlib import Path

import click

from ringnode.cli import main
from ringnode.config import Config

ROOT = Path(__file__).parent.parent
DOCS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]


def settings_table() -> str:
    """docs/settings.md, as the code would write it."""
    lines = [
        "# Settings",
        "",
        "Of `ringnode serve`. In rising order: the default, a TOML file (`--config FILE`), the environment",
        "(`RINGNODE_` and the name in capitals), the command line (`--` and the name with dashes). An unknown name",
        "stops the start.",
        "",
        "| name | default | what it is |",
        "|---|---|---|",
    ]
    for f in fields(Config):
        default = ",".join(f.default) if isinstance(f.default, tuple) else f.default
        lines.append(f"| `{f.name}` | {f'`{default}`' if str(default) else ''} | {f.metadata['help']} |")
    return "\n".join(lines) + "\n"


def test_every_setting_is_documented() -> None:
    """Written anew where it differs, so that the next run passes: look at the change and commit it."""
    path = ROOT / "docs" / "settings.md"
    wanted = settings_table()
    present = path.read_text("utf-8") if path.exists() else ""
    if present != wanted:
        path.write_text(wanted, "utf-8")
    assert present == wanted, "docs/settings.md was out of date; it has been written anew"


def test_every_command_is_in_the_readme_and_has_help() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None and command.help, f"{name} has no help"
        assert f"ringnode {name}" in readme or f"make {name}" in readme, f"{name} is not in the README"


def test_links_between_files_lead_somewhere() -> None:
    for path in DOCS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text("utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_files_and_folders_named_in_the_architecture_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    made = (ROOT / ".gitignore").read_text("utf-8").split()
    for name in re.findall(r"`((?:protocol|catalogue|storage|objects|services|api|tests)/[\w/]*(?:\.py)?)`", text):
        assert f"/{name}" in made or (ROOT / name).exists() or (ROOT / "ringnode" / name).exists(), name

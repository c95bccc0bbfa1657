import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("agents", "training", "scenarios", "memory")
CODE = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py"))


def test_every_package_on_disk_is_declared_and_the_other_way_round() -> None:
    declared = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {".".join(("evolvent", *p.parent.relative_to(ROOT).parts)) for p in CODE if p.name == "__init__.py"}
    assert declared == found | {"evolvent"}


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_page_that_names_each_of_its_files(room: str) -> None:
    page = (ROOT / room / "README.md").read_text()
    files = [p.name for p in (ROOT / room).glob("*.py") if p.name != "__init__.py"]
    assert [name for name in files if f"`{name}`" not in page] == []


@pytest.mark.parametrize("path", CODE, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_module_is_one_idea_and_imports_its_own_house_relatively(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 350
    for node in ast.walk(ast.parse(text)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        assert not [n for n in names if n.split(".")[0] in ("evolvent", *ROOMS)]


def test_every_dependency_has_a_lower_bound_and_a_pin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    pinned = {line.split("==")[0].split("[")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert [d for d in wanted if ">=" not in d] == []
    assert [d for d in wanted if d.split(">=")[0] not in pinned] == []


def test_loading_a_room_never_reaches_a_room_above_it() -> None:
    heavy = ("torch", "transformers", "trl", "langgraph", "chromadb", "datasets")
    script = (
        "import sys, importlib, pkgutil, evolvent.memory as m, evolvent.scenarios as s\n"
        "for room in (m, s):\n"
        "    for found in pkgutil.walk_packages(room.__path__, room.__name__ + '.'):\n"
        "        if not found.name.startswith('evolvent.scenarios.data.'): importlib.import_module(found.name)\n"
        "print([n for n in sys.modules if n.startswith(('evolvent.agents', 'evolvent.training'))])\n"
        f"print([n for n in {heavy!r} if n in sys.modules])\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.split("\n")[:2] == ["[]", "[]"]


def test_nothing_in_the_tree_names_a_path_of_a_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "*.toml", "Makefile"], cwd=ROOT, capture_output=True, text=True
    )
    homes = [f"/{name}/" for name in ("home", "root", "work", "opt")]
    guilty = [
        n for n in listed.stdout.split() if any(f'"{h}' in (t := (ROOT / n).read_text()) or f" {h}" in t for h in homes)
    ]
    assert guilty == []


@pytest.mark.parametrize("kind", ["scorers", "selectors", "orderers", "enhancers"])
def test_every_method_of_curation_stands_on_the_page_of_its_room(kind: str) -> None:
    page = (ROOT / "training" / "README.md").read_text()
    names = [p.stem for p in (ROOT / "training/curation" / kind).glob("*.py") if p.stem != "__init__"]
    assert [name for name in names if f"`{name}`" not in page] == []

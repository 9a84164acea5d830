"""Packages that import what they give when it is first used: the names are right, whatever was imported before."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

LAZY = ("landscapes", "discrete", "flows", "flows.modified")


def stated(package: str) -> dict[str, str]:
    """Name -> module, as the stub has it."""
    stub = Path(importlib.import_module(package).__file__ or "").with_suffix(".pyi")
    nodes = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.name: f"{package}.{node.module}" for node in nodes for alias in node.names}


@pytest.mark.parametrize("package", LAZY)
def test_every_name_is_what_its_file_defines(package):
    module = importlib.import_module(package)
    # A file of the same name as what it defines, such as flows.modified.coefficients, must not take its place.
    for found in pkgutil.iter_modules(module.__path__, f"{package}."):
        importlib.import_module(found.name)
    names = stated(package)
    assert names.keys() <= set(dir(module)) and len(names) > 8
    for name, home in names.items():
        assert getattr(module, name) is getattr(importlib.import_module(home), name), name
        assert not isinstance(getattr(module, name), type(sys)), name


def test_the_rooms_are_there_without_being_imported():
    rooms = "landscapes.curvature, landscapes.losses, discrete.descent, discrete.traits, flows.edge, flows.running"
    check = f"import landscapes, discrete, flows; print(*(room.__name__ for room in ({rooms})))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.split() == rooms.split(", ")


def test_importing_the_packages_imports_no_jax():
    check = "import landscapes, discrete, flows.modified, sys; print(*{'jax', 'numpy', 'sympy'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_name_that_is_not_there_is_an_attribute_error():
    import flows

    with pytest.raises(AttributeError, match="gradient_flows"):
        flows.gradient_flows  # noqa: B018  # pyright: ignore[reportAttributeAccessIssue]

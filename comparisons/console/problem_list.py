"""The problems as a table for a person at a terminal."""

import inspect

from rich.console import Console
from rich.table import Table

import landscapes


def print_problems() -> None:
    """One row per problem: name, what it is, settings with their defaults."""
    made = Table(title="problems", title_justify="left")
    for head in ("name", "what it is", "settings"):
        made.add_column(head)
    for name, build in landscapes.PROBLEMS.items():
        meaning = (inspect.getdoc(build) or "").split("\n")[0]
        settings = ", ".join(f"{key}={value}" for key, value in landscapes.settings_of(name).items())
        made.add_row(name, meaning, settings)
    Console().print(made)

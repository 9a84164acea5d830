"""Progress on long work, for a person at a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


@contextmanager
def progress_bar(*, visible: bool = True, title: str = "") -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, and nothing where that is no terminal; yields progress(steps done, steps)."""
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not visible or not console.is_terminal) as bar:
        task = bar.add_task(f"{title}compiling", total=None)

        def show(done: int, steps: int) -> None:
            bar.update(task, completed=done, total=steps, description=f"{title}step {done} of {steps}")

        yield show

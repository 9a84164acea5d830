"""From names to a finished run folder: the comparison that the command line asks for."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

import flows
import landscapes
from discrete.catalogue import method_named
from discrete.run import check_steps
from flows.catalogue import flow_named

from .compare import compare
from .comparison import Comparison
from .provenance import provenance
from .run_folder import RunFolder
from .table import table

INTERRUPTED = 130
SOLVERS: dict[str, Callable[..., flows.Integrator]] = {"explicit": flows.explicit, "stiff": flows.stiff}


def run_experiment(
    arguments: Mapping[str, Any], *, out: str | None, resume: bool, overwrite: bool, as_json: bool
) -> int:
    """Compare the named method and flows on the named problem, print the result, fill the folder; the exit status.

    arguments: problem, method, learning_rate, steps, every, flows, top, start, solver, rtol, max_steps, and the settings
    of method and problem (None where not given). They are kept in config.json and compared on resume.
    Raises ValueError on misuse, before anything is written.
    """
    folder = None if out is None else RunFolder(out)
    if folder:
        folder.check(dict(arguments), resume=resume, overwrite=overwrite)
        if resume and folder.is_finished:
            print(f"{out} is finished already: {folder.path / 'summary.json'}", file=sys.stderr)
            return 0
    plan = _plan(arguments)
    continued = bool(resume and folder and folder.progress.exists())
    if folder and not continued:
        folder.begin({"command": "compare", "arguments": dict(arguments), "provenance": provenance()})
    with _progress_bar(visible=not as_json) as show:
        comparison = compare(**plan, progress=show, folder=folder.progress if folder else None, resume=continued)
    interrupted = comparison.status.startswith("stopped: interrupted")
    if folder:
        folder.finish(comparison, keep_progress=interrupted)
    _tell(comparison, folder, as_json, interrupted)
    return INTERRUPTED if interrupted else 0


def _plan(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Everything `compare` needs, built and checked."""
    check_steps(arguments["steps"], arguments["every"])
    given = {key: value for key, value in arguments.items() if value is not None}
    method_settings = {key: given[key] for key in ("momentum", "strong_convexity") if key in given}
    method = method_named(arguments["method"], arguments["learning_rate"], **method_settings)
    models = {name: flow_named(name, method) for name in arguments["flows"]}
    solver = {key: given[key] for key in ("rtol", "max_steps") if key in given}
    integrator = SOLVERS[arguments["solver"]](**solver)
    known = {key for name in landscapes.PROBLEMS for key in landscapes.settings_of(name)}
    problem = landscapes.build(arguments["problem"], **{key: given[key] for key in known & given.keys()})
    return {
        "method": method,
        "flows": models,
        "loss": problem,
        "steps": arguments["steps"],
        "every": arguments["every"],
        "observe": _instruments(problem, arguments["top"]),
        "start": arguments["start"],
        "integrator": integrator,
    }


def _instruments(problem: landscapes.Problem, top: int) -> dict[str, Any]:
    if top < 0:
        raise ValueError(f"`top` must be at least 0, got {top}.")
    observe: dict[str, Any] = {"gradient_norm": landscapes.GradientNorm(problem.loss)}
    if top:
        observe["sharpness"] = landscapes.Sharpness(problem.loss, k=min(top, problem.dimension))
    if problem.accuracy is not None:
        observe["accuracy"] = problem.accuracy
    return observe


@contextmanager
def _progress_bar(*, visible: bool) -> Iterator[Callable[[int, int], None]]:
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not visible or not console.is_terminal) as bar:
        task = bar.add_task("compiling", total=None)
        yield lambda done, steps: bar.update(task, completed=done, total=steps, description=f"step {done} of {steps}")


def _tell(comparison: Comparison, folder: RunFolder | None, as_json: bool, interrupted: bool) -> None:
    if as_json:
        print(json.dumps(comparison.summary(), indent=1))
    else:
        Console().print(table(comparison))
        if folder:
            print("\n".join(f"wrote {path}" for path in folder.written()))
        else:
            print("nothing saved; --out FOLDER keeps the numbers and the picture")
    if interrupted and folder:
        print(f"{comparison.status}; the same command with --resume goes on from there", file=sys.stderr)

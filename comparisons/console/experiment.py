"""From names to a finished run folder: the comparison that the command line asks for."""

import json
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from rich.console import Console

import flows
import landscapes
from discrete import Method, TimeAveraged
from discrete.catalogue import TAKES, method_named
from discrete.running.run import check_steps
from discrete.running.threads import prompt_interrupts
from flows.catalogue import flow_named
from flows.modified import third_derivative_vanishes
from flows.running.integrator import resolving
from landscapes.memory import check_memory
from landscapes.precision import FLOAT32

from ..accuracy import Accuracy
from ..clock import clocked
from ..compare import compare
from ..comparison import Comparison
from ..starting import starting_state
from ..storage.load import load
from ..storage.provenance import provenance
from ..storage.run_folder import COMPARISON, RunFolder
from .profile import Profile
from .progress_bar import progress_bar
from .table import table

INTERRUPTED = 130
SEARCH_TOLERANCE = 1e-3
SOLVERS: dict[str, Callable[..., flows.Integrator]] = {
    "explicit": flows.explicit,
    "stabilized": flows.stabilized,
    "stiff": flows.stiff,
}


def run_experiment(
    arguments: Mapping[str, Any],
    *,
    out: str | None,
    resume: bool,
    overwrite: bool,
    as_json: bool,
    workers: int = 1,
    began: float | None = None,
) -> int:
    """Compare the named method and flows on the named problem, print the result, fill the folder; the exit status.

    arguments: problem, method, learning_rate, steps, every, flows, top, start, time_averaged, solver, rtol, max_steps,
    precision, and the settings of method and problem (None where not given). They are kept in config.json and compared
    on resume.
    workers: how many sides move at once.
    began: by time.perf_counter; given, it is told on standard error where the time since then went.
    Raises ValueError on misuse, before anything is written.
    """
    if resume and began is not None:
        raise ValueError("`profile` and `resume` exclude each other: the costs are those of two processes.")
    profile = None if began is None else Profile(began)
    folder = _folder(out, resume=resume, overwrite=overwrite)
    if arguments["solver"] is None:
        # A run that goes on keeps its own: that of a run of before there was `auto` is another.
        known = folder.argument("solver") if folder and resume else None
        arguments = {**arguments, "solver": known or ("auto" if arguments["rtol"] is None else "explicit")}
    if arguments["solver"] == "auto" and arguments["rtol"] is not None:
        raise ValueError("`rtol` is for a `solver` that is named; auto finds its own.")
    if folder:
        folder.check(dict(arguments), resume=resume, overwrite=overwrite)
        if resume and folder.is_finished:
            return _tell_finished(folder, as_json)
    plan = _plan(arguments)
    _warn(plan)
    with clocked() as seconds:
        if folder is None:
            with prompt_interrupts(), progress_bar(visible=not as_json) as show:
                comparison = compare(**plan, workers=workers, progress=show)
        else:
            with folder.held():
                # Another run may have been here while this one was planned.
                folder.check(dict(arguments), resume=resume, overwrite=overwrite)
                if resume and folder.is_finished:
                    return _tell_finished(folder, as_json)
                continued = resume and folder.can_continue
                if not continued:
                    folder.begin({"command": "compare", "arguments": dict(arguments), "provenance": provenance()})
                with prompt_interrupts(), progress_bar(visible=not as_json) as show:
                    comparison = compare(
                        **plan, workers=workers, progress=show, folder=folder.progress, resume=continued
                    )
                folder.finish(comparison, keep_progress=comparison.interrupted)
    _tell(comparison, folder, as_json)
    if profile:
        problem = plan["loss"]
        Console(stderr=True).print(profile.table(comparison, problem.loss, problem.params, seconds))
    return INTERRUPTED if comparison.interrupted else 0


def _folder(out: str | None, *, resume: bool, overwrite: bool) -> RunFolder | None:
    """The run folder, if one is wanted."""
    if resume and overwrite:
        raise ValueError("`resume` and `overwrite` exclude each other; give one of them.")
    if out is None:
        for option, given in {"resume": resume, "overwrite": overwrite}.items():
            if given:
                raise ValueError(f"`{option}` needs the folder of the run; pass it as `out`.")
        return None
    return RunFolder(out)


def _plan(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Everything `compare` needs, built and checked, so that nothing is left to refuse."""
    check_steps(arguments["steps"], arguments["every"])
    _check_learning_rate(arguments["learning_rate"])
    given = {key: value for key, value in arguments.items() if value is not None}
    method_settings = {key: given[key] for key in set().union(*TAKES.values()) & given.keys()}
    method = method_named(arguments["method"], arguments["learning_rate"], **method_settings)
    models = _models(arguments["flows"], method)
    integrator = _integrator(given)
    if isinstance(integrator, flows.Integrator):
        for model in models.values():
            with _blamed_on(f"`solver` {given['solver']}"):
                model.check_integrator(integrator)
    problem = _problem(given)
    seen = TimeAveraged(method) if arguments.get("time_averaged") else method
    return {
        "method": seen,
        "flows": models,
        "loss": problem,
        "steps": arguments["steps"],
        "every": arguments["every"],
        "observe": _instruments(problem, method, arguments["top"]),
        "state": starting_state(arguments["start"], seen, models, problem.loss, problem.params, integrator),
        "integrator": integrator,
    }


def _check_learning_rate(learning_rate: float) -> None:
    """ValueError where h or a threshold such as 2 (1 + momentum)/h is no number of the precision."""
    numbers = jnp.finfo(jnp.result_type(float))
    least, most = 4 * float(numbers.tiny), float(numbers.max)
    if learning_rate > 0 and np.isfinite(learning_rate) and not least <= learning_rate <= most:
        raise ValueError(f"`learning_rate` must lie between {least:.1e} and {most:.1e}, got {learning_rate!r}.")


def _warn(plan: Mapping[str, Any]) -> None:
    """Notes: a start beyond the edge of stability; orders that see less of the loss than their number says."""
    problem, models = plan["loss"], plan["flows"].values()
    if "sharpness" in plan["observe"]:
        _warn_of_the_edge(plan["method"], problem)
    bends = any(isinstance(m, flows.ModifiedFlow) and (m.order is None or m.order > 2) for m in models)
    if bends and third_derivative_vanishes(problem.loss, problem.params):
        print(
            "note: the third derivative of the loss vanishes: it is quadratic, or quadratic between kinks; "
            "modified flows see powers of its Hessian alone",
            file=sys.stderr,
        )


def _warn_of_the_edge(method: Method, problem: landscapes.Problem) -> None:
    """A note where the sharpness at the start is above the method's threshold; it costs one search for it.

    Not for a method with a preconditioner: what decides there is the effective sharpness, and the averages that it
    takes have seen no gradient yet.
    """
    limit = None if method.has_preconditioner else method.stability_threshold()
    if limit is None:
        return
    search = eqx.filter_jit(lambda loss, params: landscapes.top_eigenpairs(loss, params, tolerance=SEARCH_TOLERANCE))
    sharpness = float(search(problem.loss, problem.params).values[0])
    if sharpness > limit:
        rate = float(method.learning_rate)
        print(
            f"note: the sharpness at the start, {sharpness:.4g}, is beyond the stability threshold {limit:.4g} of this "
            f"method (h S = {rate * sharpness:.4g}, beyond {rate * limit:.4g}): it leaves from its first steps on; "
            f"a learning rate below {rate * limit / sharpness:.2g} starts within",
            file=sys.stderr,
        )


def _integrator(given: Mapping[str, Any]) -> flows.Integrator | Accuracy:
    """The solver asked for, at tolerances that the precision can meet."""
    if given["solver"] == "auto":
        return Accuracy(**{key: given[key] for key in ("max_steps",) if key in given})
    settings = {key: given[key] for key in ("rtol", "max_steps") if key in given}
    # The params will have the precision of the session, which `precision` has set.
    return resolving(SOLVERS[given["solver"]], jnp.zeros(()), **settings)


def _models(names: Sequence[str], method: Method) -> dict[str, flows.Flow]:
    """The named flows of the method."""
    models = {}
    for name in names:
        if name in models:
            raise ValueError(f"`flows` names {name} twice; name each flow once.")
        with _blamed_on(f"`flows` {name}", {"flows"}):
            models[name] = flow_named(name, method)
    return models


def _problem(given: Mapping[str, Any]) -> landscapes.Problem:
    """The named problem with the settings given, at a start where a run can begin."""
    name = given["problem"]
    for key, least in {"seed": 0, "examples": 1}.items():
        if given.get(key, least) < least:
            raise ValueError(f"`{key}` must be at least {least}, got {given[key]}.")
    settings = {key for known in landscapes.PROBLEMS for key in landscapes.settings_of(known)}
    reads_files = name in landscapes.PROBLEMS and "data_dir" in landscapes.settings_of(name)
    with (
        _blamed_on("`data_dir`" if reads_files else f"`problem` {name}", settings | {"problem"}),
        _as_asked(given["precision"]),
        # What overflows on the way is found at the start, where it is said what of.
        np.errstate(all="ignore"),
    ):
        problem = landscapes.build(name, **{key: given[key] for key in settings & given.keys()})
    with _blamed_on(f"`problem` {name} with these settings"):
        landscapes.check_start(problem.loss, problem.params)
    return problem


@contextmanager
def _as_asked(precision: str) -> Iterator[None]:
    """Nobody who asks for float32 is told that he gets it."""
    with warnings.catch_warnings():
        if precision == "float32":
            warnings.filterwarnings("ignore", message=FLOAT32)
        yield


@contextmanager
def _blamed_on(what: str, options: Collection[str] = ()) -> Iterator[None]:
    """An error from further down that names none of the options gets to say what it is about."""
    try:
        yield
    except ValueError as error:
        if any(f"`{option}`" in str(error) for option in options):
            raise
        raise ValueError(f"{what}: {error}") from error


def _instruments(problem: landscapes.Problem, method: Method, top: int) -> dict[str, Any]:
    if top < 0:
        raise ValueError(f"`top` must be at least 0, got {top}.")
    observe: dict[str, Any] = {"gradient_norm": landscapes.GradientNorm(problem.loss)}
    if top:
        top = min(top, problem.dimension)
        # The basis of a search and its images under the Hessian have more rows than that.
        check_memory(2 * top * problem.dimension, top=top)
        observe["sharpness"] = landscapes.Sharpness(problem.loss, k=top)
        if method.has_preconditioner:
            observe["effective_sharpness"] = landscapes.EffectiveSharpness(problem.loss, k=top)
    for name in ("accuracy", "test_loss", "test_accuracy"):
        if getattr(problem, name) is not None:
            observe[name] = getattr(problem, name)
    return observe


def _tell_finished(folder: RunFolder, as_json: bool) -> int:
    print(f"{folder.path} is finished already: {folder.path / 'summary.json'}", file=sys.stderr)
    folder.tidy()
    _tell(load(folder.path / COMPARISON), folder, as_json)
    return 0


def _tell(comparison: Comparison, folder: RunFolder | None, as_json: bool) -> None:
    if as_json:
        print(json.dumps(comparison.summary(), indent=1, allow_nan=False))
    else:
        Console().print(table(comparison))
        if folder:
            print("\n".join(f"wrote {path}" for path in folder.written()))
        else:
            print("nothing saved; --out FOLDER keeps the numbers and the picture")
    for name, note in comparison.notes.items():
        print(f"note: {name}: {note}", file=sys.stderr)
    if comparison.interrupted and folder:
        print(f"{comparison.status}; the same command with --resume goes on from there", file=sys.stderr)

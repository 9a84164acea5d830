"""The command line: parses, and hands over to the packages. Nothing here imports jax before the arguments are read."""

import contextlib
import gc
import io
import os
import re
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, make_dataclass
from functools import cache
from itertools import dropwhile, takewhile
from typing import Annotated, Any, Literal, NoReturn, Union, get_type_hints

import tyro

import odescent_options
from landscapes.compiler_flags import set_compiler_flags
from landscapes.processors import processors
from odescent_options import listed

MISUSE = 2
LONGEST = 500  # characters of a complaint of the parser, which repeats what was typed
DESCRIPTION = "Discrete optimizers side by side with the continuous-time models that claim to describe them."


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Run a method beside the flows that claim to describe it, and say with numbers how well each predicts."""

    # The settings of methods and problems join as they are registered, see `compare_command`.

    problem: str
    """What to minimize; `odescent problems` lists them with their settings."""
    method: str
    """The method by name."""
    learning_rate: float
    """Step size h."""
    steps: int
    """Steps of the method."""
    flows: tuple[str, ...] = ("gradient", "modified-2")
    """Continuous-time models by name."""
    every: int = 10
    """Measure every so many steps; must divide the steps."""
    start: Literal["rest", "slow-manifold"] = "rest"
    """Velocity at the start: zero, or the one without transient."""
    time_averaged: bool | None = None
    """Compare with (x_{n-1} + 2 x_n + x_{n+1})/4, without oscillations of period two (not if not given)."""
    top: int = 2
    """Hessian eigenvalues to track on every side; 0 for none."""
    solver: Literal["auto", "explicit", "stabilized", "stiff"] | None = None
    """ODE solver. auto (if none is given): ROCK4, or Tsit5 for flows with momentum, to 1 % of the distance, as measured
    on the first samples; explicit: Tsit5 at rtol 1e-9 (float32: 1e-6); stabilized: ROCK4 at 1e-5; stiff: Kvaerno5,
    implicit and matrix-free, at 1e-6 (1e-4)."""
    rtol: float | None = None
    """Relative tolerance of the solver instead; --solver explicit where none is named."""
    max_steps: int | None = None
    """Most solver steps between two samples (100,000 if not given)."""
    precision: Literal["float64", "float32"] = "float64"
    """Of everything."""
    config: str | None = None
    """Take what is not given here from this file: the config.json of a run, or one with the same "arguments"."""
    out: str | None = None
    """Folder for comparison.nc, summary.json, config.json and the figure."""
    resume: bool = False
    """Continue the unfinished run in --out, to the same numbers."""
    overwrite: bool = False
    """Replace the run in --out."""
    json: bool = False
    """Print the summary as JSON and nothing else."""
    profile: bool = False
    """Also say on standard error where the time went."""
    threads: int | None = None
    """Processors to use, all if not given: for several sides at once where one gradient gains nothing from two."""

    def run(self) -> int:
        """Hand over to comparisons; the exit status."""
        began = time.perf_counter()
        odescent_options.check_names(self.problem, self.method, self.flows)
        given = asdict(self)
        workers = share_threads(self.threads, odescent_options.gains_from_threads(self.problem, given))
        set_up(self.precision)
        from comparisons.console.experiment import run_experiment

        arguments = {key: value for key, value in given.items() if key not in OF_THIS_CALL}
        return run_experiment(
            arguments,
            out=self.out,
            resume=self.resume,
            overwrite=self.overwrite,
            as_json=self.json,
            # What takes how long can be told of one side at a time.
            workers=1 if self.profile else workers,
            began=began if self.profile else None,
        )


@dataclass(frozen=True)
class Problems:
    """List the problems and the settings that each takes."""

    def run(self) -> int:
        """Print one row per problem: name, what it is, settings with their defaults; the exit status."""
        from rich.console import Console
        from rich.table import Table

        table, meanings = Table(title="problems", title_justify="left"), odescent_options.problem_meanings()
        for head in ("name", "what it is", "settings"):
            table.add_column(head)
        for name, settings in odescent_options.problems().items():
            table.add_row(name, meanings[name], ", ".join(f"{key}={one.default}" for key, one in settings.items()))
        Console().print(table)
        return 0


@dataclass(frozen=True)
class Figures:
    """Reproduce published figures and judge the papers' claims by measurement."""

    papers: tyro.conf.Positional[tuple[str, ...]] = ()
    """Papers by author and year, e.g. cohen_2021; all if none is named."""
    quick: bool = False
    """A smaller size of each, in seconds rather than minutes."""
    out: str = "runs/figures"
    """Folder for figures, their data, report.html and the table of claims."""
    list: bool = False
    """Only list the papers."""
    jobs: int = 1
    """Papers to compute at once, each in a process of its own, without progress bars if more than 1."""
    data_dir: str | None = None
    """Folder of the CIFAR-10 files, for the figures that need them (or set ODESCENT_DATA)."""

    def run(self) -> int:
        """Hand over to paper_figures; the exit status, 1 when a claim fails."""
        from paper_figures.report.catalogue import check_papers, list_papers

        if self.list:
            list_papers()
            return 0
        check_papers(self.papers)
        set_up("float64", quickly=self.quick)
        if self.data_dir is not None:
            os.environ["ODESCENT_DATA"] = self.data_dir
        from paper_figures.report.report import make_figures

        return make_figures(self.papers, quick=self.quick, out=self.out, jobs=self.jobs)


@dataclass(frozen=True)
class Modified:
    """Print the modified equation of a method: exact coefficients, to any order up to 12."""

    method: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="METHOD")]
    """gradient-descent, heavy-ball, nesterov, nesterov-look-ahead, midpoint, heun, kutta-3 or kutta-4."""
    order: int = 3
    """Highest order of the series."""
    momentum: str | None = None
    """Of a momentum method: a number in [0, 1) such as 9/10, or symbolic (if not given)."""
    problem: str | None = None
    """Also write the field out for quadratic, quartic, double-well, rosenbrock, two-layer or lotka-volterra."""
    latex: bool = False
    """Print LaTeX (amsmath and tikz)."""
    json: bool = False
    """Print JSON and nothing else."""

    def run(self) -> int:
        """Hand over to flows; the exit status."""
        from flows.modified.printing import print_series

        print_series(self.method, self.order, self.momentum, self.problem, latex=self.latex, as_json=self.json)
        return 0


def share_threads(threads: int | None, gains: bool) -> int:
    """How many sides move at once: one where a gradient gains from all the threads, else one for each.

    NPROC is what the CPU backend reads, as long as it is not there yet; set before, it says how many threads there are.
    """
    most, given = processors(), os.environ.get("NPROC", "")
    if threads is not None and not 1 <= threads <= most:
        raise ValueError(f"`threads` must be from 1 to {most}, the processors that there are, got {threads}.")
    if threads is not None:
        os.environ["NPROC"] = str(threads)
    return 1 if gains else threads or (int(given) if given.isdigit() and int(given) else most)


def set_up(precision: str, *, quickly: bool = False) -> None:
    """How to compile, `set_precision`, and what compiles is kept. quickly: what is compiled will not run for long."""
    set_compiler_flags(quickly=quickly)
    set_precision(precision)
    from landscapes.compilation_cache import use_compilation_cache

    if problem := use_compilation_cache():
        print(f"note: {problem}", file=sys.stderr)


def set_precision(precision: str) -> None:
    """Default precision of arrays, and no TensorFloat-32 in matrix products on GPUs."""
    import jax

    jax.config.update("jax_enable_x64", precision == "float64")
    jax.config.update("jax_default_matmul_precision", "highest")


COMMANDS = ("compare", "figures", "modified", "problems")
# Options of `compare` that say nothing about what is computed: in no config.json, and taken from none.
OF_THIS_CALL = ("config", "out", "resume", "overwrite", "json", "profile")


@cache
def compare_command() -> type[Compare]:
    """`Compare` with an option for every setting of a method or a problem, and with the names that there are."""
    methods, flows = listed(tuple(odescent_options.methods()), "or"), listed(odescent_options.flows(), "and")
    names = {"method": f"{methods}.", "flows": f"Continuous-time models: {flows} (P is the order)."}
    options = odescent_options.setting_options()
    known = {one.name: one for one in fields(Compare)}
    if taken := known.keys() & options.keys():
        raise ValueError(f"{sorted(taken)} are settings and other options of `compare`; rename them.")
    said = [_field(name, known[name].type, help, known[name].default) for name, help in names.items()]
    return _extended(said + [_field(name, option.type | None, option.help, None) for name, option in options.items()])


def started_from(command: type[Compare], defaults: Mapping[str, Any]) -> type[Compare]:
    """The command with other defaults."""
    known = {one.name: one.type for one in fields(command)}
    return _extended([(name, known[name], field(default=value)) for name, value in defaults.items()], command)


def _field(name: str, kind: Any, help: str, default: Any) -> tuple[str, Any, Any]:
    return name, Annotated[kind, tyro.conf.arg(help=help)], field(default=default)


def _extended(more: list[tuple[str, Any, Any]], command: type[Compare] = Compare) -> type[Compare]:
    said = {"__doc__": Compare.__doc__}
    return make_dataclass("Compare", more, bases=(command,), namespace=said, frozen=True, kw_only=True)


def command_for(arguments: list[str]) -> Any:
    """What tyro parses. The options of `compare` are gathered only where they are asked for."""
    compare = Compare
    if arguments[:1] == ["compare"]:
        compare = compare_command()
        if (file := config_in(arguments)) is not None:
            compare = started_from(compare, defaults_from(file, compare))
    commands: dict[str, type] = {"compare": compare, "figures": Figures, "modified": Modified, "problems": Problems}
    return Union[tuple(Annotated[kind, tyro.conf.subcommand(name)] for name, kind in commands.items())]  # noqa: UP007


def config_in(arguments: list[str]) -> str | None:
    """The file that --config names, the last time that it does; None without, and where help is asked for."""
    if {"-h", "--help"} & set(arguments):
        return None
    pairs = zip(arguments, [*arguments[1:], None], strict=True)
    named = [after if word == "--config" else word.partition("=")[2] for word, after in pairs if is_config(word)]
    return named[-1] if named else None


def is_config(word: str) -> bool:
    """Whether a word of the command line is the option --config."""
    return word.partition("=")[0] == "--config"


def defaults_from(file: str, command: type[Compare]) -> dict[str, Any]:
    """The arguments in a file, which is read as strictly as they are on the command line."""
    # What is imported before the arguments are known is imported as for most of them.
    set_precision("float64")
    from comparisons.console.config_file import arguments_from

    hints = get_type_hints(command)
    return arguments_from(file, {key: hint for key, hint in hints.items() if key not in OF_THIS_CALL})


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 on success, 2 on misuse with one line on standard error."""
    try:
        command = parsed(sys.argv[1:] if arguments is None else arguments)
        return command.run()
    except ValueError as error:
        return complain(as_options(str(error)))
    except OSError as error:
        return complain(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def parsed(arguments: list[str]) -> Compare | Figures | Modified | Problems:
    """The command, or ValueError with tyro's complaint in one line."""
    config = (tyro.conf.FlagCreatePairsOff, tyro.conf.OmitSubcommandPrefixes)
    command, complaint = command_for(arguments), io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(command, prog="odescent", args=arguments, description=DESCRIPTION, config=config)
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        help_at = " ".join(["odescent", *(name for name in arguments[:1] if name in COMMANDS), "--help"])
        raise ValueError(f"{in_one_line(complaint.getvalue())}; see {help_at}") from None


def in_one_line(box: str) -> str:
    """What stands in tyro's box up to its first rule, without the box; of what is missing only the names."""
    _, *lines = [stripped for line in box.splitlines() if (stripped := line.strip("│╭╮╰╯ "))]
    # Where the terminal knows no boxes, a rule comes first.
    text = list(takewhile(lambda line: not is_rule(line), dropwhile(is_rule, lines)))
    if text and text[0].startswith("Missing"):
        names = [line.split()[0] for line in text if line.startswith("--") or line.isupper()]
        if names:
            return f"missing: {', '.join(names)}"
    whole = " ".join(text).rstrip(".")
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST]}..."


def is_rule(line: str) -> bool:
    """Whether a line of tyro's box is a rule, drawn or typed."""
    return set(line) <= {"─", "-"}


def as_options(message: str) -> str:
    """An argument named `learning_rate` in a message of the packages is --learning-rate to a person at a terminal."""
    options = {field.name for command in (compare_command(), Figures, Modified) for field in fields(command)}
    spelled = re.sub(r"`(\w+)`", lambda m: f"--{m[1].replace('_', '-')}" if m[1] in options else m[0], message)
    return " ".join(spelled.split())


def complain(message: str) -> int:
    """One line on standard error, in which a word of more than 400 characters is cut; the exit status of misuse."""
    told = re.sub(r"(\S{60})\S{340,}", r"\1...", message)
    print(f"odescent: {told}", file=sys.stderr)
    return MISUSE


def command() -> NoReturn:
    """Run one command and end the process."""
    # Tracing makes many objects that live on: to look through the young ones after every 700 takes a tenth of the time.
    gc.set_threshold(100_000, 20, 20)
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    if any(thread.name == "odescent block" for thread in threading.enumerate()):
        # Ctrl-C left compiled code running, which an orderly end would wait for or crash in.
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    command()

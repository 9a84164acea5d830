"""The command line: parses, and hands over to the packages. Nothing here imports jax before the arguments are read."""

import contextlib
import io
import os
import re
import sys
from dataclasses import asdict, dataclass, fields
from itertools import dropwhile, takewhile
from typing import Annotated, Literal

import tyro

MISUSE = 2
LONGEST = 500  # characters of a complaint of the parser, which repeats what was typed
DESCRIPTION = "Discrete optimizers side by side with the continuous-time models that claim to describe them."


@dataclass(frozen=True)
class Compare:
    """Run a method beside the flows that claim to describe it, and say with numbers how well each predicts."""

    problem: str
    """What to minimize; `odescent problems` lists them with their settings."""
    method: str
    """gradient-descent, heavy-ball, nesterov, nesterov-look-ahead, heavy-ball-strongly-convex,
    nesterov-strongly-convex, nesterov-strongly-convex-look-ahead, nesterov-convex, nesterov-convex-look-ahead,
    nesterov-restarted, muehlebach-jordan, symplectic-euler, bregman-2, bregman-3, bregman-4, rmsprop, scalar-rmsprop,
    midpoint, heun, kutta-3 or kutta-4."""
    learning_rate: float
    """Step size h."""
    steps: int
    """Steps of the method."""
    flows: tuple[str, ...] = ("gradient", "modified-2")
    """Continuous-time models: gradient, modified-P, modified-P-rest, modified-optimal, iterates-P (P is the order),
    kovachki-stuart, invariant-manifold, invariant-manifold-rest, polyak, muehlebach-jordan, low-resolution,
    high-resolution, su-boyd-candes, high-resolution-convex, high-resolution-convex-3, speed-restart, bregman,
    edge-P, stable, central, central-modified, self-stabilization, self-stabilization-cubic, rod, principal,
    principal-real."""
    every: int = 10
    """Measure every so many steps; must divide the steps."""
    momentum: float | None = None
    """Momentum in [0, 1) of heavy-ball, nesterov and nesterov-look-ahead (0.9 if not given)."""
    strong_convexity: float | None = None
    """Constant m of the methods for strongly convex losses, of muehlebach-jordan and of symplectic-euler."""
    beta2: float | None = None
    """Decay in [0, 1) of the squared gradients of rmsprop and scalar-rmsprop (0.99 if not given)."""
    epsilon: float | None = None
    """What rmsprop and scalar-rmsprop add to the root of the squared gradients (0 if not given)."""
    bias_correction: bool | None = None
    """Whether rmsprop and scalar-rmsprop correct the start of the average at 0 (not if not given)."""
    start: Literal["rest", "slow-manifold"] = "rest"
    """Velocity at the start: zero, or the one without transient."""
    time_averaged: bool | None = None
    """Compare with (x_{n-1} + 2 x_n + x_{n+1})/4, without oscillations of period two (not if not given)."""
    top: int = 2
    """Hessian eigenvalues to track on every side; 0 for none."""
    solver: Literal["explicit", "stiff"] = "explicit"
    """ODE solver: Tsit5 at rtol 1e-9 (float32: 1e-6), or matrix-free implicit Kvaerno5 at 1e-6 (1e-4)."""
    rtol: float | None = None
    """Relative tolerance of the solver instead."""
    max_steps: int | None = None
    """Most solver steps between two samples (100,000 if not given)."""
    precision: Literal["float64", "float32"] = "float64"
    """Of everything."""
    seed: int | None = None
    """Of the start and of random data, where the problem has such (0 if not given)."""
    widths: tuple[int, ...] | None = None
    """Problem setting: hidden layers of an MLP."""
    channels: tuple[int, ...] | None = None
    """Problem setting: of a CNN."""
    activation: str | None = None
    """Problem setting: tanh, relu, gelu, gelu-tanh, elu, swish, softplus or identity."""
    criterion: str | None = None
    """Problem setting: mse or cross-entropy."""
    examples: int | None = None
    """Problem setting: number of training examples."""
    gain: float | None = None
    """Problem setting: scale of a network's starting weights."""
    micro_batch: int | None = None
    """Problem setting: examples that pass through a network at once."""
    data_dir: str | None = None
    """Problem setting: folder of the CIFAR-10 or MNIST files (or set ODESCENT_DATA)."""
    ridge: float | None = None
    """Problem setting: of logistic regression."""
    eigenvalues: tuple[float, ...] | None = None
    """Problem setting: spectrum of the quadratic."""
    degree: int | None = None
    """Problem setting: of the Chebyshev polynomial."""
    points: int | None = None
    """Problem setting: sample points of the Chebyshev polynomial."""
    depth: int | None = None
    """Problem setting: of a deep or diagonal linear network."""
    width: int | None = None
    """Problem setting: of a deep linear network."""
    scale: float | None = None
    """Problem setting: size of a linear network's starting weights."""
    dimension: int | None = None
    """Problem setting: of a diagonal linear network."""
    nonzeros: int | None = None
    """Problem setting: of a diagonal linear network's teacher."""
    out: str | None = None
    """Folder for comparison.nc, summary.json, config.json and the figure."""
    resume: bool = False
    """Continue the unfinished run in --out, to the same numbers."""
    overwrite: bool = False
    """Replace the run in --out."""
    json: bool = False
    """Print the summary as JSON and nothing else."""

    def run(self) -> int:
        """Hand over to comparisons; the exit status."""
        set_precision(self.precision)
        from comparisons.console.experiment import run_experiment

        arguments = asdict(self)
        out, resume, overwrite, as_json = (arguments.pop(key) for key in ("out", "resume", "overwrite", "json"))
        return run_experiment(arguments, out=out, resume=resume, overwrite=overwrite, as_json=as_json)


@dataclass(frozen=True)
class Problems:
    """List the problems and the settings that each takes."""

    def run(self) -> int:
        """Hand over to landscapes; the exit status."""
        from comparisons.console.problem_list import print_problems

        print_problems()
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
        set_precision("float64")
        if self.data_dir is not None:
            os.environ["ODESCENT_DATA"] = self.data_dir
        from paper_figures.report import list_papers, make_figures

        if self.list:
            list_papers()
            return 0
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


def set_precision(precision: str) -> None:
    """Default precision of arrays, and no TensorFloat-32 in matrix products on GPUs."""
    import jax

    jax.config.update("jax_enable_x64", precision == "float64")
    jax.config.update("jax_default_matmul_precision", "highest")


COMMANDS = ("compare", "figures", "modified", "problems")
Command = (
    Annotated[Compare, tyro.conf.subcommand("compare")]
    | Annotated[Figures, tyro.conf.subcommand("figures")]
    | Annotated[Modified, tyro.conf.subcommand("modified")]
    | Annotated[Problems, tyro.conf.subcommand("problems")]
)


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
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(Command, prog="odescent", args=arguments, description=DESCRIPTION, config=config)
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
        return f"missing: {', '.join(names)}"
    whole = " ".join(text).rstrip(".")
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST]}..."


def is_rule(line: str) -> bool:
    """Whether a line of tyro's box is a rule, drawn or typed."""
    return set(line) <= {"─", "-"}


def as_options(message: str) -> str:
    """An argument named `learning_rate` in a message of the packages is --learning-rate to a person at a terminal."""
    options = {field.name for command in (Compare, Figures, Modified) for field in fields(command)}
    spelled = re.sub(r"`(\w+)`", lambda m: f"--{m[1].replace('_', '-')}" if m[1] in options else m[0], message)
    return " ".join(spelled.split())


def complain(message: str) -> int:
    """One line on standard error; the exit status of misuse."""
    print(f"odescent: {message}", file=sys.stderr)
    return MISUSE


if __name__ == "__main__":
    sys.exit(main())

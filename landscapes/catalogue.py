"""The problems that can be asked for by name."""

import inspect
from collections.abc import Callable
from typing import Any

from .linear.linear_networks import deep_linear, diagonal_linear
from .losses.toys import quadratic, rosenbrock, two_valleys
from .named import unknown
from .networks.classifiers import cifar10_cnn, cifar10_mlp, digits_mlp, mnist_cnn, mnist_mlp
from .networks.normalized import normalized_mlp
from .networks.regression import chebyshev_mlp, logistic_digits
from .problem import Problem

PROBLEMS: dict[str, Callable[..., Problem]] = {
    "quadratic": quadratic,
    "rosenbrock": rosenbrock,
    "two-valleys": two_valleys,
    "logistic": logistic_digits,
    "chebyshev-mlp": chebyshev_mlp,
    "digits-mlp": digits_mlp,
    "normalized-mlp": normalized_mlp,
    "deep-linear": deep_linear,
    "diagonal-linear": diagonal_linear,
    "cifar10-mlp": cifar10_mlp,
    "cifar10-cnn": cifar10_cnn,
    "mnist-mlp": mnist_mlp,
    "mnist-cnn": mnist_cnn,
}


def settings_of(name: str) -> dict[str, Any]:
    """The settings a named problem takes, with their defaults; ValueError on an unknown name."""
    if name not in PROBLEMS:
        raise unknown("problem", name, PROBLEMS)
    return {key: p.default for key, p in inspect.signature(PROBLEMS[name]).parameters.items()}


def build(name: str, **settings: Any) -> Problem:
    """The named problem; ValueError on an unknown name, or when it does not take one of the settings."""
    known = settings_of(name)
    for key in settings:
        if key not in known:
            takes = ", ".join(known) or "no settings"
            raise ValueError(f"`{key}` does not apply to the problem {name}, which takes: {takes}.")
    return PROBLEMS[name](**settings)

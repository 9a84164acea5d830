"""Where methods are registered: by the decorator of the class or function that makes them, and nowhere else."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

Maker = TypeVar("Maker", bound=Callable[..., Any])

METHODS: dict[str, Callable[..., Any]] = {}

# Names are shown in the order of these files; those of other files follow.
READING_ORDER = (
    "gradient_descent",
    "heavy_ball",
    "nesterov",
    "nesterov_look_ahead",
    "classical_momentum",
    "restarted_nesterov",
    "muehlebach_jordan",
    "symplectic_euler",
    "bregman_leapfrog",
    "rmsprop",
    "runge_kutta",
)


def named(name: str, **fixed: Any) -> Callable[[Maker], Maker]:
    """Decorator of a class or function that makes a method, which can then be asked for by this name.

    Its first argument is the learning rate. Its settings are those of its arguments (of a class: its fields, in its own
    body) that are `Annotated` with the line that says what they are; a shared one lies in `settings`. The first type is
    the one that a text is read as: `Annotated[float | Any, "Momentum in [0, 1)."]`. fixed: arguments that the name
    stands for. Raises ValueError where another method has the name.
    """

    def register(maker: Maker) -> Maker:
        if name in METHODS:
            taken = getattr(METHODS[name], "func", METHODS[name])
            raise ValueError(f"`name` {name!r} is taken by {taken.__module__}.{taken.__qualname__}; choose another.")
        METHODS[name] = partial(maker, **fixed) if fixed else maker
        return maker

    return register

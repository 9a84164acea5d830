"""What the runs behind the figure are made with."""

from typing import Literal, NamedTuple

BLOCK, EVERY = 60, 10
BEFORE, WITHIN = "before the edge", "within the edge"
MODELS = ["constrained trajectory", "gradient flow"]
SAID = ("predicted_x", "predicted_y")


class Size(NamedTuple):
    """A network, h, the step of its run at which each comparison begins, the maps compared, and for how many steps."""

    widths: tuple[int, ...]
    examples: int
    rate: float
    begins: dict[str, int]
    displacements: tuple[Literal["published", "cubic"], ...]
    steps: int
    sharpness: bool


FULL = Size((20, 20), 300, 0.15, {BEFORE: 100, WITHIN: 700}, ("published", "cubic"), 900, True)
QUICK = Size((12, 12), 100, 0.2, {WITHIN: 620}, ("published",), 480, False)

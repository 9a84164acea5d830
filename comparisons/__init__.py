"""A method and its flows side by side: divergence, orders, storage, pictures."""

from .accuracy import Accuracy as Accuracy
from .compare import compare as compare
from .comparison import Comparison as Comparison
from .divergence.path import Divergence as Divergence
from .edge.oscillation import Oscillation as Oscillation, measure_oscillation as measure_oscillation
from .edge.scorecard import Score as Score, Scorecard as Scorecard, scorecard as scorecard
from .storage.load import load as load
from .theorems.bound_instruments import (
    Defect as Defect,
    GrowthRate as GrowthRate,
    bound_instruments as bound_instruments,
)
from .theorems.bounds import DivergenceBound as DivergenceBound, divergence_bound as divergence_bound
from .theorems.decay import Decay as Decay, measure_decay as measure_decay
from .theorems.order import Order as Order, measure_order as measure_order

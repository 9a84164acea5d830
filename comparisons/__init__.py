"""A method and its flows side by side: divergence, orders, storage, pictures."""

from .bounds import DivergenceBound as DivergenceBound, divergence_bound as divergence_bound
from .compare import compare as compare
from .comparison import Comparison as Comparison
from .dataset import load as load
from .decay import Decay as Decay, measure_decay as measure_decay
from .divergence import Divergence as Divergence
from .instruments import Defect as Defect, GrowthRate as GrowthRate, bound_instruments as bound_instruments
from .order import Order as Order, measure_order as measure_order
from .oscillation import Oscillation as Oscillation, measure_oscillation as measure_oscillation
from .scorecard import Score as Score, Scorecard as Scorecard, scorecard as scorecard

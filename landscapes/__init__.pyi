"""Loss functions, data and networks; their local geometry; the instruments that measure both."""

from . import (
    curvature as curvature,
    data as data,
    instruments as instruments,
    linear as linear,
    losses as losses,
    networks as networks,
    precision as precision,
)
from .catalogue import (
    PROBLEMS as PROBLEMS,
    all_settings as all_settings,
    build as build,
    settings_of as settings_of,
)
from .curvature.eigenpairs import Eigenpairs as Eigenpairs, top_eigenpairs as top_eigenpairs
from .curvature.hessian import (
    dense_hessian as dense_hessian,
    gradient_and_product as gradient_and_product,
    hessian_operator as hessian_operator,
    third_derivative as third_derivative,
)
from .curvature.minimizer import minimizer as minimizer
from .instruments.amplification import Amplification as Amplification
from .instruments.effective_sharpness import EffectiveSharpness as EffectiveSharpness
from .instruments.gradients import (
    GradientCosine as GradientCosine,
    GradientNorm as GradientNorm,
    parameter_norm as parameter_norm,
)
from .instruments.loss_value import LossValue as LossValue
from .instruments.moment import Moment as Moment
from .instruments.observable import (
    MotionObservable as MotionObservable,
    Observable as Observable,
    Observables as Observables,
    check_observables as check_observables,
    init_carries as init_carries,
    measure_all as measure_all,
    watch_all as watch_all,
    watching as watching,
)
from .instruments.reading import Column as Column, Reading as Reading, columns_of as columns_of, flattened as flattened
from .instruments.sharpness import Sharpness as Sharpness
from .linear.imbalance import imbalance as imbalance, imbalance_rate as imbalance_rate, narrowed as narrowed
from .linear.linear_modes import (
    decoupled_start as decoupled_start,
    mode_bases as mode_bases,
    mode_sigmoid as mode_sigmoid,
    mode_strengths as mode_strengths,
    mode_time as mode_time,
)
from .linear.linear_networks import (
    deep_linear as deep_linear,
    diagonal_linear as diagonal_linear,
    lowest_curvature as lowest_curvature,
    product_model as product_model,
)
from .losses.criteria import cross_entropy as cross_entropy, half_squared_error as half_squared_error
from .losses.data_loss import DataLoss as DataLoss, OverExamples as OverExamples, over_examples as over_examples
from .losses.toys import (
    Quadratic as Quadratic,
    quadratic as quadratic,
    rosenbrock as rosenbrock,
    two_valleys as two_valleys,
)
from .networks.classifiers import (
    cifar10_cnn as cifar10_cnn,
    cifar10_mlp as cifar10_mlp,
    digits_mlp as digits_mlp,
    mnist_cnn as mnist_cnn,
    mnist_mlp as mnist_mlp,
)
from .networks.cnn import CNN as CNN
from .networks.input_span import in_input_span as in_input_span
from .networks.mlp import MLP as MLP
from .networks.normalized import NormalizedMLP as NormalizedMLP, normalized_mlp as normalized_mlp
from .networks.regression import chebyshev_mlp as chebyshev_mlp, logistic_digits as logistic_digits
from .problem import Loss as Loss, Params as Params, Problem as Problem, count as count
from .registered import problem_builder as problem_builder
from .start import check_start as check_start

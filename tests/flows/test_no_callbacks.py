"""No compiled program calls back to Python: JAX keeps none that does, and each call would wait for the interpreter."""

import jax
import jax.numpy as jnp
import pytest

import discrete
import flows
import landscapes
from discrete.running.march import _advance, _start
from discrete.running.run import descent_side
from flows.running.solve import flow_side

TOY = landscapes.two_valleys()
DESCENT, SCALED = discrete.GradientDescent(0.02), discrete.RMSProp(0.02)
FLOWS = {
    "gradient": flows.GradientFlow(DESCENT),
    "modified-3": flows.ModifiedFlow(DESCENT, order=3),
    "optimal": flows.ModifiedFlow(DESCENT, order="optimal"),
    "iterates": flows.IterateFlow(DESCENT),
    "leading error": flows.LeadingError(DESCENT),
    "edge-2": flows.EdgeFlow(DESCENT),
    "edge of RMSProp": flows.EdgeFlow(SCALED),
    "central": flows.CentralFlow(DESCENT),
    "central of RMSProp": flows.CentralFlow(SCALED),
    "stable": flows.StableFlow(SCALED),
    "rod": flows.RodFlow(DESCENT),
    "principal": flows.PrincipalFlow(DESCENT),
    "self-stabilization": flows.SelfStabilization(DESCENT),
    "kovachki-stuart": flows.KovachkiStuart(discrete.HeavyBall(0.02, 0.9)),
    "su-boyd-candes": flows.SuBoydCandes(discrete.nesterov_convex(0.02)),
    "restarts": flows.SpeedRestart(discrete.RestartedNesterov(0.02, when="speed")),
}
OBSERVE = {"sharpness": landscapes.Sharpness(TOY.loss, k=2), "gradient_norm": landscapes.GradientNorm(TOY.loss)}
INTEGRATORS = {"explicit": flows.explicit(), "stabilized": flows.stabilized(), "stiff": flows.stiff()}


def programs(side):
    """The start of a side and its block, as XLA gets them."""
    carry = _start(side)
    count = jnp.asarray(1)
    return _start.lower(side).as_text() + _advance.lower(side, carry, count, count, None, 8).as_text()


def test_a_callback_would_be_seen():
    def talks(x):
        jax.debug.callback(lambda: None)
        return TOY.loss(x)

    side = descent_side(DESCENT, talks, TOY.params, steps=2, observe=None, every=1, state=None, key=0)
    assert "callback" in programs(side)


@pytest.mark.parametrize("method", [DESCENT, SCALED, discrete.HeavyBall(0.02, 0.9)], ids=lambda m: type(m).__name__)
def test_a_method_does_not_call_back(method):
    side = descent_side(method, TOY.loss, TOY.params, steps=2, observe=OBSERVE, every=1, state=None, key=0)
    assert "callback" not in programs(side)


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_does_not_call_back(name):
    side = flow_side(FLOWS[name], TOY.loss, TOY.params, steps=2, observe=OBSERVE, every=1)
    assert "callback" not in programs(side)


@pytest.mark.parametrize("name", INTEGRATORS)
def test_an_integrator_does_not_call_back(name):
    flow, integrator = FLOWS["gradient"], INTEGRATORS[name]
    side = flow_side(flow, TOY.loss, TOY.params, steps=2, observe=OBSERVE, every=1, integrator=integrator)
    assert "callback" not in programs(side)

"""Exact coefficients of modified equations: seconds for each order, and beside kauri's floats in the same run.

Targets: order 10 in 2 s on one core; order 8 at least 100 times faster than kauri. An order costs about 3 times the one
before: 2.6 times as many trees, each with one more cut and one more power of the derivative, and longer fractions.
Memory grows alike, and is what is left after the time is spent.
"""

import time
import tracemalloc
from fractions import Fraction

import kauri

from flows.modified import trees
from flows.modified.coefficients import expanded
from flows.modified.scheme import heavy_ball_scheme

ORDERS = (6, 8, 10, 11, 12)
COMPARED = 8
TARGET_SECONDS, TARGET_RATIO = 2.0, 100.0


def ours(momentum: Fraction, order: int) -> float:
    """Processor seconds from nothing: trees, cuts and coefficients."""
    for cached in (trees.order, trees.symmetry, trees.trees_of_order, trees.forests, trees.cuts):
        cached.cache_clear()
    begin = time.process_time()
    expanded(heavy_ball_scheme(momentum), order)
    return time.process_time() - begin


def kauris(order: int) -> float:
    """Processor seconds for the same trees of gradient descent, which is Euler's method."""
    begin = time.process_time()
    modified = kauri.euler.modified_equation_map()
    for nodes in range(1, order + 1):
        for tree in kauri.trees_of_order(nodes):
            modified(tree)
    return time.process_time() - begin


def main() -> None:
    for order in ORDERS:
        euler, heavy = ours(Fraction(0), order), ours(Fraction(9, 10), order)
        number = trees.number_of_trees(order)
        print(f"order {order:2d}, {number:5,} trees: gradient descent {euler:.3f} s, heavy ball 9/10 {heavy:.3f} s")
        if order == 10:
            print(f"  target {TARGET_SECONDS:.0f} s: {'reached' if max(euler, heavy) <= TARGET_SECONDS else 'missed'}")
    tracemalloc.start()
    ours(Fraction(9, 10), ORDERS[-1])
    print(f"memory at order {ORDERS[-1]}: {tracemalloc.get_traced_memory()[1] / 2**20:.0f} MB")
    tracemalloc.stop()
    mine, other = min(ours(Fraction(0), COMPARED) for _ in range(3)), kauris(COMPARED)
    verdict = "reached" if other / mine >= TARGET_RATIO else "missed"
    print(f"order {COMPARED}: ours {mine:.3f} s, kauri {other:.1f} s")
    print(f"  kauri / ours: {other / mine:.0f} (target {TARGET_RATIO:.0f}: {verdict})")


if __name__ == "__main__":
    main()

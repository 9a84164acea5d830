"""Rooted trees: how many there are, when two are the same, and that cutting an edge undoes grafting."""

from math import factorial

import pytest

from flows.modified.trees import (
    LEAF,
    cuts,
    density,
    grafts,
    number_of_trees,
    order,
    symmetry,
    tree_of,
    trees_of_order,
    trees_up_to,
)

COUNTS = [1, 1, 2, 4, 9, 20, 48, 115, 286, 719]
CHAIN, CHERRY = (LEAF,), (LEAF, LEAF)

# tree: (order, symmetry, density) of Hairer, Lubich and Wanner 2006, section III.1
KNOWN = {
    LEAF: (1, 1, 1),
    CHAIN: (2, 1, 2),
    CHERRY: (3, 2, 3),
    (CHAIN,): (3, 1, 6),
    (LEAF, LEAF, LEAF): (4, 6, 4),
    (LEAF, CHAIN): (4, 1, 8),
    (CHERRY,): (4, 2, 12),
    ((CHAIN,),): (4, 1, 24),
    (CHAIN, CHAIN): (5, 2, 20),
    (LEAF, CHERRY): (5, 2, 15),
    (LEAF, LEAF, CHAIN): (5, 2, 10),
    (CHERRY, CHERRY): (7, 8, 63),
}


@pytest.mark.parametrize(("nodes", "count"), list(enumerate(COUNTS, start=1)))
def test_there_are_as_many_trees_as_cayley_counted(nodes, count):
    trees = trees_of_order(nodes)
    assert len(trees) == len(set(trees)) == number_of_trees(nodes) == count
    assert {order(tree) for tree in trees} == {nodes}


def test_trees_up_to_an_order_come_small_ones_first():
    assert list(map(order, trees_up_to(6))) == [n for n, count in enumerate(COUNTS[:6], start=1) for _ in range(count)]


@pytest.mark.parametrize("tree", KNOWN)
def test_order_symmetry_and_density_are_the_printed_ones(tree):
    assert tree in trees_of_order(order(tree))
    assert (order(tree), symmetry(tree), density(tree)) == KNOWN[tree]


@pytest.mark.parametrize("children", [(CHAIN, LEAF), (LEAF, CHERRY, CHAIN, LEAF), (((CHAIN,),), CHERRY, (LEAF,) * 3)])
def test_the_order_of_the_children_does_not_matter(children):
    tree = tree_of(children)
    assert tree == tree_of(reversed(children)) == tree_of((*children[1:], children[0]))
    assert tree in trees_of_order(order(tree))


@pytest.mark.parametrize("nodes", range(1, 11))
def test_increasing_labels_are_counted_by_n_factorial_over_symmetry_times_density(nodes):
    """Node n of an increasing tree hangs from any of the n - 1 before it: (n - 1)! trees altogether."""
    labels = [factorial(nodes) // (symmetry(tree) * density(tree)) for tree in trees_of_order(nodes)]
    assert sum(labels) == factorial(nodes - 1)


@pytest.mark.parametrize("nodes", range(2, 9))
def test_every_cut_is_undone_by_as_many_grafts(nodes):
    """cuts(tree -> u, v) symmetry(u) symmetry(v) = grafts(v onto u -> tree) symmetry(tree)"""
    for tree in trees_of_order(nodes):
        for kept, fallen, ways in cuts(tree):
            assert kept in trees_of_order(order(kept)) and order(kept) + order(fallen) == nodes
            assert ways * symmetry(kept) * symmetry(fallen) == grafts(kept, fallen)[tree] * symmetry(tree)
        assert sum(ways for *_, ways in cuts(tree)) == nodes - 1


def test_every_graft_can_be_cut_and_there_is_one_for_every_node():
    for stock in trees_up_to(5):
        for scion in trees_up_to(3):
            found = grafts(stock, scion)
            assert found.total() == order(stock)
            assert all((stock, scion) in {(kept, fallen) for kept, fallen, _ in cuts(tree)} for tree in found)


def test_a_thousand_nodes_are_counted_without_making_trees():
    assert [number_of_trees(13), number_of_trees(30)] == [12486, 354426847597]

"""What the members of an ensemble differ in: where they start, their hyper-parameters, what is drawn."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import keystr, tree_leaves_with_path

from landscapes import Loss, Params, check_start

from ..method import Method
from .ensemble import Ensemble, ensemble_of
from .key import as_key
from .march import Side, traced


class Members(eqx.Module):
    """The members of an ensemble; what is None is the same for all.

    params: the starts, a leading axis of members on every leaf.
    methods: one for each member, of one class; numbers may differ, and nothing else.
    keys: one for each member, whole numbers or keys of JAX.
    Raises ValueError where they are not as many as each other, or differ in what cannot be stacked.
    """

    params: Params | None = None
    methods: Any = None
    keys: Any = None

    def __check_init__(self):
        found = self._counts()
        if not found:
            raise ValueError("`members` must differ in something: give Members `params`, `methods` or `keys`.")
        if len(set(found.values())) > 1 or not all(found.values()):
            told = ", ".join(f"{count} `{name}`" for name, count in found.items())
            raise ValueError(f"`members` must have one of each for every member, and one member at least, got {told}.")
        for i, method in enumerate(self.methods or ()):
            if not isinstance(method, Method):
                raise ValueError(f"`members.methods[{i}]` must be a method, got {method!r}.")

    @property
    def count(self) -> int:
        """How many there are."""
        return next(iter(self._counts().values()))

    def method(self, given: Method | None) -> Method:
        """The method of the first member; ValueError where there is none, or members have others than the one given."""
        if self.methods is None:
            if given is None:
                raise ValueError("`method` is missing: pass the method of all members, or Members(methods=...).")
            return given
        stacked([*([] if given is None else [given]), *self.methods], "members.methods")
        return self.methods[0]

    def first_params(self, given: Params | None) -> Params:
        """Where the first member starts; ValueError where nothing says so, or members have other shapes than given."""
        if self.params is None:
            if given is None:
                raise ValueError("`params` is missing: pass the start of all members, or Members(params=...).")
            return given
        first = jax.tree.map(lambda leaf: jnp.asarray(leaf)[0], self.params)
        if given is not None and _shapes(given) != _shapes(first):
            raise ValueError(
                f"`members.params` must have the leaves of `params` with one axis more in front, shapes "
                f"{_shapes(given)[1]}, got {_shapes(self.params)[1]}; stack the starts along the first axis."
            )
        return first

    def check_starts(self, loss: Loss, params: Params) -> None:
        """What `check_start` says of one start, of all: the error names the first member that it is about."""
        if self.params is None:
            return check_start(loss, params)
        starts = jax.tree.map(jnp.asarray, self.params)

        def check(i: int) -> None:
            try:
                check_start(loss, jax.tree.map(lambda leaf: leaf[i], starts))
            except ValueError as error:
                raise ValueError(f"member {i} of `members.params`: {error}") from error

        check(0)
        return check(int(_first_not_finite(loss, starts)))

    def ensemble(self, build: Callable[..., Side], **given: Any) -> Ensemble:
        """The ensemble of the sides build(**given), with what the members differ in in the place of what is given.

        given: method, params, state, key and what else `build` takes; a `Stacked` differs from member to member.
        """
        own: dict[str, Any] = {}
        if self.params is not None:
            own["params"] = Stacked(jax.tree.map(jnp.asarray, self.params), None)
        if self.methods is not None and "method" in given:
            own["method"] = stacked(self.methods, "members.methods")
        if self.keys is not None:
            own["key"] = Stacked(jnp.stack([as_key(key, "members.keys") for key in self.keys]), None)
        if given.get("state") is not None:
            own["state"] = Stacked(self._states(given["state"]), None)
        given = given | own
        differing = {name: value.varying for name, value in given.items() if isinstance(value, Stacked)}

        def one(member: dict[str, Any]) -> Side:
            return build(**given | {name: given[name].member(varying) for name, varying in member.items()})

        return ensemble_of(one, differing, self.count)

    def _states(self, state: Any) -> Any:
        shapes = _shapes(state)[1]
        if any(shape[:1] != (self.count,) for shape in shapes):
            raise ValueError(
                f"`state` must have one entry for each of the {self.count} members along the first axis of every leaf, "
                f"got shapes {shapes}; pass the `final_state` of an ensemble, or stack the states."
            )
        return jax.tree.map(jnp.asarray, state)

    def _counts(self) -> dict[str, int]:
        found = {}
        if self.params is not None:
            shapes = _shapes(self.params)[1]
            if not shapes or len({shape[:1] for shape in shapes}) != 1 or not all(shapes):
                raise ValueError(
                    f"`members.params` must have one leading axis of the same length on every leaf, got shapes {shapes}"
                    "; stack the starts along the first axis."
                )
            found["params"] = shapes[0][0]
        for name, many in (("methods", self.methods), ("keys", self.keys)):
            if many is not None:
                if not isinstance(many, Sequence | np.ndarray | jax.Array) or isinstance(many, str):
                    raise ValueError(f"`members.{name}` must be a sequence, one for each member, got {many!r}.")
                found[name] = len(many)
        return found


class Stacked(NamedTuple):
    """Trees of one structure as one: the leaves that differ, stacked, and all the rest."""

    varying: Any
    shared: Any

    def member(self, varying: Any) -> Any:
        """One of the trees, from its own part of what is stacked."""
        return varying if self.shared is None else eqx.combine(varying, self.shared)


def stacked(trees: Sequence[Any], name: str) -> Stacked:
    """Modules of one class, with the numbers that differ stacked; ValueError names what else differs."""
    # Python's numbers stay weakly typed when they are stacked: a member computes in the precision of its params.
    made = _alike([traced(tree) for tree in trees])
    whole = [tree_leaves_with_path(tree) for tree in made]
    for i, (tree, leaves) in enumerate(zip(made, whole, strict=True)):
        wrong = None
        if jax.tree.structure(tree) != jax.tree.structure(made[0]):
            wrong = f"{_summary(trees[i])} beside {_summary(trees[0])}"
        for (path, leaf), (_, first) in zip(leaves, whole[0], strict=wrong is None):
            numbers = eqx.is_array(leaf) and eqx.is_array(first)
            if wrong is None and not (leaf.shape == first.shape if numbers else leaf is first or leaf == first):
                wrong = f"{leaf!r} beside {first!r} at {keystr(path)}"
        if wrong is not None:
            raise ValueError(
                f"`{name}` must be of one class and structure, and differ in real numbers alone, got {wrong}; "
                "run apart what differs in more."
            )
    first, structure = jax.tree.flatten(made[0])
    varying, shared = [], []
    for column, leaf in zip(zip(*(jax.tree.leaves(tree) for tree in made), strict=True), first, strict=True):
        same = not eqx.is_array(leaf) or all(np.array_equal(np.asarray(one), np.asarray(leaf)) for one in column)
        varying.append(None if same else jnp.stack(column))
        shared.append(leaf if same else None)
    return Stacked(jax.tree.unflatten(structure, varying), jax.tree.unflatten(structure, shared))


def _alike(trees: list[Any]) -> list[Any]:
    """The trees with a whole number as a real one wherever another tree has a real one."""
    columns = [jax.tree.leaves(tree) for tree in trees]
    if len({len(column) for column in columns}) > 1:
        return trees
    real = [any(eqx.is_array(leaf) for leaf in row) for row in zip(*columns, strict=True)]
    return [
        jax.tree.unflatten(
            jax.tree.structure(tree),
            [
                jnp.asarray(float(leaf)) if type(leaf) is int and beside else leaf
                for leaf, beside in zip(column, real, strict=True)
            ],
        )
        for tree, column in zip(trees, columns, strict=True)
    ]


def _summary(tree: Any) -> str:
    return " ".join(repr(tree).split())[:120]


def _shapes(tree: Any) -> tuple[Any, list[tuple[int, ...]]]:
    return jax.tree.structure(tree), [jnp.shape(leaf) for leaf in jax.tree.leaves(tree)]


@eqx.filter_jit
def _first_not_finite(loss: Loss, params: Params) -> Any:
    """The first member whose loss or gradient is not finite; 0 where all are."""

    def finite(one: Params) -> Any:
        value, slope = jax.value_and_grad(loss)(one)
        return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in (value, *jax.tree.leaves((slope, one)))]))

    return jnp.argmin(jax.vmap(finite)(params))

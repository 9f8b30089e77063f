"""The tree of RFC 9162, against its own recursive definition, known roots, and proofs that were changed."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.evidence.hashing import AlgorithmMissing, tree_hash
from services.evidence.merkle import Frontier, Tree, extends, includes, leaf_hash, node_hash
from tests.support.examples import examples

SHA = tree_hash("sha256")
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
"""The eight leaves with which implementations of Certificate Transparency compare themselves."""
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def naive(leaves: Sequence[bytes]) -> bytes:
    """MTH as section 2.1.1 writes it, over the inputs themselves."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive(leaves[:k]) + naive(leaves[k:])).digest()


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH as section 2.1.3.1 writes it."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive(leaves[:k])]


def naive_subproof(m: int, leaves: Sequence[bytes], known: bool) -> list[bytes]:
    """SUBPROOF as section 2.1.4.1 writes it."""
    if m == len(leaves):
        return [] if known else [naive(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*naive_subproof(m, leaves[:k], known), naive(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive(leaves[:k])]


def tree_of(leaves: Sequence[bytes]) -> Tree:
    return Tree(SHA, [leaf_hash(SHA, leaf) for leaf in leaves])


def grown(leaves: Sequence[bytes]) -> Frontier:
    found = Frontier(SHA)
    for leaf in leaves:
        found.append(leaf_hash(SHA, leaf))
    return found


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_that_are_known(size: int) -> None:
    leaves = [bytes.fromhex(each) for each in INPUTS]
    assert tree_of(leaves).root(size).hex() == ROOTS[size]
    assert grown(leaves[:size]).root().hex() == ROOTS[size]


def test_the_root_over_sm3_is_another_one_and_its_leaves_and_nodes_are_kept_apart() -> None:
    try:
        sm3 = tree_hash("sm3")
    except AlgorithmMissing:
        pytest.skip("OpenSSL of this machine has no SM3")
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    left, right = leaf_hash(sm3, b"a"), leaf_hash(sm3, b"b")
    assert Tree(sm3, [left, right]).root(2) == sm3(b"\x01" + sm3(b"\x00a") + sm3(b"\x00b"))


def test_a_leaf_that_looks_like_a_node_has_another_digest() -> None:
    left, right = b"l" * 32, b"r" * 32
    assert leaf_hash(SHA, left + right) != node_hash(SHA, left, right)


leaf_lists = st.lists(st.binary(max_size=4), min_size=1, max_size=70)


@given(leaf_lists)
def test_roots_of_every_size_are_those_of_the_definition(leaves: list[bytes]) -> None:
    tree, frontier = tree_of(leaves), Frontier(SHA)
    for size, leaf in enumerate(leaves, 1):
        frontier.append(leaf_hash(SHA, leaf))
        assert tree.root(size) == frontier.root() == naive(leaves[:size])


@given(leaf_lists, st.data())
def test_a_proof_of_inclusion_is_the_definitions_and_holds_there_only(
    leaves: list[bytes], data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))
    tree, root, leaf = tree_of(leaves), naive(leaves[:size]), leaf_hash(SHA, leaves[index])
    path = tree.inclusion(index, size)
    assert path == naive_path(index, leaves[:size])
    assert includes(SHA, leaf, index, size, path, root)
    assert not includes(SHA, leaf, index, size, [*path, root], root)
    assert not includes(SHA, leaf, size, size, path, root)
    assert not includes(SHA, leaf_hash(SHA, leaves[index] + b"!"), index, size, path, root)
    if path:
        assert not includes(SHA, leaf, index, size, path[:-1], root)
        at = data.draw(st.integers(0, len(path) - 1))
        assert not includes(SHA, leaf, index, size, [*path[:at], b"x" * 32, *path[at + 1 :]], root)


@examples(200)
@given(leaf_lists, st.data())
def test_a_proof_of_consistency_is_the_definitions_and_holds_between_these_two_only(
    leaves: list[bytes], data: st.DataObject
) -> None:
    new = data.draw(st.integers(1, len(leaves)))
    old = data.draw(st.integers(1, new))
    path = tree_of(leaves).consistency(old, new)
    sides = (old, naive(leaves[:old])), (new, naive(leaves[:new]))
    assert path == naive_subproof(old, leaves[:new], True)
    assert extends(SHA, *sides, path)
    assert not extends(SHA, *sides, [*path, b"x" * 32])
    assert not extends(SHA, (old, b"x" * 32), sides[1], path)
    if path:
        assert not extends(SHA, *sides, path[:-1])
        assert not extends(SHA, *sides, path[1:])
        at = data.draw(st.integers(0, len(path) - 1))
        assert not extends(SHA, *sides, [*path[:at], b"x" * 32, *path[at + 1 :]])
    if old < new:
        assert not extends(SHA, sides[1], sides[0], path)


@given(leaf_lists, st.integers(1, 9))
def test_a_proof_does_not_hold_for_another_size_of_the_newer_tree(leaves: list[bytes], more: int) -> None:
    """The second size must be used up by the proof, or a proof could be passed off for a longer log."""
    if len(leaves) < 2:
        return
    old, new = 1, len(leaves)
    path = tree_of(leaves).consistency(old, new)
    longer = 1 << ((new - 1).bit_length() + more)
    assert not extends(SHA, (old, naive(leaves[:old])), (longer, naive(leaves)), path)


def test_an_empty_log_is_the_beginning_of_every_other() -> None:
    empty = hashlib.sha256(b"").digest()
    assert extends(SHA, (0, empty), (3, naive([b"a", b"b", b"c"])), [])
    assert not extends(SHA, (0, b"x" * 32), (3, naive([b"a", b"b", b"c"])), [])
    assert not extends(SHA, (0, empty), (3, naive([b"a", b"b", b"c"])), [empty])


@given(leaf_lists, st.data())
def test_a_frontier_goes_on_from_where_another_one_stopped(leaves: list[bytes], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(leaves)))
    kept = grown(leaves[:cut])
    further = Frontier(SHA, kept.size, list(kept.peaks))
    for leaf in leaves[cut:]:
        further.append(leaf_hash(SHA, leaf))
    assert further.root() == naive(leaves)


@pytest.mark.parametrize(("size", "peaks"), [(1, 0), (3, 1), (4, 2), (-1, 0), (0, 1)])
def test_a_frontier_that_does_not_fit_its_size_is_refused(size: int, peaks: int) -> None:
    with pytest.raises(ValueError, match="one digest for each bit"):
        Frontier(SHA, size, [b"x" * 32] * peaks)


def test_proofs_outside_the_log_are_refused() -> None:
    tree = tree_of([b"a", b"b"])
    for asked in (lambda: tree.inclusion(2, 2), lambda: tree.consistency(0, 2), lambda: tree.root(3)):
        with pytest.raises(IndexError):
            asked()


def test_an_unknown_hash_is_refused_with_what_there_is() -> None:
    with pytest.raises(AlgorithmMissing, match="sha256, sm3"):
        tree_hash("md5")

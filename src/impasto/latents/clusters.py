"""Clusters: which pictures belong together."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int64
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors

DIMENSIONS = 32  # at most, for densities: in more, all points are equally far from each other
JUDGED = 5_000  # pictures that the silhouette is taken from
COMPARED = (
    10_000  # pictures among which densities are compared; the time grows with the square of them
)
TRIED = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20)  # numbers of clusters, where none is named


@dataclass(frozen=True)
class Clusters:
    """What was found.

    Attributes:
        labels: of each picture; -1 where it belongs to none.
        silhouette: from -1 to 1: how much nearer pictures are to their own cluster than to the next.
        method: how they were found.
    """

    labels: Int64[np.ndarray, " n"]
    silhouette: float
    method: str

    def judged_by(self, codes: Float[np.ndarray, "n z"], seed: int = 0) -> "Clusters":
        """The same ones, with the silhouette that they have among other codes of the same pictures."""
        told = _silhouette(_reduced(codes, seed), self.labels, seed)
        return replace(self, silhouette=told)

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self.labels.max()) + 1 if len(self.labels) else 0


def by_density(codes: Float[np.ndarray, "n z"], *, least: int, seed: int = 0) -> Clusters:
    """Clusters that are denser than what lies between them, as many as there are; what lies between belongs to none.

    Of more than 10,000 pictures as many are clustered, drawn at random, and the others belong where the nearest of
    these does.

    Args:
        codes: of the pictures.
        least: pictures in a cluster.
        seed: of what is drawn.

    Source: Campello et al., Density-based clustering based on hierarchical density estimates, 2013.
    """
    reduced = _reduced(codes, seed)
    drawn = np.arange(len(reduced))
    if len(drawn) > COMPARED:
        drawn = np.random.default_rng(seed).choice(drawn, COMPARED, replace=False)
    fewer = min(max(2, round(least * len(drawn) / len(reduced))), len(drawn))
    found = HDBSCAN(min_cluster_size=fewer, min_samples=max(1, fewer // 4), copy=True)
    labels = found.fit(reduced[drawn]).labels_.astype(np.int64)
    if len(drawn) < len(reduced):
        nearest = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(reduced[drawn])
        labels = labels[nearest.kneighbors(reduced, return_distance=False)[:, 0]]
    labels = _by_size(labels)
    return Clusters(
        labels, _silhouette(reduced, labels, seed), f"HDBSCAN, {least} pictures and more"
    )


def by_means(codes: Float[np.ndarray, "n z"], *, count: int | None, seed: int = 0) -> Clusters:
    """So many clusters around their means; by default as many as part best by the silhouette."""
    reduced = _reduced(codes, seed)
    different = len(np.unique(reduced, axis=0))
    numbers = [count] if count else [k for k in TRIED if k == TRIED[0] or k < len(codes) // 2]
    tried = []
    for number in numbers:
        found = KMeans(min(number, different), n_init=4, random_state=seed).fit(reduced)
        labels = _by_size(found.labels_.astype(np.int64))
        name = f"k-means, k = {labels.max() + 1}"
        tried.append(Clusters(labels, _silhouette(reduced, labels, seed), name))
    return max(tried, key=lambda each: -2.0 if np.isnan(each.silhouette) else each.silhouette)


def _reduced(codes: Float[np.ndarray, "n z"], seed: int) -> Float[np.ndarray, "n d"]:
    if codes.shape[1] <= DIMENSIONS or len(codes) <= DIMENSIONS:
        return codes
    reduced: np.ndarray = PCA(DIMENSIONS, random_state=seed).fit_transform(codes)
    return reduced


def _by_size(labels: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
    """The same clusters, numbered from the largest."""
    found, counts = np.unique(labels[labels >= 0], return_counts=True)
    names = np.full(int(labels.max(initial=-1)) + 2, -1)
    names[found[np.argsort(-counts, kind="stable")]] = np.arange(len(found))
    renamed: np.ndarray = names[labels].astype(np.int64)
    return renamed


def _silhouette(
    codes: Float[np.ndarray, "n z"], labels: Int64[np.ndarray, " n"], seed: int
) -> float:
    inside = np.flatnonzero(labels >= 0)
    if len(inside) > JUDGED:
        inside = np.random.default_rng(seed).choice(inside, JUDGED, replace=False)
    if not 2 <= len(np.unique(labels[inside])) < len(inside):
        return float("nan")
    return float(silhouette_score(codes[inside], labels[inside]))

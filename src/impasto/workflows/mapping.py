"""All pictures of a source on one map, in clusters: `map`."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from impasto.data.prepared import Prepared
from impasto.errors import BadInput, ConfigError, SourceError
from impasto.latents.clusters import Clusters, by_density, by_means
from impasto.sheets import tile
from impasto.views.map import PER_SPRITE, MapFacts, Shown, render_map, sprite, thumbnail_side
from impasto.views.page import named
from impasto.workflows.pictures import Report
from impasto.workflows.reading import made, names_of, pictures, written
from impasto.workflows.results import write_picture
from impasto.workflows.searching import Eye, eye_of

Method = Literal["hdbscan", "kmeans"]
Projection = Literal["auto", "umap", "pca"]
FEWEST = 4  # pictures on a map
SHEET = 24  # pictures of a cluster's middle
NEIGHBOURS = 15  # that UMAP keeps together
UMAPPED = "UMAP"

# Two numbers for each picture, and how they were found.
Placed = tuple[Float[np.ndarray, "n 2"], str]


@dataclass(frozen=True)
class Mapped:
    """What was found.

    Attributes:
        path: of the page.
        pictures: on it.
        projection: how places were found.
        method: how clusters were found.
        clusters: their sizes, the largest first.
        alone: pictures in none.
        silhouette: from -1 to 1: how well they part where they were found, on UMAP's map or among codes; none
            where there are fewer than two.
        among_codes: the same among the codes, where they were found on a map.
        sheets: pictures of clusters, where they were asked for.
    """

    path: Path
    pictures: int
    projection: str
    method: str
    clusters: tuple[int, ...]
    alone: int
    silhouette: float | None
    among_codes: float | None
    sheets: tuple[Path, ...] = field(default=())

    @property
    def clustering(self) -> str:
        """How many there are, how they were found and how well they part."""
        parting = "" if self.silhouette is None else f", silhouette {self.silhouette:.2f}"
        if parting and self.among_codes is not None:
            parting += f" on the map and {self.among_codes:.2f} among codes"
        return f"{len(self.clusters)} clusters ({self.method}{parting})"

    def to_plain(self) -> dict[str, Any]:
        """As JSON tells it."""
        return {
            "map": str(self.path),
            "pictures": self.pictures,
            "projection": self.projection,
            "method": self.method,
            "clusters": list(self.clusters),
            "alone": self.alone,
            "silhouette": self.silhouette,
            "silhouette_among_codes": self.among_codes,
            "sheets": [str(sheet) for sheet in self.sheets],
        }


def map_pictures(
    source: str | Path,
    to: str | Path,
    *,
    model: str | Path | None = None,
    extractor: str | None = None,
    method: Method = "hdbscan",
    clusters: int | None = None,
    least: int | None = None,
    projection: Projection = "auto",
    sheets: str | Path | None = None,
    seed: int = 0,
    classes: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    limit: int | None = None,
    report: Report | None = None,
) -> Mapped:
    """Writes a page with all pictures of a source where they lie by what they show, and their clusters.

    Args:
        source: the pictures.
        to: the page, a .html file.
        model: whose codes are looked at, a run's directory or a model.safetensors file of an autoencoder,
        extractor: or whose features are.
        method: `hdbscan` finds how many clusters there are and leaves out what lies between them; `kmeans`
            puts every picture into one.
        clusters: how many, for `kmeans`; as part best by default.
        least: pictures in a cluster, for `hdbscan`; by default the root of how many there are, and at least 5.
        projection: `umap` where it is installed, else `pca`. Clusters are found on UMAP's map, or else among codes.
        sheets: a folder for a picture of each cluster.
        seed: of projection and clusters.
        classes: keep these only.
        only: keep names that match one of these patterns.
        limit: keep at most so many.
        report: told how many pictures are done, of how many.

    Raises:
        BadInput: source or model cannot be used, or nothing can be written there.
    """
    target = Path(to)
    if target.suffix.lower() not in {".html", ".htm"}:
        raise BadInput(f"--to {target}: a map is a page; name a .html file")
    if clusters is not None and (method != "kmeans" or clusters < 2):
        raise ConfigError(f"--clusters {clusters}: two or more, and with --method kmeans")
    if least is not None and least < 2:
        raise ConfigError(f"--least {least}: must be at least 2")
    eye = eye_of(model, extractor)
    prepared = pictures(source, eye.data, classes=classes, only=only, limit=limit, report=report)
    if len(prepared) < FEWEST:
        raise SourceError(f"{source}: {len(prepared)} pictures make no map; give {FEWEST} or more")
    if clusters is not None and clusters >= len(prepared):
        raise ConfigError(
            f"--clusters {clusters}: must be below the number of pictures, {len(prepared)}"
        )
    codes = eye.looked(prepared, np.arange(len(prepared)), report)
    placed = _placed(codes, projection, seed)
    # Many dimensions leave nothing dense. UMAP's two keep neighbours together and little else, which is what clusters
    # are; PCA's two would keep too little.
    on_map = placed[1] == UMAPPED
    points = placed[0] if on_map else codes
    if method == "kmeans":
        found = by_means(points, count=clusters, seed=seed)
    else:
        found = by_density(points, least=least or max(5, round(len(codes) ** 0.5)), seed=seed)
    shown = _middles(prepared, codes, found)
    mapped = Mapped(
        target,
        len(prepared),
        placed[1],
        found.method,
        tuple(each.size for each in shown),
        int((found.labels < 0).sum()),
        _told(found),
        _told(found.judged_by(codes, seed)) if on_map else None,
        _sheets(Path(sheets), shown) if sheets is not None else (),
    )
    page = render_map(_facts(prepared, eye, found, shown, mapped, places=placed[0]))
    written(target).write_text(page, encoding="utf-8")
    return mapped


def _told(found: Clusters) -> float | None:
    return None if np.isnan(found.silhouette) else found.silhouette


def _facts(
    prepared: Prepared,
    eye: Eye,
    found: Clusters,
    shown: list[Shown],
    mapped: Mapped,
    *,
    places: Float[np.ndarray, "n 2"],
) -> MapFacts:
    side = thumbnail_side(len(prepared), prepared.config.size)
    positions = np.arange(len(prepared))
    return MapFacts(
        source=named(prepared.source),
        credit=prepared.credit or "",
        seen_by=Path(eye.name).parent.name if eye.own else eye.name,
        projection=mapped.projection,
        clustering=mapped.clustering,
        places=places,
        labels=found.labels,
        names=names_of(prepared),
        sprites=[
            sprite(prepared.images(positions[start : start + PER_SPRITE]), side)
            for start in range(0, len(prepared), PER_SPRITE)
        ],
        side=side,
        clusters=shown,
    )


def _placed(codes: Float[np.ndarray, "n z"], projection: Projection, seed: int) -> Placed:
    """Two numbers for each picture, and how they were found."""
    if projection != "pca" and len(codes) > NEIGHBOURS:
        try:
            from umap import UMAP
        except ImportError:
            if projection == "umap":
                raise ConfigError(
                    "--projection umap: is not installed; pip install 'impasto[map]', or say pca"
                ) from None
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of its own threads, which a seed leaves unused
                fitted = UMAP(
                    n_neighbors=NEIGHBOURS, min_dist=0.0, metric="cosine", random_state=seed
                )
                return np.asarray(fitted.fit_transform(codes), np.float64), UMAPPED
    from sklearn.decomposition import PCA

    told = PCA(2, random_state=seed).fit(codes)
    share = float(told.explained_variance_ratio_.sum())
    return np.asarray(told.transform(codes), np.float64), f"PCA, {share:.0%} of the variance"


def _middles(prepared: Prepared, codes: Float[np.ndarray, "n z"], found: Clusters) -> list[Shown]:
    """Each cluster with the pictures nearest to its mean."""
    shown = []
    names = names_of(prepared)
    for label in range(found.count):
        members = np.flatnonzero(found.labels == label)
        far = np.square(codes[members] - codes[members].mean(0)).sum(1)
        nearest = members[np.argsort(far, kind="stable")[:SHEET]]
        shown.append(
            Shown(
                f"Cluster {label + 1}",
                len(members),
                prepared.images(nearest),
                tuple(names[each] for each in nearest),
            )
        )
    return shown


def _sheets(folder: Path, shown: list[Shown]) -> tuple[Path, ...]:
    files = []
    for place, cluster in enumerate(shown):
        file = made(folder, "--sheets") / f"cluster-{place + 1:02d}.png"
        write_picture(tile(cluster.images), file)
        files.append(file)
    return tuple(files)

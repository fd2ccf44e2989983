"""95 % intervals: Wilson's for a share, a bootstrap over speakers for everything else."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959964
Interval = tuple[float, float]


def wilson(hits: float, total: float) -> Interval:
    """Wilson's score interval of a share (Wilson, 1927); (0, 1) without observations."""
    if total == 0:
        return 0.0, 1.0
    share, square = hits / total, Z95**2
    middle = share + square / (2 * total)
    reach = Z95 * np.sqrt(share * (1 - share) / total + square / (4 * total**2))
    scale = 1 + square / total
    return max(0.0, float((middle - reach) / scale)), min(1.0, float((middle + reach) / scale))


def clustered(hits: NDArray[np.bool_], clusters: Sequence[str]) -> Interval:
    """Wilson's interval of a share whose items come in clusters, such as one recording used again.

    There count as many items as would tell as much if they were independent: their number over the
    design effect, at least one to a cluster (Korn and Graubard, 1998, "Confidence intervals for
    proportions with small expected number of positive counts estimated from survey data").
    """
    total, members = len(hits), np.unique(clusters, return_inverse=True)[1]
    if not total:
        return wilson(0, 0)
    count, share = int(members.max()) + 1, float(hits.mean())
    off = np.bincount(members, hits - share)
    alone = share * (1 - share) * total
    spread = float((off**2).sum()) * count / (count - 1) if count > 1 else np.inf
    effect = float(np.clip(spread / alone if alone else np.inf, 1.0, total / count))
    return wilson(share * total / effect, total / effect)


def bootstrap(
    clusters: Sequence[str],
    figure: Callable[[NDArray[np.float64]], float],
    *,
    strata: Sequence[str] | None = None,
    resamples: int = 400,
    seed: int = 0,
) -> Interval:
    """The middle 95 % of a figure when whole clusters (speakers) are drawn with replacement.

    Args:
        clusters: the speaker of every item.
        figure: the figure, given how often each item was drawn.
        strata: the group of every item; clusters are drawn within each, so that none goes missing.
        resamples: how many draws.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    keys = list(zip(strata or [""] * len(clusters), clusters, strict=True))
    names = sorted(set(keys))
    places = {name: place for place, name in enumerate(names)}
    member = np.array([places[key] for key in keys])
    stratum = np.array([name[0] for name in names])
    pools = [np.flatnonzero(stratum == value) for value in dict.fromkeys(stratum)]
    values: list[float] = []
    for _ in range(resamples):
        drawn = np.concatenate([rng.choice(pool, len(pool)) for pool in pools])
        values.append(figure(np.bincount(drawn, minlength=len(names))[member].astype(np.float64)))
    known = [value for value in values if not np.isnan(value)]
    if not known:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)

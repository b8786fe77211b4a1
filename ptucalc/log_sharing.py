"""What several deployments of one log save by sharing: one PTU pool for each model, one quota for all."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from ptucalc.catalog import DeploymentType, Model
from ptucalc.log_minutes import Percentile, WeightedMinutes
from ptucalc.log_result import ModelSharing, QuotaSharing, SharedSize, Sharing
from ptucalc.results import Sizes

__all__ = ["SharingSums"]


class _Pool(NamedTuple):
    """Deployments of one model: the sizes of each, and their minutes added up."""

    model: Model
    versions: set[str | None]
    deployments: list[str]
    apart: list[Fraction]
    sizes: list[Sizes]
    together: WeightedMinutes


class SharingSums:
    """Adds up deployments one after the other, and keeps sums of minutes only."""

    def __init__(self, percentile: Percentile, sizes_at: Callable[[Model, str | None, Fraction], Sizes]) -> None:
        """`sizes_at` gives the sizes of a model and version for so many weighted tokens per minute."""
        self._percentile, self._sizes_at = percentile, sizes_at
        self._pools: dict[str, _Pool] = {}
        self._names: list[str] = []
        self._peaks = Fraction(0)
        self._all: WeightedMinutes | None = None

    def add(
        self, deployment: str, model: Model, version: str | None, tpm_per_ptu: int, minutes: WeightedMinutes
    ) -> None:
        """Add the calls of one deployment and model."""
        weighted = minutes.at(self._percentile)
        sizes = self._sizes_at(model, version, weighted)
        pool = self._pools.get(model.name)
        if pool is None:
            pool = _Pool(model, {version}, [deployment], [weighted], [sizes], minutes)
        else:
            pool.versions.add(version)
            pool.deployments.append(deployment)
            pool.apart.append(weighted)
            pool.sizes.append(sizes)
            pool = pool._replace(together=WeightedMinutes.added([pool.together, minutes]))
        self._pools[model.name] = pool
        raw = minutes.divided(tpm_per_ptu)
        self._names.append(f"{deployment} ({model.name})" if deployment else model.name)
        self._peaks += raw.maximum
        self._all = raw if self._all is None else WeightedMinutes.added([self._all, raw])

    def result(self) -> Sharing:
        """What sharing saves; nothing where there was one deployment only."""
        models = tuple(self._of_model(pool) for pool in self._pools.values() if len(pool.deployments) > 1)
        if self._all is None or len(self._names) < 2:
            return Sharing(models)
        return Sharing(models, QuotaSharing(tuple(self._names), self._peaks, self._all.maximum))

    def _of_model(self, pool: _Pool) -> ModelSharing:
        together = pool.together.at(self._percentile)
        version = next(iter(pool.versions)) if len(pool.versions) == 1 else None
        pooled = self._sizes_at(pool.model, version, together)
        return ModelSharing(
            model=pool.model.name,
            deployments=tuple(pool.deployments),
            apart=sum(pool.apart, Fraction(0)),
            together=together,
            sizes=tuple(
                SharedSize(DeploymentType(kind), _sum([sizes[kind].ptu for sizes in pool.sizes]), size.ptu)
                for kind, size in pooled.items()
            ),
        )


def _sum(each: list[int | None]) -> int | None:
    known = [ptu for ptu in each if ptu is not None]
    return sum(known) if len(known) == len(each) else None

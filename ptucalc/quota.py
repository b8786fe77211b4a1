"""PTU quota and capacity as Azure's usages and modelCapacities APIs answer them, as values.

Quota is per subscription, region and deployment type, whatever the model (Microsoft's provisioned throughput concept page,
2026-07-15). Live answers of 2026-07-28 (third party) keep a pool for each provider all the same:
`OpenAI.GlobalProvisionedManaged` beside `AIServices.GlobalProvisionedManaged`. So a pool is named with its provider here.
"""

from __future__ import annotations

from typing import NamedTuple

from ptucalc.catalog import DeploymentType, Model

__all__ = ["POOLS_BY_PROVIDER", "DeployableSize", "QuotaPool", "pool_name", "provider_of"]

OPENAI, OTHERS = "OpenAI", "AIServices"

POOLS_BY_PROVIDER = (
    "Quota is per deployment type and region, whatever the model; but live answers (third party, 2026-07-28) have a pool "
    "for OpenAI's models (OpenAI....) and another for those of other publishers (AIServices....)."
)


class QuotaPool(NamedTuple):
    """The PTU quota of a subscription for one provider, deployment type and region: how much there is, and is in use.

    `source` is the file that says so. What is deployed now counts as used, what the plan resizes too.
    """

    provider: str
    deployment_type: DeploymentType
    region: str
    limit_ptu: int
    used_ptu: int
    source: str = ""

    @property
    def available_ptu(self) -> int:
        """limit - used; 0 where more is in use than the limit is now.

        >>> QuotaPool("OpenAI", DeploymentType.GLOBAL, "eastus2", 500, 200).available_ptu
        300
        """
        return max(0, self.limit_ptu - self.used_ptu)

    @property
    def name(self) -> str:
        """The pool's name in the usages API."""
        return pool_name(self.provider, self.deployment_type)


class DeployableSize(NamedTuple):
    """The largest deployment that quota and service capacity allow in a region now, of a model's version."""

    model: str
    version: str
    deployment_type: DeploymentType
    region: str
    ptu: int
    source: str = ""


def pool_name(provider: str, deployment_type: DeploymentType) -> str:
    """The pool's name in the usages API.

    >>> pool_name("OpenAI", DeploymentType.DATA_ZONE)
    'OpenAI.DataZoneProvisionedManaged'
    """
    return f"{provider}.{deployment_type.sku_name}"


def provider_of(model: Model) -> str:
    """Whose pool the model's PTU are taken from: its publisher decides, not its name."""
    return OPENAI if model.publisher == OPENAI else OTHERS

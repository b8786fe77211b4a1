"""How many Provisioned Throughput Units (PTU) a workload needs on Azure OpenAI / Microsoft Foundry.

>>> from ptucalc import Workload, size
>>> result = size(Workload(model="gpt-4.1", requests_per_minute=600, input_tokens=1800, output_tokens=250, cache_ratio="0.4"))
>>> result.sizes["global"].ptu
420
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ptucalc.api import compare_costs, count_tokens, largest_rate, log_workloads, simulate, size, size_log
    from ptucalc.call_trace import Call, CallTrace
    from ptucalc.catalog import Catalog, DeploymentType, Model, Unknown, UnknownModel
    from ptucalc.cost_result import CostComparison
    from ptucalc.demand_profile import DemandProfile
    from ptucalc.deployment_cost import DeploymentCost
    from ptucalc.errors import BadCatalog, BadInput, Problem, PtucalcError
    from ptucalc.log_result import LogDemand
    from ptucalc.prices import PriceBook
    from ptucalc.read.catalog import load_catalog
    from ptucalc.read.log_frames import FrameLog, profile_frame
    from ptucalc.read.logs import RequestLog, read_log
    from ptucalc.read.prices import load_prices
    from ptucalc.read.workloads import read_workloads
    from ptucalc.report.notebook import Picture, picture
    from ptucalc.reservations import coverage
    from ptucalc.results import Note, Size, SizedDeployment, SizedWorkload
    from ptucalc.simulated_runs import Policy
    from ptucalc.simulation_result import SimulationResult
    from ptucalc.sizing_result import SizingResult
    from ptucalc.token_counts import TokenCounts
    from ptucalc.workload import LoadProfile, Workload

__version__ = "0.9.0"

__all__ = [
    "BadCatalog",
    "BadInput",
    "Call",
    "CallTrace",
    "Catalog",
    "CostComparison",
    "DemandProfile",
    "DeploymentCost",
    "DeploymentType",
    "FrameLog",
    "LoadProfile",
    "LogDemand",
    "Model",
    "Note",
    "Picture",
    "Policy",
    "PriceBook",
    "Problem",
    "PtucalcError",
    "RequestLog",
    "SimulationResult",
    "Size",
    "SizedDeployment",
    "SizedWorkload",
    "SizingResult",
    "TokenCounts",
    "Unknown",
    "UnknownModel",
    "Workload",
    "compare_costs",
    "count_tokens",
    "coverage",
    "largest_rate",
    "load_catalog",
    "load_prices",
    "log_workloads",
    "picture",
    "profile_frame",
    "read_log",
    "read_workloads",
    "simulate",
    "size",
    "size_log",
]

_HOMES = {
    "ptucalc.api": (
        "compare_costs",
        "count_tokens",
        "largest_rate",
        "log_workloads",
        "simulate",
        "size",
        "size_log",
    ),
    "ptucalc.call_trace": ("Call", "CallTrace"),
    "ptucalc.catalog": ("Catalog", "DeploymentType", "Model", "Unknown", "UnknownModel"),
    "ptucalc.cost_result": ("CostComparison",),
    "ptucalc.demand_profile": ("DemandProfile",),
    "ptucalc.deployment_cost": ("DeploymentCost",),
    "ptucalc.errors": ("BadCatalog", "BadInput", "Problem", "PtucalcError"),
    "ptucalc.log_result": ("LogDemand",),
    "ptucalc.prices": ("PriceBook",),
    "ptucalc.read.catalog": ("load_catalog",),
    "ptucalc.read.log_frames": ("FrameLog", "profile_frame"),
    "ptucalc.read.logs": ("RequestLog", "read_log"),
    "ptucalc.read.prices": ("load_prices",),
    "ptucalc.read.workloads": ("read_workloads",),
    "ptucalc.report.notebook": ("Picture", "picture"),
    "ptucalc.reservations": ("coverage",),
    "ptucalc.results": ("Note", "Size", "SizedDeployment", "SizedWorkload"),
    "ptucalc.simulated_runs": ("Policy",),
    "ptucalc.simulation_result": ("SimulationResult",),
    "ptucalc.sizing_result": ("SizingResult",),
    "ptucalc.token_counts": ("TokenCounts",),
    "ptucalc.workload": ("LoadProfile", "Workload"),
}


def __getattr__(name: str) -> object:
    """Public names are loaded when first used, so that `import ptucalc` and the command line start quickly."""
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(home), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'ptucalc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

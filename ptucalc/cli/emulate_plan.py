"""A plan of workloads as deployments to emulate: those that `size` recommends, with the Standard ones that take overflow."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from ptucalc import exact
from ptucalc.catalog import Unknown
from ptucalc.cli.emulate_flags import EmulateFlags, one_type, rpm_with
from ptucalc.cli.flag_reader import FlagReader
from ptucalc.cli.sizing_runs import check_file, make_sizer, sized_file
from ptucalc.cli.view import View
from ptucalc.errors import BadInput, Problem
from ptucalc.hand_over import Spillover, names_in_azure, standard_name
from ptucalc.read.deployments import window_us
from ptucalc.rehearsal import Deployment
from ptucalc.routing import Provisioned, Standard
from ptucalc.standard_tiers import TPM_STEP

if TYPE_CHECKING:
    from ptucalc.results import SizedDeployment
    from ptucalc.sizing_result import SizingResult

__all__ = ["of_plan"]

MINUTE_US = 60_000_000


def of_plan(
    file: str, flags: EmulateFlags, reader: FlagReader
) -> tuple[tuple[Deployment, ...], None, Mapping[str, str], tuple[str, ...]]:
    """The deployments, no gateway, the workloads' names as further names of them, and remarks.

    Workloads that share a deployment in `size` share it here. Raises BadInput with all that is wrong with the plan.
    """
    from ptucalc.batch import FileSizing
    from ptucalc.read.workloads import WorkloadFile

    window = reader.read("window", flags.window, window_us, MINUTE_US)
    kind = reader.optional("sku", flags.sku, one_type)
    reader.optional("output_weight", flags.output_weight, exact.weight)  # `size` reads it where a model needs it
    with WorkloadFile.open(file, catalogs=flags.catalogs) as rows:
        sku = "global" if kind is None else kind.value
        sizer, problems = make_sizer(sku=sku, headroom=rows.headroom, catalogs=flags.catalogs, plan=rows.name)
        sizing = FileSizing(rows, sizer, output_weight=flags.output_weight)
        view = View("table", quiet=True)
        check_file(sizing, view, [*reader.problems, *problems], skip_bad=False)
        reader.problems.clear()
        sized, spillover, headroom = sized_file(sizing, view), rows.spillover, rows.headroom
    names, taken = names_in_azure(sized), set[str]()
    taken |= {name.casefold() for name in names.values()}
    found: list[Deployment] = []
    remarks = [f"{file}: PTU are those that `ptucalc size` recommends, with headroom {headroom or '0'}"]
    for each in sized.deployments:
        (size,) = each.sizes.values()
        assert size.ptu is not None  # else there were problems
        name, weight = names[each.name], _weight(sized, each)
        provisioned = Provisioned(
            name=name,
            model=each.model,
            model_version=each.model_version,
            deployment_type=size.deployment_type,
            region=each.region,
            ptu=size.ptu,
            window_us=window,
        )
        standard = None
        if spillover is not None and each.model.spillover is True:
            standard = _standard(standard_name(name, taken), provisioned, spillover)
            taken.add(standard.name.casefold())
        found.append(
            Deployment(
                backend=provisioned,
                model=each.model,
                spillover=None if standard is None else standard.name,
                output_weight=weight,
            )
        )
        if standard is not None:
            found.append(Deployment(backend=standard, model=each.model))
        place = f"{size.deployment_type.value}{f', {each.region}' if each.region else ''}"
        remarks.append(f"{name}: {size.ptu:,} PTU {place}, for {', '.join(each.workloads)}")
        if spillover is not None and standard is None:
            why = each.model.spillover.reason if isinstance(each.model.spillover, Unknown) else "it does not support it"
            remarks.append(f"{name}: no spillover for {each.model.name}: {why}")
        elif standard is not None and standard.tpm is None:
            remarks.append(f"{standard.name}: the plan gives it no limit, so it takes every call")
    return tuple(found), None, _aliases(sized, names, taken), tuple(remarks)


def _standard(name: str, source: Provisioned, spillover: Spillover) -> Standard:
    """Where overflow of a deployment goes; its RPM are those that come with its TPM."""
    thousand, kind, model = spillover.thousand_tpm, source.deployment_type, source.model
    assert kind is not None and model is not None
    tpm = None if thousand is None else thousand * TPM_STEP
    return Standard(
        name=name,
        model=model,
        model_version=source.model_version,
        deployment_type=kind,
        region=source.region,
        tpm=tpm,
        rpm=None if tpm is None else rpm_with(tpm, model, kind, source.model_version),
    )


def _weight(sized: SizingResult, deployment: SizedDeployment) -> Fraction | None:
    """The output weight that the workloads of a deployment give."""
    given = {member.workload.output_weight for member in sized.members[deployment.name]} - {None}
    if len(given) > 1:
        found = ", ".join(sorted(str(each) for each in given))
        raise BadInput([Problem("output_weight", found, f"one weight for all workloads of {deployment.name}")])
    return next(iter(given), None)


def _aliases(sized: SizingResult, names: Mapping[str, str], taken: set[str]) -> dict[str, str]:
    """Workloads by name, with the deployment that they call; not those whose name a deployment has."""
    pairs = zip(sized.workloads, sized.deployment_of, strict=True)
    return {each.name.casefold(): names[deployment] for each, deployment in pairs if each.name.casefold() not in taken}

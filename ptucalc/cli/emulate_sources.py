"""What `ptucalc emulate` serves: deployments from flags, from a file of them, from a plan, or behind a route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ptucalc import exact
from ptucalc.catalog import Catalog, DeploymentType, Model
from ptucalc.cli.emulate_flags import EmulateFlags, one_type, rpm_with
from ptucalc.cli.flag_reader import FlagReader
from ptucalc.errors import BadInput, Problem
from ptucalc.gateway import FrontDoor, backends_of
from ptucalc.read.deployments import deployment_name, describes_workloads, read_deployments, rpm_window, window_us
from ptucalc.read.standard_limits import load_standard_limits
from ptucalc.rehearsal import Deployment, Place
from ptucalc.routing import Provisioned, Standard

__all__ = ["Source", "deployments_of"]

MINUTE_US = 60_000_000
_STANDARD = ("standard_tpm", "standard_rpm", "standard_window")
_OF_ANY_FILE = ("model", "model_version", "ptu", "deployment", *_STANDARD)
_OF_DEPLOYMENTS = ("window", "output_weight")
_OF_A_ROUTE = ("file", "ptu", "window", *_STANDARD)


class Source(NamedTuple):
    """What is to be served. `door` is that of a gateway before the deployments; `aliases` are further names of them;
    `remarks` what a user must know of them."""

    deployments: tuple[Deployment, ...] = ()
    door: FrontDoor | None = None
    aliases: Mapping[str, str] = {}
    remarks: tuple[str, ...] = ()


class _Calls(NamedTuple):
    """What calls to a gateway ask for."""

    model: Model
    model_version: str | None
    deployment_type: DeploymentType
    region: None = None


def deployments_of(flags: EmulateFlags, catalog: Catalog, reader: FlagReader) -> Source:
    """The deployments. What is wrong with flags is in the reader's problems; raises BadInput for files."""
    if flags.route is not None:
        _leave_out(flags, _OF_A_ROUTE, "the route says it")
        return of_route(flags, flags.route, catalog, reader)
    if flags.file is None:
        return of_flags(flags, catalog, reader)
    _leave_out(flags, _OF_ANY_FILE, "the file says it")
    if describes_workloads(flags.file):
        from ptucalc.cli.emulate_plan import of_plan

        return Source(*of_plan(flags.file, flags, reader))
    _leave_out(flags, _OF_DEPLOYMENTS, "the file says it")
    return Source(tuple(map(_with_rpm, read_deployments(flags.file, catalog))))


def _with_rpm(deployment: Deployment) -> Deployment:
    """The deployment with the RPM that come with its TPM, where it is a Standard one that does not say them."""
    backend = deployment.backend
    if isinstance(backend, Provisioned) or backend.tpm is None or backend.rpm is not None:
        return deployment
    kind = backend.deployment_type or DeploymentType.GLOBAL
    rpm = rpm_with(backend.tpm, deployment.model, kind, backend.model_version)
    return replace(deployment, backend=replace(backend, rpm=rpm))


def _leave_out(flags: EmulateFlags, names: tuple[str, ...], why: str) -> None:
    given = {name: getattr(flags, name) for name in names}
    problems = [Problem(name, value, f"left out: {why}") for name, value in given.items() if value is not None]
    if flags.spillover:
        problems.append(Problem("spillover", "given", f"left out: {why}"))
    if problems:
        raise BadInput(problems)


def of_route(flags: EmulateFlags, path: str, catalog: Catalog, reader: FlagReader) -> Source:
    """The backends of a route, behind one name."""
    from ptucalc.read.route import read_route
    from ptucalc.route_analysis import placed_route

    model, version = reader.optional("model", flags.model, catalog.find) or (None, None)
    if flags.model is None:
        reader.problems.append(Problem("model", "", "the model that clients of the gateway mean, such as gpt-4.1"))
    kind = reader.read("sku", flags.sku, one_type, DeploymentType.GLOBAL)
    weight = reader.optional("output_weight", flags.output_weight, exact.weight)
    name = reader.read("deployment", flags.deployment, deployment_name, None if model is None else model.name)
    route = read_route(Path(path), catalog)
    for index, backend in enumerate(route.backends):
        at = f"backends[{index}].name"
        try:
            deployment_name(backend.name)
        except ValueError as error:
            reader.problems.append(Problem(at, backend.name, f"a name that it can be called by: {error}", source=path))
        if name is not None and backend.name.casefold() == name.casefold():
            expected = "another name than the gateway's, which is the model's or --deployment"
            reader.problems.append(Problem(at, backend.name, expected, source=path))
    if model is None or name is None or reader.problems:
        return Source()
    calls = _Calls(model, flags.model_version or version, kind)
    door = FrontDoor(name, model, placed_route(route, calls, load_standard_limits()))
    return Source(tuple(backends_of(door, weight)), door)


def of_flags(flags: EmulateFlags, catalog: Catalog, reader: FlagReader) -> Source:
    """One provisioned or Standard deployment, or one of each."""
    found_model = reader.optional("model", flags.model, catalog.find)
    model, version = found_model or (None, None)
    if flags.model is None:
        reader.problems.append(
            Problem("model", "", "the model of the deployment, such as gpt-4.1 (or a file of several)")
        )
    kind = reader.read("sku", flags.sku, one_type, DeploymentType.GLOBAL)
    name = reader.read("deployment", flags.deployment, deployment_name, None if model is None else model.name)
    ptu = reader.optional("ptu", flags.ptu, exact.positive)
    tpm = reader.optional("standard_tpm", flags.standard_tpm, exact.positive)
    rpm = reader.optional("standard_rpm", flags.standard_rpm, exact.positive)
    window = reader.read("window", flags.window, window_us, MINUTE_US)
    seconds = reader.read("rpm_window", flags.standard_window, rpm_window, 1)
    weight = reader.optional("output_weight", flags.output_weight, exact.weight)
    if flags.ptu is None and flags.standard_tpm is None and flags.standard_rpm is None:
        reader.problems.append(Problem("ptu", "", "the PTU of the deployment (or --standard-tpm)"))
    if flags.window is not None and flags.ptu is None:
        reader.problems.append(Problem("window", flags.window, "beside --ptu"))
    if flags.standard_window is not None and flags.standard_tpm is None and flags.standard_rpm is None:
        reader.problems.append(Problem("rpm_window", flags.standard_window, "beside --standard-tpm or --standard-rpm"))
    both = flags.ptu is not None and (flags.standard_tpm is not None or flags.standard_rpm is not None)
    if flags.spillover and not both:
        reader.problems.append(Problem("spillover", "given", "beside --ptu and --standard-tpm"))
    if model is None or name is None or reader.problems:
        return Source()
    version = flags.model_version or version
    standard_name = f"{name}-standard" if both else name
    if tpm is not None and rpm is None:
        rpm = rpm_with(tpm, model, kind, version)
    found: list[Deployment] = []
    if ptu is not None:
        backend = Provisioned(
            name=name, model=model, model_version=version, deployment_type=kind, ptu=ptu, window_us=window
        )
        spill = standard_name if flags.spillover else None
        found.append(Place.checked(Deployment(backend=backend, model=model, spillover=spill, output_weight=weight)))
    if tpm is not None or rpm is not None:
        standard = Standard(
            name=standard_name,
            model=model,
            model_version=version,
            deployment_type=kind,
            tpm=tpm,
            rpm=rpm,
            rpm_window_seconds=seconds,
        )
        found.append(Deployment(backend=standard, model=model))
    return Source(tuple(found))

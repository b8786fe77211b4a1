"""What `ptucalc size` does with a sized plan beyond showing it: hand it over, see where it fits, divide it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc import exact
from ptucalc.catalog import Model, Unknown
from ptucalc.cli.view import View
from ptucalc.cli.writing import output_stream
from ptucalc.errors import BadInput, Problem
from ptucalc.hand_over import Spillover, hand_over
from ptucalc.sizing_result import SizingResult

if TYPE_CHECKING:
    from ptucalc.report.blocks import Block

__all__ = ["HAND_OVERS", "Beyond", "read_room", "write_hand_over"]

HAND_OVERS = ("az", "bicep", "terraform", "calculate-model-capacity")


class Beyond(NamedTuple):
    """The flags about quota, chargeback and hand-over, read and checked. `spillover` is that of the flag."""

    usages: tuple[str, ...] = ()
    capacities: tuple[str, ...] = ()
    chargeback: bool = False
    alerts: bool = False
    spillover: Spillover | None = None
    spillover_given: bool = False
    model_format: str | None = None
    region: str | None = None

    @classmethod
    def of(
        cls,
        shape: str,
        *,
        usages: Sequence[str],
        capacities: Sequence[str],
        chargeback: bool,
        alerts: bool,
        spillover: str | None,
        model_format: str | None,
        region: str | None,
        inverse: bool = False,
    ) -> Beyond:
        """From the flags. Raises BadInput where they do not go with the format, or with --ptu (`inverse`)."""
        problems = []
        handing = shape in HAND_OVERS
        if alerts and shape not in ("az", "bicep"):
            problems.append(Problem("--alerts", shape, "-o az or -o bicep beside it"))
        for flag, given in (("--spillover", spillover is not None), ("--model-format", model_format is not None)):
            if given and not handing:
                problems.append(Problem(flag, shape, f"-o {', '.join(HAND_OVERS)} beside it"))
        if inverse and (handing or usages or capacities or chargeback):
            problems.append(Problem("--ptu", "", "left out: quota, chargeback and hand-over are of the sizes to buy"))
        for flag, asked in (
            ("--usages", bool(usages)),
            ("--capacities", bool(capacities)),
            ("--chargeback", chargeback),
        ):
            if asked and (handing or shape == "csv"):
                problems.append(Problem(flag, f"beside -o {shape}", "-o table, json or markdown"))
        if model_format is not None and not model_format.strip():
            problems.append(Problem("--model-format", model_format, "a model format, such as OpenAI"))
        wanted, said = None, "" if spillover is None else spillover.strip().casefold()
        if said == "yes":
            wanted = Spillover()
        elif spillover is not None and said != "no":
            try:
                wanted = Spillover(exact.positive(said))
            except ValueError:
                expected = "yes, no or the thousands of tokens per minute of each Standard deployment, such as 100"
                problems.append(Problem("--spillover", spillover, expected))
        if problems:
            raise BadInput(problems)
        return cls(
            tuple(usages),
            tuple(capacities),
            chargeback,
            alerts,
            wanted,
            spillover is not None,
            model_format,
            region,
        )

    def with_plan(self, spillover: Spillover | None) -> Beyond:
        """The plan's own spillover where no flag gave one."""
        return self if self.spillover_given else self._replace(spillover=spillover)

    def more(self, result: SizingResult, *, quiet: bool) -> tuple[dict[str, Any], list[Block]]:
        """What is added to the JSON and to the report. Raises BadInput."""
        document: dict[str, Any] = {}
        blocks: list[Block] = []
        if self.usages or self.capacities:
            from ptucalc.report.room_blocks import room_blocks

            room = read_room(result, self.usages, self.capacities, self.region)
            document["room"] = room.to_dict()
            blocks += room_blocks(room, quiet=quiet)
        if self.chargeback:
            from ptucalc.chargeback import charge_sizes
            from ptucalc.report.chargeback_blocks import chargeback_blocks

            charged = charge_sizes(result)
            document["chargeback"] = [each.to_dict() for each in charged]
            blocks += chargeback_blocks(charged, quiet=quiet)
        return document, blocks


def read_room(result: SizingResult, usages: Sequence[str], capacities: Sequence[str], region: str | None = None) -> Any:
    """Where a plan fits by saved answers; `region` is that of usages which do not say theirs. Raises BadInput."""
    from ptucalc.read.azure_answers import read_capacities, read_usages
    from ptucalc.read.catalog import load_catalog
    from ptucalc.room_search import find_room

    problems: list[Problem] = []
    quota, deployable = None, None
    try:
        if usages:
            known = load_catalog().regions.union(*(_regions(each.model) for each in result.deployments))
            quota = read_usages(usages, region=region, known_regions=known)
    except BadInput as error:
        problems += error.problems
    try:
        deployable = read_capacities(capacities) if capacities else None
    except BadInput as error:
        problems += error.problems
    if problems:
        raise BadInput(problems)
    return find_room(result, quota=quota, deployable=deployable)


def _regions(model: Model) -> set[str]:
    """Where a model is listed: in a catalog of the user's own, perhaps, which the shipped one does not know."""
    places = [place for offer in model.offers if not isinstance(offer.places, Unknown) for place in offer.places]
    return {region for place in places if not isinstance(place.regions, Unknown) for region in place.regions}


def write_hand_over(result: SizingResult, view: View, beyond: Beyond) -> int:
    """Write what deploys the plan, in the format asked for. Raises BadInput."""
    from ptucalc.cli.view import remark

    deployments = hand_over(result, spillover=beyond.spillover, model_format=beyond.model_format)
    editions = " + ".join(result.catalog_editions)
    title = f"Made by ptucalc {result.version}, rates {editions} as of {result.catalog_as_of}."
    if view.shape == "bicep":
        from ptucalc.report.bicep_file import bicep_file

        text = bicep_file(deployments, title=title, alerts=beyond.alerts)
    elif view.shape == "terraform":
        from ptucalc.report.terraform_file import terraform_file

        text = terraform_file(deployments, title=title)
    elif view.shape == "az":
        from ptucalc.report.az_script import az_script

        text = az_script(deployments, title=title, alerts=beyond.alerts)
    else:
        from ptucalc.capacity_answer import capacity_request, left_out
        from ptucalc.report.az_script import capacity_script

        members = result.members
        requests = [
            (each, capacity_request(each, members[of.name]), left_out(members[of.name], result.headroom))
            for each, of in zip(deployments, result.deployments, strict=True)
        ]
        text = capacity_script(requests, title=title)
    with output_stream(view.out_file, inputs=view.inputs) as stream:
        stream.write(text)
    regions = {each.region for each in deployments if each.region}
    if len(regions) > 1:
        remark(f"{len(regions)} regions: an account is in one of them, so split what was written", view)
    for note in result.notes:
        remark(f"{note.code}: {note.message}", view)
    return 0

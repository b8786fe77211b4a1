"""What one PTU of each model serves, as values: look-ups, weights, offers, where a model can be deployed.

The numbers come from a catalog file (models.yaml); this module holds none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import NamedTuple, overload

from ptucalc.errors import PtucalcError
from ptucalc.image_rules import ImagePatches, ImageTiles
from ptucalc.rounding import Grid

__all__ = [
    "Availability",
    "Catalog",
    "ContextLimit",
    "DeploymentType",
    "EarlierRate",
    "Encoding",
    "LatencyTarget",
    "LongContext",
    "Model",
    "Offer",
    "Retirement",
    "Source",
    "TokenClass",
    "TokenWeights",
    "Unknown",
    "UnknownModel",
    "nearest",
]


class DeploymentType(StrEnum):
    """How Azure routes a provisioned deployment, and so how it is sold."""

    GLOBAL = "global"
    DATA_ZONE = "data-zone"
    REGIONAL = "regional"

    @property
    def sku_name(self) -> str:
        """Azure's `sku.name`."""
        return _SKU_NAMES[self]

    @property
    def label(self) -> str:
        """The words a reader knows: "Data zone"."""
        return self.value.replace("-", " ").capitalize()

    @classmethod
    def parse(cls, text: str) -> DeploymentType:
        """From any common spelling: data-zone, Data Zone, datazone, DataZoneProvisionedManaged. ValueError otherwise.

        >>> DeploymentType.parse("Data Zone")
        <DeploymentType.DATA_ZONE: 'data-zone'>
        """
        squashed = "".join(c for c in text.casefold() if c.isalnum())
        for kind in cls:
            names = (kind.value.replace("-", ""), kind.sku_name.casefold(), kind.value.replace("-", "") + "provisioned")
            if squashed in names:
                return kind
        raise ValueError("global, data-zone or regional")


_SKU_NAMES = {
    DeploymentType.GLOBAL: "GlobalProvisionedManaged",
    DeploymentType.DATA_ZONE: "DataZoneProvisionedManaged",
    DeploymentType.REGIONAL: "ProvisionedManaged",
}


class TokenClass(StrEnum):
    """Every token of a call is in exactly one of these."""

    INPUT = "input"
    CACHED_INPUT = "cached_input"
    CACHE_WRITE = "cache_write"
    OUTPUT = "output"
    IMAGE_INPUT = "image_input"
    IMAGE_OUTPUT = "image_output"

    @property
    def label(self) -> str:
        """The words a reader knows: "uncached input"."""
        return "uncached input" if self is TokenClass.INPUT else self.value.replace("_", " ")


CLASSES = tuple(TokenClass)


class Unknown(NamedTuple):
    """A value nobody published, and why we do not have it. Never 0, never left out in silence."""

    reason: str


class Source(NamedTuple):
    """Where numbers were read: the page, the day it says, the day someone checked it."""

    name: str
    title: str
    where: str
    published: str
    checked: date


@dataclass(frozen=True)
class TokenWeights:
    """Weight of one token of each class against one plain input token. None: the model has no such class."""

    input: Fraction | Unknown | None
    cached_input: Fraction | Unknown | None
    cache_write: Fraction | Unknown | None
    output: Fraction | Unknown | None
    image_input: Fraction | Unknown | None = None
    image_output: Fraction | Unknown | None = None

    def of(self, token_class: TokenClass) -> Fraction | Unknown | None:
        """The weight of one class."""
        weight: Fraction | Unknown | None = getattr(self, token_class.value)
        return weight

    @cached_property
    def scaled(self) -> tuple[tuple[int, ...], int]:
        """Known weights as integers over one denominator, in the order of `TokenClass`; not known counts as 0."""
        known = [w if isinstance(w, Fraction) else Fraction(0) for w in map(self.of, CLASSES)]
        scale = lcm(*(w.denominator for w in known))
        return tuple(int(w * scale) for w in known), scale


class LongContext(NamedTuple):
    """From which prompt length on a call counts as long context, for the whole call.

    `weights` is None where PTU has no second set: only the pay-as-you-go price changes there.
    """

    over_input_tokens: int
    source: str
    weights: TokenWeights | None


class LatencyTarget(NamedTuple):
    """Output tokens per second of one call that Microsoft aims at, for a share of the requests, measured on `basis`."""

    tokens_per_second: int
    percent_of_requests: int
    basis: str


class Retirement(NamedTuple):
    """When Azure retires a model, or when it was last in Microsoft's tables (`last_listed`)."""

    day: date
    source: str
    third_party: bool
    last_listed: bool = False


class EarlierRate(NamedTuple):
    """What the same model's PTU was published to serve before, so that an old answer can be explained.

    `grids` holds the sizes that were other than today's; `kinds` the types it was offered on, None for the same ones.
    """

    as_of: str
    tpm_per_ptu: int
    weights: TokenWeights
    grids: Mapping[DeploymentType, Grid]
    kinds: tuple[DeploymentType, ...] | None
    source: str


class Encoding(NamedTuple):
    """How a model's text becomes tokens, by the name of one of tiktoken's encodings.

    `verified`: the model's maker says so; otherwise somebody else does.
    """

    name: str
    verified: bool
    source: str


class ContextLimit(NamedTuple):
    """The most input tokens of one request that the model takes, however it is deployed.

    `verified`: Microsoft or the model's maker says so; otherwise somebody else does.
    """

    input_tokens: int
    verified: bool
    source: str


class Place(NamedTuple):
    """One row of the region tables: a version (None: any) in a data zone (None: no zones) in some regions.

    `regions` is Unknown where the model is offered but nobody published in which regions.
    """

    version: str | None
    zone: str | None
    regions: tuple[str, ...] | Unknown


class Availability(NamedTuple):
    """Whether something can be deployed: True, False, or None where the tables read do not say. Else why, and where."""

    available: bool | None
    reason: str = ""


class Offer(NamedTuple):
    """A model on one deployment type: the sizes it is sold in, and the places it can be created.

    `grid` is None where no sizes are published. `places` is empty where the type is not offered, Unknown where no table
    that was read names the model.
    """

    model: str
    deployment_type: DeploymentType
    grid: Grid | None
    places: tuple[Place, ...] | Unknown

    def availability(self, *, version: str | None = None, region: str | None = None) -> Availability:
        """Whether this version can be created in this region (None: in any)."""
        kind = self.deployment_type.label
        if isinstance(self.places, Unknown):
            return Availability(None, self.places.reason)
        if not self.places:
            if self.grid is None:
                return Availability(False, f"{self.model} is not offered as {kind}")
            return Availability(False, f"no region offers {self.model} as {kind}, though sizes are published for it")
        places = [p for p in self.places if version is None or p.version is None or p.version == version]
        what = f"{self.model} {version}" if version else self.model
        if not places:
            versions = ", ".join(sorted({p.version for p in self.places if p.version}))
            return Availability(False, f"{what} is not offered as {kind} (versions that are: {versions})")
        if region is None:
            return Availability(True)
        if any(region in p.regions for p in places if not isinstance(p.regions, Unknown)):
            return Availability(True)
        for place in places:
            if isinstance(place.regions, Unknown):
                return Availability(None, place.regions.reason)
        elsewhere = sorted({r for p in places if not isinstance(p.regions, Unknown) for r in p.regions})
        return Availability(False, f"{what} is not offered as {kind} in {region}; it is in {', '.join(elsewhere)}")


class Model(NamedTuple):
    """A language (or image) model that Azure serves, with what one PTU of it is worth."""

    name: str
    model_id: str | None
    publisher: str
    versions: tuple[str, ...]
    tpm_per_ptu: int | Unknown
    weights: TokenWeights
    long_context: LongContext | None
    prompt_limit_tokens: int | None
    latency_target: LatencyTarget | Unknown
    offers: tuple[Offer, ...]
    retirement: Retirement | None
    spillover: bool | Unknown
    earlier: tuple[EarlierRate, ...]
    sources: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    encoding: Encoding | Unknown = Unknown("this catalog names none")
    image_tokens: ImageTiles | ImagePatches | Unknown = Unknown("this catalog names no rule")
    context: ContextLimit | Unknown = Unknown("this catalog names none")

    def offer(self, deployment_type: DeploymentType) -> Offer:
        """The model as sold under one deployment type."""
        return next(o for o in self.offers if o.deployment_type is deployment_type)

    def availability(
        self, deployment_type: DeploymentType, *, version: str | None = None, region: str | None = None
    ) -> Availability:
        """Whether the model can be created there; where it cannot, the reason says as what it can."""
        found = self.offer(deployment_type).availability(version=version, region=region)
        if found.available is not False:
            return found
        offers = (offer for offer in self.offers if offer.availability(version=version, region=region).available)
        others = " and ".join(offer.deployment_type.label for offer in offers)
        return Availability(False, f"{found.reason}; offered as {others}") if others else found

    def only_version(self, version: str | None) -> str | None:
        """The version, which goes without saying where there is only one."""
        return self.versions[0] if version is None and len(self.versions) == 1 else version

    def weights_for(self, input_tokens: int | Fraction) -> TokenWeights:
        """The weights of a call with this many input tokens: the long-context set where there is one and it applies."""
        long = self.long_context
        return long.weights if long and long.weights and input_tokens > long.over_input_tokens else self.weights


class UnknownModel(PtucalcError):
    """No model of that name. `near` holds names that may have been meant."""

    def __init__(self, name: str, near: tuple[str, ...], *, about: str = "") -> None:
        self.name = name
        self.near = near
        self.expected = about or ("a known model" + (f": {' or '.join(near)}?" if near else " (see: ptucalc models)"))
        super().__init__(f"I know no model {name!r}: expected {self.expected}")


def _squash(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())


def nearest(name: str, choices: Iterable[str], *, most: int = 2) -> tuple[str, ...]:
    """The choices that a mistyped name may have meant, best first; compared without case and punctuation."""
    from difflib import get_close_matches

    by_squashed: dict[str, list[str]] = {}
    for choice in choices:
        by_squashed.setdefault(_squash(choice), []).append(choice)
    same = by_squashed.get(_squash(name))
    if same:
        return tuple(same[:most])
    close = get_close_matches(_squash(name)[:80], by_squashed, n=most, cutoff=0.75)
    return tuple(choice for squashed in close for choice in by_squashed[squashed])[:most]


class LazyModels(Sequence[Model]):
    """Models that are made when they are first asked for: a sizing needs one or two of the catalog's many."""

    def __init__(self, names: Sequence[tuple[str, str | None]], make: Callable[[int], Model]) -> None:
        """`names` holds name and id of each model; `make` makes the model at a position."""
        self.names = names
        self._make = make
        self._made: dict[int, Model] = {}

    def __len__(self) -> int:
        return len(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self.names))

    def __reduce__(self) -> tuple[object, ...]:
        return tuple, (tuple(self),)

    @overload
    def __getitem__(self, index: int) -> Model: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Model]: ...
    def __getitem__(self, index: int | slice) -> Model | Sequence[Model]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        if position not in self._made:
            self._made[position] = self._make(position)
        return self._made[position]


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """The models, their sources, and the day the whole was last put together.

    `largest_deployment_ptu` is Azure's limit for one deployment; `past` marks a historic edition.
    """

    editions: tuple[str, ...]
    as_of: date
    models: Sequence[Model]
    sources: Mapping[str, Source] = field(repr=False)
    largest_deployment_ptu: int
    past: bool = False

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models)

    def __len__(self) -> int:
        return len(self.models)

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        """Where each name and id is in `models`, as written and in lower case; an exact name wins, then a name."""
        found: dict[str, int] = {}
        for index, (_, model_id) in reversed(list(enumerate(self._names))):
            if model_id:
                found[model_id.casefold()] = found[model_id] = index
        for index, (name, _) in reversed(list(enumerate(self._names))):
            found[name.casefold()] = index
        return found | {name: index for index, (name, _) in enumerate(self._names)}

    @cached_property
    def _names(self) -> Sequence[tuple[str, str | None]]:
        """Name and id of each model, without making models that nobody asked for."""
        if isinstance(self.models, LazyModels):
            return self.models.names
        return [(model.name, model.model_id) for model in self.models]

    @cached_property
    def regions(self) -> frozenset[str]:
        """Every region that some model is listed in."""
        return frozenset(
            region
            for model in self.models
            for offer in model.offers
            if not isinstance(offer.places, Unknown)
            for place in offer.places
            if not isinstance(place.regions, Unknown)
            for region in place.regions
        )

    def find(self, name: str) -> tuple[Model, str | None]:
        """The model of that name, and the version where the name is Azure's dated form (gpt-4o-2024-08-06).

        The catalog's name and `model_id` count, in any case; punctuation counts too, because two models may differ in
        nothing else. Raises UnknownModel, with near names.
        """
        wanted = name.strip().casefold()
        position = self._positions.get(name.strip(), self._positions.get(wanted))
        if position is not None:
            return self.models[position], None
        longer = [i for i, (own, _) in enumerate(self._names) if wanted.startswith(own.casefold() + "-")]
        dated_of = [self.models[i] for i in longer]
        for model in dated_of:
            rest = wanted[len(model.name) + 1 :]
            for version in model.versions:
                if version.casefold() == rest:
                    return model, version
        raise UnknownModel(name, nearest(name, [own for own, _ in self._names]), about=_about_version(wanted, dated_of))

    def matching(self, text: str) -> tuple[Model, ...]:
        """The models whose name or id holds this text, in any case; all of them for no text."""
        wanted = text.strip().casefold()
        return tuple(
            m for m in self.models if wanted in m.name.casefold() or (m.model_id and wanted in m.model_id.casefold())
        )

    def lookalikes(self, model: Model) -> tuple[Model, ...]:
        """Other models whose names differ from this one's only in case or punctuation."""
        squashed = _squash(model.name)
        same = [i for i, (name, _) in enumerate(self._names) if name != model.name and _squash(name) == squashed]
        return tuple(self.models[i] for i in same)

    def oldest_check(self, models: Iterable[Model] | None = None) -> date:
        """The oldest day on which a source of these models (default: all) was checked."""
        used = {s for m in (self.models if models is None else models) for s in m.sources.values()}
        days = [self.sources[s].checked for s in used if s in self.sources]
        return min(days, default=self.as_of)


def _about_version(wanted: str, models: list[Model]) -> str:
    for model in sorted(models, key=lambda m: -len(m.name)):
        rest = wanted[len(model.name) + 1 :]
        if model.versions and len(rest) >= 4 and rest[:4].isdigit():
            return f"a known version of {model.name}: {', '.join(model.versions)}"
    return ""

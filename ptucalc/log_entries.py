"""From groups of calls to the entries of a result: weighted minutes, percentiles, the sizes at each, notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

from ptucalc.catalog import Model, Unknown
from ptucalc.demand_profile import DemandProfile, MeanCall
from ptucalc.log_groups import Group
from ptucalc.log_minutes import PERCENTILES, Percentile, WeightedMinutes
from ptucalc.log_notes import note_of_unsized, notes_of_entry, notes_of_log
from ptucalc.log_result import By, LogDemand, LogEntry, Measure, MinutesOver, PerMinute, WeightedTpm
from ptucalc.log_sharing import SharingSums
from ptucalc.notes import notes_of
from ptucalc.pooling import Pooled, Sum
from ptucalc.request_log import MeasuredLog, WindowMaxima
from ptucalc.results import Note, SizedDeployment, Sizes
from ptucalc.sizing import Sizer

__all__ = ["Analysis"]


class Analysis:
    """From groups of calls to the result, one group after the other: of their minutes only sums are kept."""

    def __init__(
        self,
        log: MeasuredLog,
        sizer: Sizer,
        by: By,
        percentile: Percentile,
        region: str | None,
        output_weight: Fraction | None,
    ) -> None:
        self.log, self.sizer, self.by, self.percentile, self.region = log, sizer, by, percentile, region
        self.output_weight = output_weight
        self.percentiles = sorted({*PERCENTILES, percentile}, key=lambda each: each.share)
        self.sharing = SharingSums(percentile, lambda *place: self._sizes(*place, rate=Fraction(0)))
        self.pooled: list[Pooled] = []
        self.sized: list[SizedDeployment] = []

    def result(self, groups: Sequence[Group], version: str, today: date) -> LogDemand:
        """The result over all groups."""
        catalog = self.sizer.resolver.catalog
        windows = iter(self._windows(groups))
        entries = [self._unsized(g) if g.problems else self._entry(g, next(windows)) for g in groups]
        entries.sort(key=_need, reverse=True)
        of_log = notes_of_log(
            self.log.source, self.log.profiles.values(), self.percentile, any(map(self._near_a_limit, entries))
        )
        of_unsized = note_of_unsized(entries)
        of_entries = [note for entry in entries for note in notes_of_entry(entry)]
        of_sizes = notes_of(catalog, self.pooled, self.sized, self.sizer.headroom, today)
        notes = tuple(dict.fromkeys((*of_log, *of_unsized, *of_entries, *of_sizes)))
        return LogDemand(
            version=version,
            catalog_as_of=catalog.as_of,
            catalog_editions=catalog.editions,
            oldest_check=catalog.oldest_check(entry.model for entry in entries if entry.model),
            source=self.log.source,
            by=self.by,
            percentile=self.percentile,
            headroom=self.sizer.headroom,
            entries=tuple(replace(entry, notes=_about(entry, notes)) for entry in entries),
            sharing=self.sharing.result(),
            notes=notes,
            problems=tuple(problem for group in groups for problem in group.what_to_do),
        )

    def _windows(self, groups: Sequence[Group]) -> list[WindowMaxima]:
        """The busiest windows of every group that is sized, with one look at the log."""
        asked = [
            {stream: calls.weights[0] for calls in group.calls for stream in calls.streams}
            for group in groups
            if not group.problems
        ]
        return self.log.window_maxima(asked) if asked else []

    def _near_a_limit(self, entry: LogEntry) -> bool:
        """Whether the mean prompt of a log of sums is so long that single ones may be over a limit."""
        if self.log.source.grain != "bucket" or entry.model is None or entry.mean_call is None:
            return False
        long = entry.model.long_context
        limits = (entry.model.prompt_limit_tokens, long.over_input_tokens if long and long.weights else None)
        return any(limit is not None and 2 * entry.mean_call.input >= limit for limit in limits)

    def _sizes(self, model: Model, version: str | None, weighted: Fraction, *, rate: Fraction) -> Sizes:
        kinds = self.sizer.resolver.deployment_types
        return self.sizer.sizes_of(
            model, version, self.region, kinds, weighted.as_integer_ratio(), rate.as_integer_ratio()
        )

    def _unsized(self, group: Group) -> LogEntry:
        reason = group.reason
        assert reason is not None
        return self._described(group, reason, None, _columns(group))

    def _entry(self, group: Group, windows: WindowMaxima) -> LogEntry:
        model = group.model
        assert model is not None and isinstance(model.tpm_per_ptu, int)
        tpm = model.tpm_per_ptu
        each = [calls.weighed().minutes() for calls in group.calls]
        for calls, minutes in zip(group.calls, each, strict=True):
            self.sharing.add(calls.deployment, model, calls.served.version, tpm, minutes)
        minutes = WeightedMinutes.added(each)
        raw = minutes.divided(tpm)
        weighted = WeightedTpm(minutes.mean, {p.name: minutes.at(p) for p in self.percentiles}, windows)
        columns = {**_columns(group), "raw_ptu": raw}
        entry = self._described(group, None, weighted, columns)
        if any(calls.profile.sized for calls in group.calls) and entry.requests:
            entry = replace(entry, weight_per_call=minutes.mean * entry.minutes / entry.requests)
        sizes = {
            name: self._sizes(model, group.version, value, rate=_rate(entry, value))
            for name, value in weighted.at.items()
        }
        over = {
            kind: tuple(
                MinutesOver(ptu, count, Fraction(count, entry.minutes))
                for ptu in sorted({s[kind].ptu or 0 for s in sizes.values()} - {0})
                for count in [minutes.over(ptu * tpm)]
            )
            for kind in sizes[self.percentile.name]
        }
        hours = raw.hour_of_week()
        self._remember(group, entry, weighted.at[self.percentile.name], sizes[self.percentile.name])
        return replace(
            entry,
            sizes_at=sizes,
            minutes_over=over,
            hour_of_week_ptu=entry.hour_of_week_ptu if hours is None else hours,
            busiest_day=raw.busiest_day(),
        )

    def _described(
        self,
        group: Group,
        reason: Unknown | None,
        weighted: WeightedTpm | None,
        columns: Mapping[Measure, WeightedMinutes],
    ) -> LogEntry:
        """What holds of every entry, sized or not."""
        requests = columns["requests"]
        length = len(requests.tops)
        refused, refused_tokens = group.unservable
        profiles = [calls.profile for calls in group.calls]
        return LogEntry(
            name=group.name,
            deployments=tuple(dict.fromkeys(calls.deployment for calls in group.calls)),
            model=group.model,
            model_name=group.calls[0].model_name,
            model_version=group.version,
            region=self.region,
            reason=reason,
            near=group.calls[0].served.near,
            requests=requests.mean * length,
            throttled_requests=sum((profile.unsized for profile in profiles), Fraction(0)),
            unservable_requests=refused,
            unservable_input_tokens=refused_tokens.input,
            unservable_output_tokens=refused_tokens.output,
            minutes=length,
            mean_rpm=requests.mean,
            peak_rpm=requests.maximum,
            mean_call=_mean_call(profiles),
            weight_per_call=None,
            weighted_tpm=weighted,
            percentile=self.percentile,
            sizes_at={},
            minutes_over={},
            hour_of_week_ptu=_no_hours(reason),
            busiest_day=None,
            per_minute=tuple(
                PerMinute(measure, {p.name: column.at(p) for p in self.percentiles})
                for measure, column in columns.items()
                if any(column.tops) or measure != "requests"  # sums of tokens without a count of calls
            ),
            notes=(),
            parts=() if reason else tuple(calls.weighed() for calls in group.calls),
        )

    def _remember(self, group: Group, entry: LogEntry, weighted: Fraction, sizes: Sizes) -> None:
        """What the notes on sizes, rates and models ask for: the entry as if it were a workload of its own."""
        model = group.model
        assert model is not None
        rate = _rate(entry, weighted)
        kinds = tuple(self.sizer.resolver.deployment_types)
        pooled = Pooled(model, group.version, None, self.region, entry.name, kinds, names=[entry.name], count=1)
        pooled.rate.add(*rate.as_integer_ratio())
        for value in (weighted, *self._at_earlier_rates(group)):
            total = Sum()
            total.add(*value.as_integer_ratio())
            pooled.weighted.append(total)
        for code in _marks(group, model, self.output_weight):
            pooled.mark(code, entry.name)
        ratio = weighted.as_integer_ratio()
        self.pooled.append(pooled)
        self.sized.append(
            SizedDeployment(
                name=entry.name,
                model=model,
                model_version=group.version,
                deployment_type=None,
                region=self.region,
                workloads=(entry.name,),
                workload_count=1,
                weighted=ratio,
                rate=rate.as_integer_ratio(),
                added_peaks_weighted=ratio,
                sizes=sizes,
            )
        )

    def _at_earlier_rates(self, group: Group) -> list[Fraction]:
        """What the minutes weighed at the percentile, by the model's earlier rates."""
        earlier = range(1, len(group.calls[0].weights))
        return [
            WeightedMinutes.added([calls.weighed(i).minutes() for calls in group.calls]).at(self.percentile)
            for i in earlier
        ]


def _need(entry: LogEntry) -> Fraction:
    """Raw PTU at the percentile asked for; what has no size comes last."""
    sizes = list(entry.sizes.values())
    return max(sizes[0].raw_ptu, Fraction(0)) if sizes else Fraction(-1)


def _rate(entry: LogEntry, weighted: Fraction) -> Fraction:
    """Requests per minute that weigh so much; the mean rate where calls weigh nothing, 0 where nobody counted them."""
    if entry.weight_per_call is None:
        return Fraction(0)
    return weighted / entry.weight_per_call if entry.weight_per_call else entry.mean_rpm


def _columns(group: Group) -> dict[Measure, WeightedMinutes]:
    """Calls and tokens of every minute, of what PTU can serve."""
    columns: dict[Measure, tuple[str, ...]] = {
        "requests": ("requests", "unsized"),
        "uncached_input_tokens": ("uncached", "written"),
        "cached_input_tokens": ("cached",),
        "output_tokens": ("output",),
    }
    found = {
        measure: WeightedMinutes.added(
            [WeightedMinutes(c.profile.start, c.profile.column(*names), c.profile.scale) for c in group.calls]
        )
        for measure, names in columns.items()
    }
    return {name: column for name, column in found.items() if name != "cached_input_tokens" or any(column.tops)}


def _mean_call(profiles: Sequence[DemandProfile]) -> MeanCall | None:
    """The average call of known size over all the profiles."""
    calls = sum((profile.sized for profile in profiles), Fraction(0))
    if not calls:
        return None
    sums = zip(*(profile.tokens() for profile in profiles), strict=True)
    return MeanCall(*(sum(column, Fraction(0)) / calls for column in sums))


def _no_hours(reason: Unknown | None) -> Unknown:
    return reason or Unknown("the log's clock is relative: it does not say which hour of the week a minute was in")


def _about(entry: LogEntry, notes: Sequence[Note]) -> tuple[Note, ...]:
    names = {entry.name, entry.model.name} if entry.model else {entry.name}
    return tuple(note for note in notes if note.about in names)


def _marks(group: Group, model: Model, output_weight: Fraction | None) -> Iterator[str]:
    """Codes of the notes that these calls are due; as for workloads."""
    mean = _mean_call([calls.profile for calls in group.calls])
    rows = [row for calls in group.calls for row in calls.profile.rows]
    thresholds = group.calls[0].profile.thresholds
    long, limit = model.long_context, model.prompt_limit_tokens
    if long and any(row.band > thresholds.index(long.over_input_tokens) for row in rows):
        yield "long_context"
    if limit is not None and mean is not None and 2 * mean.input >= limit:
        yield "prompt_limit"
    weights = model.weights
    unknown_cached = isinstance(weights.cached_input, Unknown) and any(row.cached for row in rows)
    if unknown_cached or (isinstance(weights.cache_write, Unknown) and any(row.written for row in rows)):
        yield "cached_weight_unknown"
    if output_weight is not None and weights.output is not None and output_weight != weights.output:
        yield "output_weight_given"

"""Calls against a small deployment on this machine: what is measured, what is sent, what goes wrong."""

from __future__ import annotations

import asyncio
import time
from functools import cache

import pytest

from ptucalc.bench_prompts import PromptMaker
from ptucalc.bench_samples import Outcome, Sample, Usage
from ptucalc.bench_schedule import CallSize, Planned
from ptucalc.measure.client import Caller, Clients
from ptucalc.measure.target import Key, Wire, find_target
from ptucalc.read.catalog import load_catalog
from ptucalc.read.prompt_counting import PromptCounting

from .fake_deployment import Fake, deployment

pytest.importorskip("httpx", reason="ptucalc bench needs the extra ptucalc[bench]")

SECRET = "k3y-of-a-test"  # noqa: S105


@cache
def prompts() -> PromptMaker:
    made = PromptCounting(load_catalog(), model="gpt-4.1")
    maker = PromptMaker(made.counting_for(made.model), 1)
    maker.prompt(0, 100)  # the tokenizer is loaded before anything is timed
    return maker


def call(
    fake: Fake,
    wire: Wire = Wire.AZURE,
    *,
    stream: bool = True,
    size: CallSize = CallSize(100, 0, 21),  # noqa: B008
    retries: int = 0,
    timeout_s: float = 5,
    sends: int = 100,
    cancel_after: float | None = None,
    url: str | None = None,
) -> Sample:
    target = find_target(
        endpoint=url or fake.url,
        deployment="chat",
        wire=wire,
        api_version=None,
        stream=stream,
        max_tokens_field="max_completion_tokens",
        key=Key(SECRET),
    )
    left, maker = [sends], prompts()

    def may_send() -> bool:
        left[0] -= 1
        return left[0] >= 0

    async def whole() -> Sample:
        begun = time.monotonic()
        async with Clients(target, timeout_seconds=timeout_s) as clients:
            caller = Caller(
                clients,
                target,
                maker,
                now_us=lambda: round((time.monotonic() - begun) * 1e6),
                max_retries=retries,
                timeout_us=round(timeout_s * 1e6),
            )
            task = asyncio.create_task(caller.call(Planned(0, 0, size), 0, may_send))
            if cancel_after is not None:
                await asyncio.sleep(cancel_after)
                task.cancel()
            return await task

    return asyncio.run(whole())


@pytest.mark.parametrize("wire", list(Wire))
def test_a_streamed_call_tells_its_first_token_its_pace_and_its_tokens(wire: Wire) -> None:
    with deployment(first_token_s=0.15, between_s=0.01, cached=32) as fake:
        found = call(fake, wire)
    assert found.outcome is Outcome.SERVED, found
    assert found.usage == Usage(100, 32, 21)  # the service counts the words as they were planned
    assert 150_000 <= (found.to_first_token_us or 0) < 600_000
    assert 9_500 <= (found.between_tokens_us or 0) < 20_000  # 20 gaps of 10 ms
    assert 350_000 <= found.end_to_end_us < 1_000_000


@pytest.mark.parametrize("wire", list(Wire))
def test_a_whole_answer_has_tokens_and_an_end(wire: Wire) -> None:
    with deployment(first_token_s=0.05, between_s=0.001) as fake:
        found = call(fake, wire, stream=False)
    assert (found.outcome, found.usage, found.first_token_us) == (Outcome.SERVED, Usage(100, 0, 21), None)
    assert found.end_to_end_us >= 70_000


def test_the_key_goes_into_the_header_of_its_wire_form_and_nowhere_else() -> None:
    with deployment(first_token_s=0) as fake:
        call(fake)
        call(fake, Wire.V1)
        (azure_path, azure), (v1_path, v1) = fake.seen
    assert (azure["api-key"], v1["authorization"]) == (SECRET, f"Bearer {SECRET}")
    assert "authorization" not in azure and "api-key" not in v1
    assert azure_path.startswith("/openai/deployments/chat/chat/completions?api-version=")
    assert v1_path == "/openai/v1/chat/completions"
    assert SECRET not in azure_path + v1_path + repr(fake.requests)


def test_a_429_ends_the_call_where_nothing_is_tried_again() -> None:
    with deployment(refuse_first=1) as fake:
        found = call(fake)
        assert len(fake.requests) == 1
    assert (found.outcome, len(found.refusals), found.refusals[0].retry_after_ms) == (Outcome.THROTTLED, 1, 40)
    assert found.refusals[0].answered_us <= found.finished_us


def test_a_further_try_waits_as_long_as_the_429_says_and_sends_the_same_prompt() -> None:
    with deployment(refuse_first=2, first_token_s=0) as fake:
        found = call(fake, retries=2)
        assert fake.requests[0] == fake.requests[1] == fake.requests[2]
    assert (found.outcome, len(found.refusals), found.tries) == (Outcome.SERVED, 2, 3)
    first, second = found.refusals
    assert second.sent_us - first.answered_us >= 40_000
    assert found.sent_us - second.answered_us >= 40_000
    assert found.to_first_token_us is not None and found.to_first_token_us >= 80_000  # from when it was to start


def test_tries_are_counted_and_bounded() -> None:
    with deployment(refuse_first=9) as fake:
        assert (call(fake, retries=3).tries, len(fake.requests)) == (4, 4)
    with deployment(refuse_first=9) as fake:
        assert (call(fake, retries=9, sends=2).outcome, len(fake.requests)) == (Outcome.THROTTLED, 3)


def test_a_429_without_a_wait_is_told_and_tried_again_after_a_second() -> None:
    with deployment(refuse_first=1, first_token_s=0, retry_after={}) as fake:
        found = call(fake, retries=1)
    assert found.refusals[0].retry_after_ms is None
    assert found.sent_us - found.refusals[0].answered_us >= 990_000


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503, 302])
def test_an_error_is_told_by_its_status_with_the_services_words(status: int) -> None:
    with deployment(status=status, error="no such thing") as fake:
        found = call(fake)
        assert len(fake.requests) == 1  # a redirect is not followed
    assert (found.outcome, found.error, found.detail) == (Outcome.FAILED, f"http_{status}", "bad: no such thing")


def test_the_key_does_not_follow_a_redirect() -> None:
    with deployment() as other, deployment(status=307, headers={"location": f"{other.url}/elsewhere"}) as fake:
        assert call(fake).error == "http_307"
        assert other.seen == []


def test_a_service_that_repeats_the_key_does_not_get_it_shown() -> None:
    with deployment(status=401, error="wrong key:", echo_key=True) as fake:
        found = call(fake)
    assert found.detail == "bad: wrong key: [key]"
    assert SECRET not in repr(found)


def test_a_call_that_takes_too_long_is_given_up() -> None:
    with deployment(first_token_s=2) as fake:
        found = call(fake, timeout_s=0.2)
    assert (found.outcome, found.error) == (Outcome.FAILED, "timeout")
    assert found.finished_us < 1_000_000


def test_a_stream_that_goes_on_too_long_is_given_up_though_something_always_comes() -> None:
    with deployment(first_token_s=0, between_s=0.02) as fake:
        found = call(fake, timeout_s=0.2)
    assert (found.outcome, found.error) == (Outcome.FAILED, "timeout")


def test_a_stream_that_breaks_off_is_no_answer() -> None:
    with deployment(cut_off=True, first_token_s=0) as fake:
        assert call(fake).error == "cut_off"


def test_an_answer_that_is_no_json_is_malformed() -> None:
    with deployment(garbage=True, first_token_s=0) as fake:
        assert (call(fake).error, call(fake).detail) == ("malformed", "the answer is not JSON")


def test_nobody_there_is_a_failure_to_connect() -> None:
    with deployment() as fake:
        url = fake.url
    assert call(fake, url=url).error == "connect"


def test_a_cancelled_call_is_not_finished() -> None:
    with deployment(first_token_s=3) as fake:
        assert call(fake, cancel_after=0.2).outcome is Outcome.UNFINISHED
    with deployment(refuse_first=5, retry_after={"retry-after": "60"}) as fake:
        waiting = call(fake, retries=1, cancel_after=0.3)
    assert (waiting.outcome, len(waiting.refusals)) == (Outcome.UNFINISHED, 1)


def test_an_answer_of_another_deployment_is_marked() -> None:
    with deployment(first_token_s=0, headers={"x-ms-spillover-from-deployment": "chat"}) as fake:
        assert call(fake).spilled
    with deployment(first_token_s=0) as fake:
        assert not call(fake).spilled


def test_a_service_that_counts_nothing_leaves_the_usage_unknown() -> None:
    with deployment(first_token_s=0, usage=False) as fake:
        found = call(fake)
    assert (found.outcome, found.usage) == (Outcome.SERVED, None)

"""The real openai SDK against an emulator: what its users see, and that the log of it simulates to the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

openai = pytest.importorskip("openai", reason="the clients of these tests")
httpx = pytest.importorskip("httpx", reason="comes with openai")
pytest.importorskip("starlette", reason="comes with ptucalc[emulate]")
pytest.importorskip("uvicorn", reason="comes with ptucalc[emulate]")

from ptucalc import load_catalog  # noqa: E402
from ptucalc.made_up_answers import AnswerShape  # noqa: E402
from ptucalc.read.logs import read_log  # noqa: E402
from ptucalc.read.prompt_counting import PromptCounting  # noqa: E402
from ptucalc.rehearsal import Deployment  # noqa: E402
from ptucalc.routing import Provisioned, Standard  # noqa: E402
from ptucalc.serve.app import application  # noqa: E402
from ptucalc.serve.call_log import CallLog  # noqa: E402
from ptucalc.serve.emulator import Emulator  # noqa: E402
from ptucalc.serve.running import serving  # noqa: E402
from ptucalc.simulation import simulate  # noqa: E402

NAME = "gpt-4.1"
MODEL = load_catalog().find(NAME)[0]
COUNTING = PromptCounting(load_catalog(), model=NAME).counting_for(MODEL)
SHAPE = AnswerShape(shortest=20, longest=20, scale=Fraction(0), reasoning=Fraction(1, 4))
SECOND = 1_000_000


def chat_deployment(ptu: int = 1000, window_us: int = 60 * SECOND, spillover: str | None = None) -> Deployment:
    backend = Provisioned(name="chat", model=MODEL, ptu=ptu, window_us=window_us)
    return Deployment(backend=backend, model=MODEL, spillover=spillover)


def payg(tpm: int | None = 1_000_000, rpm: int | None = 60_000) -> Deployment:
    return Deployment(backend=Standard(name="payg", model=MODEL, tpm=tpm, rpm=rpm), model=MODEL)


def an_emulator(*deployments: Deployment, shape: AnswerShape = SHAPE, log: CallLog | None = None) -> Emulator:
    return Emulator(deployments or (chat_deployment(),), {NAME: COUNTING}, shape=shape, log=log)


@pytest.fixture(scope="module")
def easy() -> Iterator[str]:
    """A deployment that takes everything."""
    with serving(application(an_emulator(chat_deployment(), payg()))) as url:
        yield url


made: list[Any] = []
"""The clients of a test, to be closed."""


@pytest.fixture(autouse=True)
def _closed_clients() -> Iterator[None]:
    yield
    while made:
        made.pop().close()


def azure(url: str, **given: Any) -> Any:
    made.append(openai.AzureOpenAI(azure_endpoint=url, api_key="any", api_version="2024-10-21", **given))
    return made[-1]


def v1(url: str, path: str = "/openai/v1", **given: Any) -> Any:
    made.append(openai.OpenAI(base_url=url + path, api_key="any", **given))
    return made[-1]


def said(text: str = "hi") -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("client", [azure, v1, lambda url: v1(url, "/v1")])
def test_both_kinds_of_client_get_a_chat_completion(easy: str, client: Any) -> None:
    found = client(easy).chat.completions.create(model="chat", messages=said(), max_tokens=12)
    # the cookbook's formula: 3 for the frame, 1 for the role, 1 for the text, 3 for the reply
    assert (found.usage.prompt_tokens, found.usage.completion_tokens, found.usage.total_tokens) == (8, 12, 20)
    assert found.usage.completion_tokens_details.reasoning_tokens == 3
    assert found.usage.prompt_tokens_details.cached_tokens == 0
    (choice,) = found.choices
    assert choice.finish_reason == "length"
    assert COUNTING.tokens.count(choice.message.content) == 9
    assert found.model == NAME and found.object == "chat.completion"


def test_an_answer_shorter_than_max_tokens_stops_by_itself(easy: str) -> None:
    found = v1(easy).chat.completions.create(model="chat", messages=said(), max_completion_tokens=500)
    assert (found.usage.completion_tokens, found.choices[0].finish_reason) == (20, "stop")


@pytest.mark.parametrize("client", [azure, v1])
def test_a_stream_has_the_words_one_by_one_and_then_the_usage(easy: str, client: Any) -> None:
    chunks = list(
        client(easy).chat.completions.create(
            model="chat", messages=said(), stream=True, stream_options={"include_usage": True}
        )
    )
    words = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert len(words) == COUNTING.tokens.count("".join(words)) == 15
    *others, last = chunks
    assert all(chunk.usage is None for chunk in others)
    assert last.choices == [] and last.usage.completion_tokens == 20
    assert last.usage.completion_tokens == last.usage.completion_tokens_details.reasoning_tokens + len(words)
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert (chunks[0].choices == []) == (client is azure)  # Azure begins with what its filters say
    assert chunks[1 if client is azure else 0].choices[0].delta.role == "assistant"
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_stream_that_max_tokens_ends_says_so(easy: str) -> None:
    *_, last = v1(easy).chat.completions.create(model="chat", messages=said(), stream=True, max_tokens=5)
    assert last.choices[0].finish_reason == "length"


def test_a_stream_without_include_usage_has_none(easy: str) -> None:
    chunks = list(v1(easy).chat.completions.create(model="chat", messages=said(), stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


@pytest.mark.parametrize("client", [azure, v1])
def test_a_responses_call_is_answered(easy: str, client: Any) -> None:
    found = client(easy).responses.create(model="chat", input="hi", max_output_tokens=16)
    assert (found.status, found.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert found.usage.output_tokens == 16 and found.usage.output_tokens_details.reasoning_tokens == 4
    assert COUNTING.tokens.count(found.output_text) == 12
    assert found.usage.total_tokens == found.usage.input_tokens + 16
    assert client(easy).responses.create(model="chat", input="hi").status == "completed"


def test_a_responses_stream_has_its_events_in_order(easy: str) -> None:
    events = list(v1(easy).responses.create(model="chat", input="hi", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == events[-1].response.output_text == events[-4].text
    assert len(deltas) == 15 and events[-1].response.usage.output_tokens == 20
    assert [item.type for item in events[-1].response.output] == ["reasoning", "message"]
    with v1(easy).responses.stream(model="chat", input="hi") as stream:  # the SDK puts the events together itself
        assert stream.get_final_response().usage.output_tokens == 20


def test_a_full_deployment_says_when_to_come_back() -> None:
    # 1 PTU of gpt-4.1 drains 3,000 a minute, 50 a second; a prompt of 1,007 tokens and 20 out weighs 1,007 + 4 x 20
    with serving(application(an_emulator(chat_deployment(1, SECOND)))) as url:
        client = azure(url, max_retries=0)
        client.chat.completions.create(model="chat", messages=said("hi" + " hi" * 999))
        with pytest.raises(openai.RateLimitError) as error:
            client.chat.completions.create(model="chat", messages=said())
        headers = error.value.response.headers
        wait = int(headers["retry-after-ms"])
        assert 19_000 < wait <= 20_740  # (1,087 - 50) / 50 s, less what has passed
        assert int(headers["retry-after"]) == -(-wait // 1000)
        assert error.value.response.json()["error"]["code"] == "429"


def test_the_default_retries_succeed_later() -> None:
    with serving(application(an_emulator(chat_deployment(20, SECOND)))) as url:  # 1,000 a second
        for client in (azure(url), v1(url)):
            raw = [
                client.chat.completions.with_raw_response.create(model="chat", messages=said("hi" + " hi" * 1100))
                for _ in range(2)
            ]
            assert [each.parse().usage.completion_tokens for each in raw] == [20, 20]
            assert raw[-1].retries_taken in (1, 2)


def test_what_ptu_refuse_spills_over_by_the_property() -> None:
    deployments = (chat_deployment(1, SECOND, spillover="payg"), payg())
    with serving(application(an_emulator(*deployments))) as url:
        client = azure(url, max_retries=0)
        first, second = (
            client.chat.completions.with_raw_response.create(model="chat", messages=said("hi" + " hi" * 999))
            for _ in range(2)
        )
        assert first.headers["x-ms-deployment-name"] == "chat"
        assert "x-ms-spillover-from-deployment" not in first.headers
        assert float(first.headers["azure-openai-deployment-utilization"].rstrip("%")) > 2000
        assert second.headers["x-ms-deployment-name"] == "payg"
        assert second.headers["x-ms-spillover-from-deployment"] == "chat"
        assert second.headers["x-ms-spillover-error"] == "429"
        assert second.headers["x-ratelimit-limit-tokens"] == "1000000"
        assert second.headers["x-ratelimit-remaining-tokens"] == str(1_000_000 - 1007 - 20)
        assert second.headers["x-ratelimit-limit-requests"] == "1000"  # of a second
        assert second.headers["x-ratelimit-remaining-requests"] == "999"


def test_what_ptu_refuse_spills_over_by_the_header_of_the_request() -> None:
    with serving(application(an_emulator(chat_deployment(1, SECOND), payg()))) as url:
        client = azure(url, max_retries=0)

        def call(**headers: str) -> Any:
            return client.chat.completions.with_raw_response.create(
                model="chat", messages=said("hi" + " hi" * 999), extra_headers=headers
            )

        call()
        assert call(**{"x-ms-spillover-deployment": "payg"}).headers["x-ms-deployment-name"] == "payg"
        with pytest.raises(openai.RateLimitError):
            call()
        with pytest.raises(openai.BadRequestError, match="expected the name of a Standard deployment"):
            call(**{"x-ms-spillover-deployment": "elsewhere"})


def test_a_prompt_over_the_limit_is_a_bad_request() -> None:
    assert MODEL.prompt_limit_tokens == 128_000
    with serving(application(an_emulator())) as url:
        client = v1(url, max_retries=0)
        with pytest.raises(openai.BadRequestError, match="128007 tokens") as error:
            client.chat.completions.create(model="chat", messages=said("hi" + " hi" * 127_999))
        assert error.value.code == "context_length_exceeded"
        kept = client.chat.completions.create(model="chat", messages=said("hi" + " hi" * 127_992))
        assert kept.usage.prompt_tokens == 128_000


def test_a_prompt_that_comes_again_is_served_from_the_cache() -> None:
    with serving(application(an_emulator())) as url:
        client = v1(url)
        long = "hi" + " hi" * 1499
        ask = [
            client.chat.completions.create(model="chat", messages=said(text)).usage
            for text in (long, long, long[:2400] + " then something else", "hi")
        ]
        assert [usage.prompt_tokens_details.cached_tokens for usage in ask] == [0, 1408, 0, 0]
        # 1,507 tokens hold 1,024 and three steps of 128; 2,400 letters of it are 800 words


def test_wrong_calls_are_told_what_is_wrong(easy: str) -> None:
    client = azure(easy, max_retries=0)
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="nowhere", messages=said())
    assert missing.value.response.json()["error"]["code"] == "DeploymentNotFound"
    with pytest.raises(openai.BadRequestError, match="messages"):
        client.chat.completions.create(model="chat", messages=[])
    with pytest.raises(openai.BadRequestError, match="n: expected 1"):
        client.chat.completions.create(model="chat", messages=said(), n=2)
    with pytest.raises(openai.BadRequestError, match="previous_response_id"):
        client.responses.create(model="chat", input="hi", previous_response_id="resp_1")
    with pytest.raises(openai.BadRequestError, match="max_tokens"):
        client.chat.completions.create(model="chat", messages=said(), max_tokens=0)


def test_the_deployments_are_listed(easy: str) -> None:
    assert [each.id for each in v1(easy).models.list()] == ["chat", "payg"]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_the_log_simulates_to_the_same_admissions(tmp_path: Path, ending: str) -> None:
    """Half a second of calls, answers take a few milliseconds, about a third is refused."""
    path = tmp_path / f"calls.{ending}"
    log = CallLog(path.open("wb"), json_lines=ending == "jsonl")
    shape = AnswerShape(shortest=5, longest=60, scale=Fraction(1, 20), reasoning=Fraction(1, 5))
    emulator = an_emulator(chat_deployment(40, SECOND // 4), shape=shape, log=log)
    statuses = []
    with serving(application(emulator)) as url, httpx.Client(headers={"api-key": "k"}) as client:
        for number in range(60):
            body: dict[str, Any] = {"messages": said("hi " * (number % 7 * 20)), "model": "chat"}
            if number % 3:
                body["max_tokens"] = 30 + number
            body["stream"] = number % 2 == 0
            statuses.append(client.post(f"{url}/v1/chat/completions", json=body).status_code)
        metrics = client.get(f"{url}/metrics.json").json()
    log.close()
    assert {200, 429} == set(statuses)
    with read_log(path, calls=True) as found:
        assert found.source.rows_used == found.source.rows == 60 == log.rows
        assert {stream.deployment for stream in found.profiles} == {"chat"}
        trace = found.trace()
    result = simulate(trace, MODEL, ptu=40, window=Fraction(1, 4), largest_ptu=100, keep_replay=True)
    (run,) = result.runs
    assert run.replay is not None
    assert [200 if outcome == 0 else 429 for outcome in run.replay.outcome] == statuses
    assert result.without_duration == 0 and result.without_max_tokens == 20
    file = tmp_path / "metrics.json"
    file.write_text(json.dumps(metrics))
    with read_log(file) as monitored:
        (profile,) = monitored.profiles.values()
        served = [n for n in range(60) if statuses[n] == 200]
        assert profile.requests == 60  # what was refused counts, by the mean of what was served
        prompts = sum(int(trace.uncached[n]) + int(trace.cached[n]) for n in served)
        outputs = sum(int(trace.output[n]) for n in served)
        point = {each["name"]["value"]: each["timeseries"] for each in metrics["value"]}
        assert _total(point["ProcessedPromptTokens"]) == prompts
        assert _total(point["GeneratedTokens"]) == outputs


def _total(series: list[dict[str, Any]]) -> int:
    return sum(point.get("total", 0) for each in series for point in each["data"])

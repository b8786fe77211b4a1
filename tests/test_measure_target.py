"""Where calls go, and where the key does not."""

from __future__ import annotations

import pickle

import pytest

from ptucalc.errors import BadInput, Problem
from ptucalc.measure.target import API_VERSION, Key, Target, Wire, find_key, find_target

SECRET = "s3cret/key+with=signs"  # noqa: S105


def target(endpoint: str | None = "https://me.openai.azure.com", wire: Wire = Wire.AZURE, **more: object) -> Target:
    asked = {"deployment": "chat", "api_version": None, "stream": True, "max_tokens_field": "max_completion_tokens"}
    asked |= {"environment": {}, **more}
    return find_target(endpoint=endpoint, wire=wire, key=Key(SECRET), **asked)


def refused(*arguments: object, **more: object) -> str:
    with pytest.raises(BadInput) as error:
        target(*arguments, **more)
    return str(error.value)


def test_each_wire_form_has_its_address() -> None:
    base = "https://me.openai.azure.com"
    assert target().url == f"{base}/openai/deployments/chat/chat/completions?api-version={API_VERSION}"
    assert target(api_version="2025-01-01-preview").url.endswith("?api-version=2025-01-01-preview")
    assert target(wire=Wire.V1).url == f"{base}/openai/v1/chat/completions"
    assert target(wire=Wire.RESPONSES).url == f"{base}/openai/v1/responses"
    assert target(wire=Wire.RESPONSES, api_version="preview").url == f"{base}/openai/v1/responses?api-version=preview"


@pytest.mark.parametrize("endpoint", ["https://h/openai/v1/", "https://h/openai/v1", "https://h/openai", "https://h/"])
def test_an_endpoint_may_hold_the_path_already(endpoint: str) -> None:
    assert target(endpoint, Wire.V1).url == "https://h/openai/v1/chat/completions"


def test_the_path_of_a_gateway_is_kept() -> None:
    assert target("https://h:8443/gate/", Wire.V1).url == "https://h:8443/gate/openai/v1/chat/completions"
    assert target("https://h/gate").url.startswith("https://h/gate/openai/deployments/chat/")
    assert target("https://api.openai.com/v1", Wire.V1).url == "https://api.openai.com/v1/chat/completions"


def test_a_deployments_name_is_quoted() -> None:
    assert "/deployments/a%2Fb%3Fc/" in target(deployment="a/b?c").url


def test_the_endpoint_is_from_the_environment_where_no_flag_gives_one() -> None:
    assert target(None, environment={"AZURE_OPENAI_ENDPOINT": "https://env"}).origin == "https://env"
    assert target("https://flag", environment={"AZURE_OPENAI_ENDPOINT": "https://env"}).origin == "https://flag"


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:8089", "http://localhost", "http://[::1]:5", "http://127.9.9.9"]
)
def test_http_goes_to_this_machine_only(endpoint: str) -> None:
    assert target(endpoint).loopback


@pytest.mark.parametrize(
    "endpoint", ["http://me.openai.azure.com", "http://128.0.0.1", "http://localhost.evil.org", "http://10.0.0.1"]
)
def test_a_key_is_never_sent_in_clear_over_a_network(endpoint: str) -> None:
    assert "https: a key is sent in clear over http" in refused(endpoint)
    assert not target(endpoint.replace("http:", "https:")).loopback


@pytest.mark.parametrize(
    "endpoint", [None, "", "me.openai.azure.com", "ftp://h", "https://", "https://h:port", "https://h h"]
)
def test_an_endpoint_that_is_no_address_is_refused(endpoint: str | None) -> None:
    assert "expected an address such as https://NAME.openai.azure.com" in refused(endpoint)


@pytest.mark.parametrize("endpoint", ["https://user:pw1234@h", "https://h/?api-key=abc1234", "https://h/#abc1234"])
def test_secrets_in_an_endpoint_are_refused_and_not_shown(endpoint: str) -> None:
    message = refused(endpoint)
    assert "without a user, a query or a fragment" in message
    assert "1234" not in message


def test_the_key_is_from_the_environment_by_the_wire_form() -> None:
    both = {"AZURE_OPENAI_API_KEY": "azure", "OPENAI_API_KEY": "openai"}
    problems: list[Problem] = []
    assert find_key(Wire.AZURE, problems, both).header(Wire.AZURE) == {"api-key": "azure"}
    assert find_key(Wire.V1, problems, both).header(Wire.V1) == {"Authorization": "Bearer azure"}
    assert find_key(Wire.V1, problems, {"OPENAI_API_KEY": " openai\n"}).header(Wire.V1) == {
        "Authorization": "Bearer openai"
    }
    assert problems == []


def test_the_key_of_openai_is_not_sent_to_azure() -> None:
    problems: list[Problem] = []
    find_key(Wire.AZURE, problems, {"OPENAI_API_KEY": "openai"})
    assert [problem.field for problem in problems] == ["AZURE_OPENAI_API_KEY"]
    assert "never taken from a flag or a file" in problems[0].expected


def test_a_key_that_no_header_can_carry_is_refused_without_being_shown() -> None:
    problems: list[Problem] = []
    find_key(Wire.AZURE, problems, {"AZURE_OPENAI_API_KEY": "sécret"})
    find_key(Wire.AZURE, problems, {"AZURE_OPENAI_API_KEY": "se cret"})
    assert [problem.found for problem in problems] == ["a value that no header can carry"] * 2


def test_a_key_shows_itself_nowhere() -> None:
    made = target()
    shown = f"{made!r} {made} {made.key!r} {made.key}"
    assert SECRET not in shown and "Key(hidden)" in repr(made.key)
    with pytest.raises(TypeError, match="a key is not stored"):
        pickle.dumps(made.key)


def test_what_the_service_says_is_shown_without_the_key_and_without_what_steers_a_terminal() -> None:
    quoted = "s3cret%2Fkey%2Bwith%3Dsigns"
    told = target().told(f"bad {SECRET}\n and {quoted}\x1b[31m")
    assert told == "bad [key] and [key]\\x1b[31m"
    assert len(target().told("x" * 1000)) == 200


def test_bodies_are_those_of_their_wire_form() -> None:
    chat = target().body("hello", 5)
    assert chat == {
        "messages": [{"role": "user", "content": "hello"}],
        "max_completion_tokens": 5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    whole = target(wire=Wire.V1, stream=False, max_tokens_field="max_tokens").body("hello", 5)
    assert whole == {
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 5,
        "stream": False,
        "model": "chat",
    }
    responses = target(wire=Wire.RESPONSES).body("hello", 5)
    assert (responses["max_output_tokens"], responses["store"], responses["model"]) == (5, False, "chat")

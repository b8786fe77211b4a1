"""Where calls go, in which wire form, and with which key. The key is in no text that leaves here but the request's header."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlsplit

from ptucalc.errors import BadInput, Problem, visible

__all__ = ["API_VERSION", "Key", "Target", "Wire", "find_key", "find_target"]

API_VERSION = "2024-10-21"
"""The API version of Azure's own wire form, unless another is given: one that counts tokens of streams."""

MAX_TOKENS_FIELDS = ("max_completion_tokens", "max_tokens")
"""What a chat body calls its limit: models that reason take only the first, older API versions only the second."""

_AZURE_KEY, _OPENAI_KEY = "AZURE_OPENAI_API_KEY", "OPENAI_API_KEY"
_ENDPOINT = "AZURE_OPENAI_ENDPOINT"
_HIDDEN = "[key]"


class Wire(StrEnum):
    """Wire forms: Azure's chat completions by deployment, chat completions of the v1 API, Responses of the v1 API."""

    AZURE = "azure"
    V1 = "v1"
    RESPONSES = "responses"


class Key:
    """A secret: no representation shows it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def header(self, wire: Wire) -> dict[str, str]:
        """The header that carries it."""
        return {"api-key": self._value} if wire is Wire.AZURE else {"Authorization": f"Bearer {self._value}"}

    def redacted(self, text: str) -> str:
        """The text without the key, also where it is quoted for an address or a JSON text."""
        for form in dict.fromkeys((self._value, quote(self._value, safe=""), quote(self._value))):
            text = text.replace(form, _HIDDEN)
        return text

    def __repr__(self) -> str:
        return "Key(hidden)"

    def __reduce__(self) -> Any:
        raise TypeError("a key is not stored")


@dataclass(frozen=True, kw_only=True)
class Target:
    """A deployment: the address of its calls, whether it is on this machine, and the bodies it takes."""

    url: str
    origin: str
    loopback: bool
    wire: Wire
    deployment: str
    api_version: str | None
    stream: bool
    max_tokens_field: str
    key: Key = field(repr=False)

    def headers(self) -> dict[str, str]:
        """Headers of a request."""
        return {"Content-Type": "application/json", **self.key.header(self.wire)}

    def body(self, prompt: str, output_tokens: int) -> dict[str, Any]:
        """The body of a call that writes at most so many tokens."""
        if self.wire is Wire.RESPONSES:
            return {
                "model": self.deployment,
                "input": [{"role": "user", "content": prompt}],
                "max_output_tokens": output_tokens,
                "stream": self.stream,
                "store": False,
            }
        body: dict[str, Any] = {
            "messages": [{"role": "user", "content": prompt}],
            self.max_tokens_field: output_tokens,
            "stream": self.stream,
        }
        if self.stream:
            body["stream_options"] = {"include_usage": True}
        if self.wire is Wire.V1:
            body["model"] = self.deployment
        return body

    def told(self, text: str, most: int = 200) -> str:
        """A text of the service, fit to show: without the key and without control characters, and short."""
        shown = visible(self.key.redacted(" ".join(text.split())))
        return shown if len(shown) <= most else shown[: most - 3] + "..."


def find_key(wire: Wire, problems: list[Problem], environment: Mapping[str, str] | None = None) -> Key:
    """The key from the environment: AZURE_OPENAI_API_KEY, or OPENAI_API_KEY for the v1 API. Problems never show it."""
    known = os.environ if environment is None else environment
    names = (_AZURE_KEY,) if wire is Wire.AZURE else (_AZURE_KEY, _OPENAI_KEY)
    for name in names:
        value = known.get(name, "").strip()
        if value:
            if not value.isascii() or not value.isprintable() or " " in value:
                problems.append(Problem(name, "a value that no header can carry", "the key, as the portal shows it"))
                return Key("unusable")
            return Key(value)
    expected = f"the key, in the environment variable {' or '.join(names)} (it is never taken from a flag or a file)"
    problems.append(Problem(names[0], "", expected))
    return Key("missing")


def find_target(
    *,
    endpoint: str | None,
    deployment: str,
    wire: Wire,
    api_version: str | None,
    stream: bool,
    max_tokens_field: str,
    key: Key,
    environment: Mapping[str, str] | None = None,
) -> Target:
    """Where calls go: the endpoint that was given, or else AZURE_OPENAI_ENDPOINT. Raises BadInput."""
    known = os.environ if environment is None else environment
    text = (endpoint if endpoint is not None else known.get(_ENDPOINT, "")).strip()
    origin, path, loopback = _checked(text, key)
    name = quote(deployment, safe="")
    if wire is Wire.AZURE:
        path = path.removesuffix("/openai")
        version = api_version or API_VERSION
        url = f"{origin}{path}/openai/deployments/{name}/chat/completions?api-version={quote(version, safe='')}"
    else:
        version = api_version or ""
        base = path if path.endswith("/v1") else f"{path.removesuffix('/openai')}/openai/v1"
        url = f"{origin}{base}/{'responses' if wire is Wire.RESPONSES else 'chat/completions'}"
        url += f"?api-version={quote(version, safe='')}" if version else ""
    return Target(
        url=url,
        origin=origin,
        loopback=loopback,
        wire=wire,
        deployment=deployment,
        api_version=version or None,
        stream=stream,
        max_tokens_field=max_tokens_field,
        key=key,
    )


def _checked(text: str, key: Key) -> tuple[str, str, bool]:
    """Origin and path of an endpoint, and whether it is on this machine. Raises BadInput."""
    expected = "an address such as https://NAME.openai.azure.com (--endpoint, or AZURE_OPENAI_ENDPOINT)"
    shown = key.redacted(text)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise BadInput([Problem("endpoint", shown, expected)]) from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or not text.isprintable() or " " in text:
        raise BadInput([Problem("endpoint", shown, expected)])
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        bare = f"{parts.scheme}://{host}"
        what = "an address without a user, a query or a fragment: keys are only read from the environment"
        raise BadInput([Problem("endpoint", f"{bare} and more", what)])
    loopback = _is_loopback(host)
    if parts.scheme == "http" and not loopback:
        raise BadInput([Problem("endpoint", shown, "https: a key is sent in clear over http (only to this machine)")])
    where = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{where}{f':{port}' if port else ''}", parts.path.rstrip("/"), loopback


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

"""Asks Azure's Retail Prices API for the prices of a region. The only module of ptucalc that uses the network.

The API needs no sign-in. It answers in pages; the link to the next one is followed only to the host that was asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc.errors import BadInput, Problem, PtucalcError, visible
from ptucalc.prices import Products

if TYPE_CHECKING:
    from email.message import Message
    from urllib.parse import SplitResult
    from urllib.request import OpenerDirector

__all__ = ["ENDPOINT", "ApiFailure", "Fetched", "Reply", "checked_address", "fetch_rows", "queries"]

ENDPOINT = "https://prices.azure.com/api/retail/prices"
API_VERSION = "2023-01-01-preview"
SERVICE = "Foundry Models"
"""The serviceName of Azure OpenAI's meters. The older names give an empty list, not an error."""

MOST_PAGES = 50
MOST_PAGE_BYTES = 20_000_000
"""A page of 1,000 rows is below one million bytes."""
TIMEOUT_SECONDS = 30
PAGE_SECONDS = 180
"""The longest that a page may take, however slowly it trickles in."""
MOST_TRIES = 5
LONGEST_WAIT_SECONDS = 60

INSTEAD = "Nothing was changed; the prices known here still serve (`ptucalc prices show`)."


class ApiFailure(PtucalcError):
    """The API could not be asked, or its answer cannot be used. The message says which and what to do."""


class Reply(NamedTuple):
    """An answer over HTTP; `headers` by name in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetched(NamedTuple):
    """Rows as the API gave them, with numbers as text, and the address that was asked, without its query."""

    rows: tuple[Mapping[str, Any], ...]
    address: str


def queries(address: str, region: str, products: Products) -> tuple[str, str]:
    """The two addresses to ask: a region's pay-as-you-go and hourly meters, and its PTU reservations.

    Never with `$top`: the API then gives wrong links to the following pages.
    """
    from urllib.parse import quote

    if not re.fullmatch(r"[a-z0-9]+", region):
        raise ValueError(f"a region's name in lower-case letters and digits, not {region!r}")
    product = products.reservation.replace("'", "''")
    filters = (
        f"serviceName eq '{SERVICE}' and armRegionName eq '{region}' and priceType eq 'Consumption'",
        f"productName eq '{product}' and armRegionName eq '{region}'",
    )
    consumption, reservations = (
        f"{address}?api-version={API_VERSION}&currencyCode=USD&$filter={quote(text, safe='')}" for text in filters
    )
    return consumption, reservations


def checked_address(address: str, name: str) -> str:
    """The API's address, or that of a mirror; `name` is where it was given. Raises BadInput.

    Only https, but for a host that is this computer.
    """
    expected = f"an https address such as {ENDPOINT}"
    try:
        parts = _split(address)
        _host(parts)
    except ValueError:
        raise BadInput([Problem(name, address, expected)]) from None
    if parts.username is not None or parts.query or parts.fragment:
        raise BadInput([Problem(name, address, f"{expected}, without a user name or a query")])
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise BadInput([Problem(name, address, f"{expected} (http only for this computer)")])
    return address


def fetch_rows(
    region: str,
    products: Products,
    *,
    address: str = ENDPOINT,
    get: Callable[[str], Reply] | None = None,
    sleep: Callable[[float], None] | None = None,
    remark: Callable[[str], None] = lambda text: None,
) -> Fetched:
    """All rows of a region: consumption and PTU reservations. Raises ApiFailure.

    `get` asks one address (default: over the network), `sleep` waits some seconds before the next try, and `remark`
    is told how it goes on.
    """
    if get is None:
        get = _getter(address)
    if sleep is None:
        import time

        sleep = time.sleep
    consumption, reservations = queries(address, region, products)
    rows = list(_pages(consumption, "prices", get, sleep, remark))
    if not rows:
        raise ApiFailure(
            f"{_host_name(address)} lists no prices at all for the region {region}. That does not mean they are free: "
            f"check the region's name (such as eastus2). {INSTEAD}"
        )
    reserved = list(_pages(reservations, "reservations", get, sleep, remark))
    return Fetched((*rows, *reserved), address)


def _pages(
    first: str, what: str, get: Callable[[str], Reply], sleep: Callable[[float], None], remark: Callable[[str], None]
) -> Iterator[Mapping[str, Any]]:
    url, count, seen = first, 0, {first}
    for number in range(1, MOST_PAGES + 1):
        items, link = _page(_patiently(url, get, sleep, remark), url)
        count += len(items)
        remark(f"{what}: page {number}, {count:,} rows")
        yield from items
        if not link:
            return
        url = _next(link, first)
        if url in seen:
            raise ApiFailure(f"{_host_name(first)} links from a page of {what} to one it gave before. {INSTEAD}")
        seen.add(url)
    raise ApiFailure(
        f"{_host_name(first)} gave {MOST_PAGES} pages of {what} and has more: that is not a list of one region's "
        f"prices. {INSTEAD}"
    )


def _patiently(
    url: str, get: Callable[[str], Reply], sleep: Callable[[float], None], remark: Callable[[str], None]
) -> bytes:
    """The body of a page; asks again after 429 (too many requests) and 5xx, at most so many times."""
    host = _host_name(url)
    for number in range(1, MOST_TRIES + 1):
        reply = get(url)
        if reply.status == 200:
            return reply.body
        if reply.status != 429 and reply.status < 500:
            raise ApiFailure(f"{host} answered HTTP {reply.status}, which asking again would not mend. {INSTEAD}")
        if number == MOST_TRIES:
            break
        seconds = _wait(reply, number)
        remark(f"{host} answered HTTP {reply.status}: asking again in {seconds:.0f} s")
        sleep(seconds)
    why = "it is asked too often" if reply.status == 429 else "it is out of order"
    raise ApiFailure(f"{host} answered HTTP {reply.status} {MOST_TRIES} times ({why}): try again later. {INSTEAD}")


def _wait(reply: Reply, tries: int) -> float:
    """Seconds to wait before asking again: as told, else 1, 2, 4 ... and up to one more, so that clients spread."""
    told = reply.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", told):
        return float(min(int(told), LONGEST_WAIT_SECONDS))
    from email.utils import parsedate_to_datetime

    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        import random

        return 2.0 ** (tries - 1) + random.random()  # noqa: S311  # no secret
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((until - _now()).total_seconds(), 0.0), float(LONGEST_WAIT_SECONDS))


def _now() -> datetime:
    return datetime.now(UTC)


def _page(body: bytes, url: str) -> tuple[list[Mapping[str, Any]], str | None]:
    """The rows of a page and the link to the next. Numbers stay the text they were: none becomes a float."""
    import json

    def wrong(what: str) -> ApiFailure:
        return ApiFailure(f"{_host_name(url)} answered with {what}: not a page of prices. {INSTEAD}")

    def no_number(text: str) -> None:
        raise ValueError(text)

    try:
        page = json.loads(body.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=no_number)
    except (ValueError, RecursionError):
        start = body[:200].lstrip().lower()
        what = "a web page (is a sign-in or proxy in between?)" if start.startswith(b"<") else "broken or cut-off JSON"
        raise wrong(what) from None
    items = page.get("Items") if isinstance(page, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise wrong("JSON of another shape")
    link = page.get("NextPageLink")
    if link is not None and not isinstance(link, str):
        raise wrong("JSON of another shape")
    for currency in [page.get("BillingCurrency"), *(item.get("currencyCode") for item in items)]:
        if currency != "USD":
            raise wrong(f"prices in {visible(str(currency)[:20])} (asked for USD)")
    return items, link


def _next(link: str, asked: str) -> str:
    """The link to the next page, if it leads to the host that was asked; without `$top`, should it carry one."""
    from urllib.parse import unquote

    try:
        parts = _split(link)
        same = parts.username is None and _host(parts) == _host(_split(asked))
    except ValueError:
        same = False
    if not same:
        raise ApiFailure(
            f"{_host_name(asked)} gave a link to another host for its next page ({visible(link[:100])}); it was not followed. "
            f"{INSTEAD}"
        )
    kept = [part for part in parts.query.split("&") if unquote(part.split("=")[0]).casefold() != "$top"]
    return parts._replace(query="&".join(kept), fragment="").geturl()


def _split(url: str) -> SplitResult:
    """The parts of an address. ValueError for what is none, or holds what a request line may not."""
    from urllib.parse import urlsplit

    if not re.fullmatch(r"[\x21-\x7e]+", url) or "\\" in url:
        raise ValueError("not an address")
    return urlsplit(url)


def _host(parts: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port: https://prices.azure.com and https://prices.azure.com:443 are the same."""
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    if usual is None or not parts.hostname:
        raise ValueError("not an http address")
    return parts.scheme, parts.hostname, parts.port or usual


def _host_name(url: str) -> str:
    return _split(url).hostname or url


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _getter(address: str) -> Callable[[str], Reply]:
    """Asks over the network."""
    opener = _opener(address)
    return lambda url: _get(opener, url)


def _opener(address: str) -> OpenerDirector:
    """Follows redirects to the same host only; uses the proxies of the environment, but not for this computer."""
    from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

    class SameHost(HTTPRedirectHandler):
        def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
            try:
                same = _host(_split(newurl)) == _host(_split(address))
            except ValueError:
                same = False
            if not same:
                fp.close()
                raise ApiFailure(
                    f"{_host_name(address)} redirects to another host ({visible(newurl[:100])}); it was not followed. {INSTEAD}"
                )
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    local = [ProxyHandler({})] if _is_loopback(_split(address).hostname or "") else []
    return build_opener(SameHost, *local)


def _get(opener: OpenerDirector, url: str) -> Reply:
    """One request. An answer of any status is a reply; no answer at all is an ApiFailure."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request

    from ptucalc import __version__

    request = Request(url, headers={"Accept": "application/json", "User-Agent": f"ptucalc/{__version__}"})  # noqa: S310  # checked
    try:
        with opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return Reply(response.status, _lower(response.headers), _body(response, url))
    except HTTPError as error:
        with error:
            return Reply(error.code, _lower(error.headers), b"")
    except TimeoutError:
        raise ApiFailure(f"{_host_name(url)} did not answer within {TIMEOUT_SECONDS} s. {INSTEAD}") from None
    except (OSError, HTTPException) as error:  # URLError is an OSError
        reason = getattr(error, "reason", None) or error
        said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        raise ApiFailure(
            f"{_host_name(url)} cannot be reached ({said}): this is the one command that needs the network. {INSTEAD}"
        ) from None


def _body(response: Any, url: str) -> bytes:
    import time

    end = time.monotonic() + PAGE_SECONDS
    parts: list[bytes] = []
    size = 0
    while part := response.read1(1 << 16):
        parts.append(part)
        size += len(part)
        if size > MOST_PAGE_BYTES:
            raise ApiFailure(
                f"{_host_name(url)} answered with over {MOST_PAGE_BYTES:,} bytes: not a page of prices. {INSTEAD}"
            )
        if time.monotonic() > end:
            raise ApiFailure(f"{_host_name(url)} took over {PAGE_SECONDS} s for one page. {INSTEAD}")
    return b"".join(parts)


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}

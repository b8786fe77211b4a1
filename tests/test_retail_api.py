"""Asking the Retail Prices API, here a server on this computer: pages, links, waiting, and every way it can go wrong."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from ptucalc.errors import BadInput
from ptucalc.prices import Products
from ptucalc.read import retail_api
from ptucalc.read.retail_api import ENDPOINT, ApiFailure, Fetched, Reply, checked_address, fetch_rows, queries

from .retail import RESERVATIONS, Api, a_local_api, a_page, a_reservation, a_row, sample

PRODUCTS = Products("Azure Invented", RESERVATIONS, {})
INSTEAD = "Nothing was changed; the prices known here still serve (`ptucalc prices show`)."


@pytest.fixture
def api() -> Iterator[Api]:
    with a_local_api() as server:
        yield server


@pytest.fixture(autouse=True)
def only_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that would leave this computer fails."""
    connect = socket.socket.connect

    def checked(self: socket.socket, address: Any) -> None:
        assert address[0] in ("127.0.0.1", "::1"), f"a test asked {address}"
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", checked)


def fetch(api: Api, *, slept: list[float] | None = None, said: list[str] | None = None) -> Fetched:
    waits = [] if slept is None else slept
    told = [] if said is None else said
    return fetch_rows("eastia", PRODUCTS, address=api.address, sleep=waits.append, remark=told.append)


def failure(fetching: Callable[[], object]) -> str:
    """The message of a fetch that must fail, without the last sentence, which all have."""
    with pytest.raises(ApiFailure) as caught:
        fetching()
    message = str(caught.value)
    assert message.endswith(f" {INSTEAD}")
    return message.removesuffix(f" {INSTEAD}")


def failing(api: Api, status: int, body: bytes, headers: dict[str, str] | None = None) -> str:
    """The message where the server always answers so."""
    api.answer = lambda query: (status, headers or {}, body)
    return failure(lambda: fetch(api))


def test_all_pages_are_read_and_then_the_reservations(api: Api) -> None:
    pages = [sample("tokens_page1"), sample("tokens_page2_last")]
    api.serve(pages, sample("ptu_reservations_eastus2"))
    said: list[str] = []
    fetched = fetch(api, said=said)
    assert [row["meterName"] for row in fetched.rows[:110]] == [row["meterName"] for page in pages for row in page]
    assert (len(fetched.rows), fetched.address) == (55 + 55 + 7, api.address)
    assert said == ["prices: page 1, 55 rows", "prices: page 2, 110 rows", "reservations: page 1, 7 rows"]
    assert len(api.asked) == 3


def test_the_filters_are_those_of_the_api_and_top_is_never_sent(api: Api) -> None:
    api.serve([[a_row("Oak", 1)], [a_row("Oak", 1)]], [a_reservation("Unit", 1, "1 Year")])
    fetch(api)
    first, second, third = api.queries
    assert first == {
        "api-version": "2023-01-01-preview",
        "currencyCode": "USD",
        "$filter": "serviceName eq 'Foundry Models' and armRegionName eq 'eastia' and priceType eq 'Consumption'",
    }
    assert second["$skip"] == "1000"
    assert third == {
        "api-version": "2023-01-01-preview",
        "currencyCode": "USD",
        "$filter": "productName eq 'Invented Reservation' and armRegionName eq 'eastia'",
    }
    assert not [path for path in api.asked if "top" in path.casefold()]


@pytest.mark.parametrize("top", ["$top=-995&", "%24top=0&", "$TOP=5&"])
def test_a_top_in_a_link_is_not_sent_back(api: Api, top: str) -> None:
    def answer(query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        last = "$skip" in query or "productName" in query["$filter"]
        return 200, {}, a_page([a_row("Oak", 1)], None if last else f"{api.address}?{top}$skip=1000")

    api.answer = answer
    fetch(api)
    assert api.asked[1] == "/api/retail/prices?$skip=1000"


@pytest.mark.parametrize("region", ["", "East US", "eastus' or 1 eq 1", "east-us", "eastus2\n", "eastüs"])
def test_nothing_but_a_plain_region_gets_into_the_filter(region: str) -> None:
    with pytest.raises(ValueError, match=r"^a region.s name in lower-case letters and digits, not "):
        queries(ENDPOINT, region, PRODUCTS)


def test_a_quote_in_a_product_stays_inside_its_quotes() -> None:
    _, reservations = queries(ENDPOINT, "eastia", PRODUCTS._replace(reservation="O'Hara & Co"))
    assert reservations.endswith(
        "productName%20eq%20%27O%27%27Hara%20%26%20Co%27%20and%20armRegionName%20eq%20%27eastia%27"
    )


def test_numbers_stay_the_text_they_were(api: Api) -> None:
    page = a_page([a_row("Oak", 1)]).replace(
        b'"retailPrice": "1"', b'"retailPrice": 0.1000000000000000055511151231257827'
    )
    api.answer = lambda query: (200, {}, page)
    assert fetch(api).rows[0]["retailPrice"] == "0.1000000000000000055511151231257827"


# Waiting: 429 and 5xx


def test_the_api_is_asked_again_after_as_many_seconds_as_it_says(api: Api) -> None:
    answers = iter(
        [(429, {"Retry-After": "7"}, b""), (429, {"Retry-After": "0"}, b""), (429, {"Retry-After": "86400"}, b"")]
    )
    api.answer = lambda query: next(answers, (200, {}, a_page([a_row("Oak", 1)])))
    slept: list[float] = []
    said: list[str] = []
    fetch(api, slept=slept, said=said)
    assert slept == [7.0, 0.0, 60.0] and len(api.asked) == 3 + 2
    assert said[0] == "127.0.0.1 answered HTTP 429: asking again in 7 s"


def test_the_day_and_time_to_ask_again_is_waited_for(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2030, 6, 15, 12, 0, 0, tzinfo=UTC)
    monkeypatch.setattr(retail_api, "_now", lambda: noon)
    until = [noon.replace(second=25), noon.replace(hour=11), noon.replace(hour=13)]
    answers = iter([(503, {"Retry-After": format_datetime(each, usegmt=True)}, b"") for each in until])
    api.answer = lambda query: next(answers, (200, {}, a_page([a_row("Oak", 1)])))
    slept: list[float] = []
    fetch(api, slept=slept)
    assert slept == [25.0, 0.0, 60.0]


def test_without_a_time_the_waits_double_and_are_spread(api: Api) -> None:
    answers = iter([(500, {}, b""), (429, {"Retry-After": "soon"}, b""), (502, {}, b""), (503, {}, b"")])
    api.answer = lambda query: next(answers, (200, {}, a_page([a_row("Oak", 1)])))
    slept: list[float] = []
    fetch(api, slept=slept)
    assert [int(seconds) for seconds in slept] == [1, 2, 4, 8]  # each and up to one second more


@pytest.mark.parametrize(("status", "why"), [(429, "it is asked too often"), (503, "it is out of order")])
def test_an_api_that_never_recovers_is_given_up(api: Api, status: int, why: str) -> None:
    message = failing(api, status, b"", {"Retry-After": "1"})
    assert message == f"127.0.0.1 answered HTTP {status} 5 times ({why}): try again later."
    assert len(api.asked) == 5


@pytest.mark.parametrize("status", [400, 401, 404])
def test_any_other_refusal_is_final(api: Api, status: int) -> None:
    message = failing(api, status, b"no")
    assert message == f"127.0.0.1 answered HTTP {status}, which asking again would not mend."
    assert len(api.asked) == 1


# Answers that are no page of prices


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (a_page([a_row("Oak", 1)])[:-9], "broken or cut-off JSON"),
        (b"", "broken or cut-off JSON"),
        (b"\xff\xfe", "broken or cut-off JSON"),
        (b'{"Items": [], "BillingCurrency": NaN}', "broken or cut-off JSON"),
        (b"[" * 100_000, "broken or cut-off JSON"),
        (b"\n<!DOCTYPE html><title>Sign in</title>", "a web page (is a sign-in or proxy in between?)"),
        (b"[]", "JSON of another shape"),
        (b'{"value": []}', "JSON of another shape"),
        (b'{"BillingCurrency": "USD", "Items": [1]}', "JSON of another shape"),
        (a_page([], None, NextPageLink=True), "JSON of another shape"),
        (a_page([], None, BillingCurrency="EUR"), "prices in EUR (asked for USD)"),
        (a_page([], None, BillingCurrency=None), "prices in None (asked for USD)"),
        (a_page([a_row("Oak", 1, currencyCode="\x1b[31mGBP")]), "prices in \\x1b[31mGBP (asked for USD)"),
    ],
)
def test_what_is_no_page_of_prices_is_refused(api: Api, body: bytes, what: str) -> None:
    assert failing(api, 200, body) == f"127.0.0.1 answered with {what}: not a page of prices."


def test_a_body_without_end_is_not_read_to_its_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retail_api, "MOST_PAGE_BYTES", 1000)
    message = failing(api, 200, a_page([a_row("Oak" * 1000, 1)]))
    assert message == "127.0.0.1 answered with over 1,000 bytes: not a page of prices."


def test_a_page_that_trickles_in_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retail_api, "PAGE_SECONDS", -1)
    assert failing(api, 200, a_page([a_row("Oak", 1)])) == "127.0.0.1 took over -1 s for one page."


def test_no_rows_is_an_error_and_not_free(api: Api) -> None:
    assert failing(api, 200, a_page([])) == (
        "127.0.0.1 lists no prices at all for the region eastia. That does not mean they are free: check the region's "
        "name (such as eastus2)."
    )


def test_no_reservations_in_a_region_is_no_error(api: Api) -> None:
    api.serve([[a_row("Oak", 1)]], [])
    assert all(row["type"] == "Consumption" for row in fetch(api).rows)


def test_pages_without_end_are_given_up(api: Api) -> None:
    api.answer = lambda query: (200, {}, a_page([a_row("Oak", 1)], api.link(int(query.get("$skip", "0")) + 1000)))
    assert failure(lambda: fetch(api)) == (
        "127.0.0.1 gave 50 pages of prices and has more: that is not a list of one region's prices."
    )
    assert len(api.asked) == 50


# Where it may be asked


@pytest.mark.parametrize(
    "link",
    [
        "http://prices.example/api/retail/prices?$skip=1000",
        "https://127.0.0.1/api/retail/prices?$skip=1000",
        "http://127.0.0.1/api/retail/prices?$skip=1000",
        "http://127.0.0.1:1/api?$skip=1000",
        "http://127.0.0.1:{port}@prices.example/api?$skip=1000",
        "http://you@127.0.0.1:{port}/api?$skip=1000",
        "http://127.0.0.1:{port}\\@prices.example/api",
        "file:///etc/passwd",
        "//prices.example/api",
        "/api/retail/prices?$skip=1000",
        "http://127.0.0.1:{port}/api retail",
        "http://127.0.0.1:{port}/\r\nX-Evil: 1",
        "http://127.0.0.1:99999/api",
        "http://[::1/api",
    ],
)
def test_a_link_to_another_host_is_not_followed(api: Api, link: str) -> None:
    link = link.replace("{port}", api.address.split(":")[2].split("/")[0])
    shown = link.replace("\r\n", "\\x0d\\x0a")
    assert failing(api, 200, a_page([a_row("Oak", 1)], link)) == (
        f"127.0.0.1 gave a link to another host for its next page ({shown}); it was not followed."
    )
    assert len(api.asked) == 1


def test_the_usual_port_written_out_is_the_same_host() -> None:
    asked: list[str] = []

    def get(url: str) -> Reply:
        asked.append(url)
        link = f"{ENDPOINT.replace('.com/', '.com:443/')}?$skip=1000" if len(asked) == 1 else None
        return Reply(200, {}, a_page([a_row("Oak", 1)], link))

    assert len(fetch_rows("eastia", PRODUCTS, get=get).rows) == 3
    assert asked[1] == "https://prices.azure.com:443/api/retail/prices?$skip=1000"


@pytest.mark.parametrize(
    "link", ["https://prices.azure.com:444/", "http://prices.azure.com:443/", "https://prices.azure.com.example/"]
)
def test_a_link_that_only_looks_like_azures_is_not_followed(link: str) -> None:
    message = failure(
        lambda: fetch_rows("eastia", PRODUCTS, get=lambda url: Reply(200, {}, a_page([a_row("Oak", 1)], link)))
    )
    assert message == f"prices.azure.com gave a link to another host for its next page ({link}); it was not followed."


def test_a_redirect_to_another_host_is_not_followed(api: Api) -> None:
    assert failing(api, 302, b"", {"Location": "http://prices.example/api"}) == (
        "127.0.0.1 redirects to another host (http://prices.example/api); it was not followed."
    )


def test_a_redirect_on_the_same_host_is_followed(api: Api) -> None:
    def answer(query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        if "moved" not in query:
            return 301, {"Location": "/elsewhere?moved=1"}, b""
        return 200, {}, a_page([a_row("Oak", 1)])

    api.answer = answer
    assert len(fetch(api).rows) == 2


def test_a_computer_that_is_offline_is_told_what_still_works() -> None:
    with socket.socket() as unused:  # bound, but not listening: a connection is refused
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}/api"
        message = failure(lambda: fetch_rows("eastia", PRODUCTS, address=address))
    assert (
        message == "127.0.0.1 cannot be reached (Connection refused): this is the one command that needs the network."
    )


def test_a_name_that_is_not_found_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*args: Any, **more: Any) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert failure(lambda: fetch_rows("eastia", PRODUCTS)) == (
        "prices.azure.com cannot be reached (Temporary failure in name resolution): this is the one command that needs "
        "the network."
    )


def test_an_api_that_says_nothing_is_given_up(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retail_api, "TIMEOUT_SECONDS", 0.05)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        message = failure(lambda: fetch_rows("eastia", PRODUCTS, address=address))
    assert message == "127.0.0.1 did not answer within 0.05 s."


@pytest.mark.parametrize(
    "address", [ENDPOINT, "https://mirror.example:8443/prices", "http://localhost:80/x", "http://[::1]:5/x"]
)
def test_an_address_of_a_mirror_or_of_this_computer_is_accepted(address: str) -> None:
    assert checked_address(address, "HERE") == address


@pytest.mark.parametrize(
    ("address", "more"),
    [
        ("http://mirror.example/prices", " (http only for this computer)"),
        ("http://127.0.0.1.example/prices", " (http only for this computer)"),
        ("ftp://mirror.example/prices", ""),
        ("file:///etc/passwd", ""),
        ("mirror.example", ""),
        ("https://", ""),
        ("https://mirror.example/a b", ""),
        ("https://you:secret@mirror.example/", ", without a user name or a query"),
        ("https://mirror.example/?a=b", ", without a user name or a query"),
    ],
)
def test_another_address_is_refused(address: str, more: str) -> None:
    with pytest.raises(BadInput) as caught:
        checked_address(address, "HERE")
    expected = f"an https address such as {ENDPOINT}{more}"
    assert str(caught.value) == f"HERE: expected {expected}, got {address}"


def test_no_other_module_uses_the_network() -> None:
    package = Path(retail_api.__file__).parent.parent
    network = re.compile(r"^\s*(?:from|import) (?:urllib\.request|urllib\.error|http|socket|ssl)\b", re.MULTILINE)
    users = {path.name for path in package.rglob("*.py") if network.search(path.read_text(encoding="utf-8"))}
    assert users == {"retail_api.py", "running.py"}  # the latter listens on loopback, for `ptucalc emulate`


def test_the_command_line_starts_without_the_network() -> None:
    code = (
        "import sys, ptucalc.cli.prices, ptucalc.read.retail_api; print([n for n in sys.modules if 'urllib.req' in n])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"

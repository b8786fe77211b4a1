"""Invented rows and prices for the tests of `ptucalc prices refresh`, and a local server that answers like the API."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ptucalc.catalog import DeploymentType, Source, TokenClass
from ptucalc.prices import ModelPrices, PriceBook, PriceTier, Products, PtuRow, PtuTerm, TokenRow

SAMPLES = Path(__file__).parent / "samples" / "retail_prices"
REAL = Path(__file__).parent.parent.parent / "shared" / "facts" / "retail_prices_api" / "real"
TODAY = date(2030, 6, 15)
HERE, THERE = "eastia", "westia"
GLOBAL, DATA_ZONE, REGIONAL = DeploymentType
PTU_LINE, RESERVATIONS = "Azure Invented", "Invented Reservation"


def numbers_as_text(text: str) -> Any:
    """JSON as the reader hands it on."""
    return json.loads(text, parse_float=str, parse_int=str)


def a_row(meter: str, price: object, since: str = "2030-01-01", **changes: Any) -> dict[str, Any]:
    """A row of the API: tokens of the invented model's product, per 1M, unless changed."""
    row = {
        "currencyCode": "USD",
        "tierMinimumUnits": "0.0",
        "retailPrice": str(price),
        "unitPrice": str(price),
        "armRegionName": HERE,
        "effectiveStartDate": f"{since}T00:00:00Z",
        "meterName": meter,
        "productName": f"{PTU_LINE} Trees",
        "serviceName": "Foundry Models",
        "unitOfMeasure": "1M",
        "type": "Consumption",
    }
    return {**row, **changes}


def a_ptu_row(meter: str, price: object, since: str = "2030-01-01", **changes: Any) -> dict[str, Any]:
    """A row of the price of a PTU and hour."""
    return a_row(meter, price, since, **{"productName": PTU_LINE, "unitOfMeasure": "1/Hour", **changes})


def a_reservation(meter: str, price: object, term: str, **changes: Any) -> dict[str, Any]:
    """A row of a reservation: its unit says hours, its price is for the term."""
    about = {"productName": RESERVATIONS, "type": "Reservation", "reservationTerm": term}
    return a_ptu_row(meter, price, **{**about, **changes})


def a_book() -> PriceBook:
    """Model "Oak" on Global (long context too) and Data zone; PTU 1 an hour on Global, 2 on Regional, in all regions."""

    def tokens(prices: Mapping[TokenClass, object], **changes: Any) -> TokenRow:
        usd = {token_class: Fraction(str(price)) for token_class, price in prices.items()}
        row = TokenRow(None, PriceTier.STANDARD, False, usd, "invented")
        return row._replace(**changes)

    short = {TokenClass.INPUT: "Oak inp Gl", TokenClass.CACHED_INPUT: "Oak cd inp Gl", TokenClass.OUTPUT: "Oak opt Gl"}
    oak = {
        GLOBAL: ModelPrices(
            (
                (
                    tokens({TokenClass.INPUT: 2, TokenClass.CACHED_INPUT: "0.5", TokenClass.OUTPUT: 8}),
                    tokens({TokenClass.INPUT: 4}, long_context=True),
                    tokens({TokenClass.INPUT: 1, TokenClass.OUTPUT: 4}, tier=PriceTier.BATCH),
                ),
            ),
            short,
            {TokenClass.INPUT: "Oak LongCo inp Gl"},
        ),
        DATA_ZONE: ModelPrices(
            ((tokens({TokenClass.INPUT: "2.2"}, regions=(THERE,)),),), {TokenClass.INPUT: "Oak inp Dz"}, {}
        ),
    }
    return PriceBook(
        editions=("invented-1",),
        as_of=date(2030, 1, 1),
        default_region=HERE,
        hourly={
            GLOBAL: ((PtuRow(None, Fraction(1), "invented"),),),
            DATA_ZONE: (),
            REGIONAL: ((PtuRow(None, Fraction(2), "invented"),),),
        },
        reservations={
            (kind, term): ((PtuRow(None, Fraction(260), "invented"),),) if (kind, term.months) == (GLOBAL, 1) else ()
            for kind in DeploymentType
            for term in (PtuTerm.ONE_MONTH, PtuTerm.ONE_YEAR)
        },
        models={"oak": oak},
        model_products={"oak": (f"{PTU_LINE} Trees",)},
        remarks={},
        products=Products(PTU_LINE, RESERVATIONS, {kind: f"Unit {kind.label}" for kind in DeploymentType}),
        sources={"invented": Source("invented", "Invented", "nowhere", "2030-01-01", date(2030, 1, 1))},
    )


def a_page(items: list[dict[str, Any]], link: str | None = None, **changes: Any) -> bytes:
    """The body of a page, numbers as JSON numbers."""
    page = {"BillingCurrency": "USD", "Items": items, "NextPageLink": link, "Count": len(items), **changes}
    return json.dumps(page).encode()


Answer = tuple[int, Mapping[str, str], bytes]


class Api:
    """What a local server was asked, and what it answers: `answer` gets the query of a request."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/api/retail/prices"
        self.asked: list[str] = []
        self.answer: Callable[[dict[str, str]], Answer] = lambda query: (200, {}, a_page([]))

    @property
    def queries(self) -> list[dict[str, str]]:
        """The query of each request."""
        return [dict(parse_qsl(urlsplit(path).query)) for path in self.asked]

    def link(self, skip: int) -> str:
        """A link to a further page, with the port written out, as the API does."""
        return f"{self.address}?api-version=2023-01-01-preview&$filter=the%20same&$skip={skip}"

    def serve(self, pages: list[list[dict[str, Any]]], reserved: list[dict[str, Any]]) -> None:
        """Answer the first query with these pages and the second with the reservations."""

        def answer(query: dict[str, str]) -> Answer:
            if "productName eq" in query.get("$filter", ""):
                return 200, {}, a_page(reserved)
            number = int(query.get("$skip", "0")) // 1000
            link = self.link(1000 * (number + 1)) if number + 1 < len(pages) else None
            return 200, {}, a_page(pages[number], link)

        self.answer = answer


@contextmanager
def a_local_api() -> Iterator[Api]:
    """A server on this computer that answers like the API."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            api.asked.append(self.path)
            status, headers, body = api.answer(dict(parse_qsl(urlsplit(self.path).query)))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = Api(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()


def sample(name: str, **changes: Any) -> list[dict[str, Any]]:
    """The rows of a committed sample."""
    rows = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))["Items"]
    return [{**row, **changes} for row in rows]

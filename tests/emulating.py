"""Emulators for tests: invented models whose tokens are letters, on a clock that tests move or on the real one."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from ptucalc.catalog import Model
from ptucalc.made_up_answers import AnswerShape
from ptucalc.read.token_rules import load_token_rules
from ptucalc.rehearsal import Deployment
from ptucalc.routing import Provisioned, Standard
from ptucalc.serve.emulator import Emulator
from ptucalc.token_parts import Approximate, Counting

from .counted import TILES
from .invented import a_model

SECOND, MINUTE = 1_000_000, 60_000_000
ALDER = a_model()
AT_ONCE = AnswerShape(shortest=20, longest=20, scale=Fraction(0))


def provisioned(
    ptu: int, name: str = "chat", *, model: Model = ALDER, window: int = 60, spillover: str | None = None
) -> Deployment:
    backend = Provisioned(name=name, model=model, ptu=ptu, window_us=window * SECOND)
    return Deployment(backend=backend, model=model, spillover=spillover)


def standard(
    tpm: int | None, rpm: int | None = None, name: str = "payg", *, model: Model = ALDER, window: int = 1
) -> Deployment:
    backend = Standard(name=name, model=model, tpm=tpm, rpm=rpm, rpm_window_seconds=window)
    return Deployment(backend=backend, model=model)


def counting(model: Model = ALDER) -> Counting:
    """Four characters are a token."""
    return Counting(
        tokens=Approximate(4), rules=load_token_rules(), encoding=None, exact=False, model=model.name, images=TILES
    )


def emulator(*deployments: Deployment, shape: AnswerShape = AT_ONCE, **given: Any) -> Emulator:
    models: Iterable[Model] = {each.model.name: each.model for each in deployments}.values()
    return Emulator(deployments, {model.name: counting(model) for model in models}, shape=shape, **given)


class Hand:
    """A clock that is moved by hand."""

    def __init__(self, now_us: int = 1_900_000_000 * SECOND) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us

"""tiktoken's tokenizers, with the vocabularies that ptucalc carries. No network, ever."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from threading import Lock
from types import FunctionType, ModuleType
from typing import Any

from ptucalc.errors import BadInput, Problem
from ptucalc.read.vocabulary import VOCABULARIES, WAYS_OUT, NoTokenizer, Vocabulary, vocabulary_folder

__all__ = ["ENCODINGS", "NoTokenizer", "Tokenizer", "tokenizer"]

ENCODINGS = {"cl100k_base": "cl100k_base", "o200k_base": "o200k_base", "o200k_harmony": "o200k_base"}
"""The encodings that can be counted with, and the vocabulary of each."""

_VARIABLE = "TIKTOKEN_CACHE_DIR"


@dataclass(frozen=True)
class Tokenizer:
    """One of tiktoken's encodings. `package` is tiktoken with its version: "tiktoken 0.14.0"."""

    name: str
    package: str
    _encode: Callable[[str], Sequence[int]] = field(repr=False)

    def ids(self, text: str) -> Sequence[int]:
        """The text's tokens. Special text such as <|endoftext|> is text like any other; a lone surrogate is U+FFFD.

        Raises NoTokenizer for a text that tiktoken gives up on, such as one with a million blanks on end.
        """
        try:
            return self._encode(text)
        except BaseException as error:  # tiktoken's own panic is no Exception, and has no name to import
            if type(error).__name__ != "PanicException":
                raise
        raise NoTokenizer(
            f"tiktoken gave up on a text of {len(text):,} characters: expected a text without a very long run of white "
            f"space; shorten that{WAYS_OUT}"
        )

    def count(self, text: str) -> int:
        """How many tokens the text is."""
        return len(self.ids(text))


_loaded: dict[str, Tokenizer] = {}
_loading = Lock()


def tokenizer(encoding: str) -> Tokenizer:
    """The tokenizer of that encoding, loaded once. Offline, always.

    Raises BadInput for an encoding that ptucalc has no vocabulary of, NoTokenizer where it cannot be loaded.
    """
    if encoding not in ENCODINGS:
        raise BadInput([Problem("encoding", encoding, " or ".join(ENCODINGS))])
    with _loading:
        if encoding not in _loaded:
            _loaded[encoding] = _load(encoding)
        return _loaded[encoding]


def _load(encoding: str) -> Tokenizer:
    vocabulary = VOCABULARIES[ENCODINGS[encoding]]
    try:
        import tiktoken

        openai_public = import_module("tiktoken_ext.openai_public")
        package = f"tiktoken {tiktoken.__version__}"
        constructor = openai_public.ENCODING_CONSTRUCTORS[encoding]
    except Exception as error:  # whatever a damaged package raises
        raise _unusable("tiktoken", error) from None
    if not _reads_only(constructor, openai_public, vocabulary):
        raise NoTokenizer(
            f"this {package} asks for another vocabulary than ptucalc has for {encoding}, and would download it: expected "
            f"{vocabulary.url} with the SHA-256 sum {vocabulary.sha256}; install tiktoken 0.14.0 or a newer ptucalc"
            f"{WAYS_OUT}"
        )
    with vocabulary_folder(vocabulary) as folder, _tiktoken_looks_in(folder):
        try:
            encode = tiktoken.get_encoding(encoding).encode_ordinary
        except Exception as error:
            raise _unusable(package, error) from None
    return Tokenizer(encoding, package, encode)


def _unusable(what: str, error: Exception) -> NoTokenizer:
    return NoTokenizer(
        f"{what} cannot be used: expected a working installation, got {type(error).__name__}: {error}; "
        f"install it again (pip install --force-reinstall tiktoken){WAYS_OUT}"
    )


def _reads_only(constructor: Any, module: ModuleType, vocabulary: Vocabulary) -> bool:
    """Whether tiktoken makes the encoding from this vocabulary alone, as its code says; it fetches what it lacks."""
    texts = _texts(constructor, module)
    return {text for text in texts if "://" in text} == {vocabulary.url} and vocabulary.sha256 in texts


def _texts(function: Any, module: ModuleType) -> set[str]:
    """The strings in a function of this module, and in what it names of the module."""
    texts: set[str] = set()
    seen: set[FunctionType] = set()
    left = [function]
    while left:
        value = left.pop()
        if isinstance(value, str):
            texts.add(value)
        elif isinstance(value, FunctionType) and value.__module__ == module.__name__ and value not in seen:
            seen.add(value)
            left += value.__code__.co_consts
            left += (vars(module).get(name) for name in value.__code__.co_names)
    return texts


@contextmanager
def _tiktoken_looks_in(folder: Path) -> Iterator[None]:
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before

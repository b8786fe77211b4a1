"""tiktoken's tokenizers, offline whatever the cache holds, and what text means to them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ptucalc import BadInput, Unknown, load_catalog
from ptucalc.catalog import Encoding
from ptucalc.read import encodings
from ptucalc.read.encodings import ENCODINGS, NoTokenizer, tokenizer
from ptucalc.read.vocabulary import VOCABULARIES

ROOT = Path(__file__).parent.parent
VARIABLES = ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR")

OFFLINE = """
import socket, sys
def refuse(*args, **more): raise SystemExit("the network was used")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
sys.modules["requests"] = None
sys.path.insert(0, sys.argv[1])
from ptucalc.read.encodings import tokenizer
print(*(tokenizer(name).count("hello world") for name in sys.argv[2:]))
"""

# "hello world" is 24912, 2375 in o200k_base and 15339, 1917 in cl100k_base


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a user with an empty home, in which everything that is written lands in tmp_path."""
    kept = {key: value for key, value in os.environ.items() if key not in VARIABLES}
    for name in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA", "TMPDIR", "TEMP", "TMP"):
        (tmp_path / name).mkdir()
        kept[name] = str(tmp_path / name)
    return kept


def start(environment: dict[str, str], *names: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OFFLINE, str(ROOT), *names],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def answer(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    return out.strip()


def cached(environment: dict[str, str]) -> dict[str, Path]:
    """The files in the user's cache by name."""
    folder = Path(environment["LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"]) / "ptucalc" / "tiktoken"
    return {path.name: path for path in folder.iterdir()}


# Offline


def test_cold_and_warm_and_damaged_never_need_the_network(environment: dict[str, str]) -> None:
    name = VOCABULARIES["cl100k_base"].cache_name
    assert answer(start(environment, "cl100k_base")) == "2"
    assert list(cached(environment)) == [name]
    assert answer(start(environment, "cl100k_base")) == "2"
    cached(environment)[name].write_bytes(b"IQ== 0\n")
    assert answer(start(environment, "cl100k_base")) == "2"
    assert cached(environment)[name].stat().st_size == VOCABULARIES["cl100k_base"].length


def test_harmony_uses_the_same_vocabulary(environment: dict[str, str]) -> None:
    assert answer(start(environment, "o200k_harmony", "o200k_base")) == "2 2"
    assert list(cached(environment)) == [VOCABULARIES["o200k_base"].cache_name]


def test_eight_processes_at_once_on_a_cold_cache(environment: dict[str, str]) -> None:
    processes = [start(environment, "cl100k_base") for _ in range(8)]
    assert [answer(process) for process in processes] == ["2"] * 8
    assert list(cached(environment)) == [VOCABULARIES["cl100k_base"].cache_name]


def test_a_home_that_cannot_be_written_is_no_obstacle(environment: dict[str, str], tmp_path: Path) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        (tmp_path / name).rmdir()
        (tmp_path / name).write_text("no folder")
    assert answer(start(environment, "cl100k_base")) == "2"
    assert not list((tmp_path / "TMPDIR").iterdir())


@pytest.mark.parametrize("content", [b"", b"damaged"])
def test_the_users_own_cache_folder_is_not_changed(environment: dict[str, str], tmp_path: Path, content: bytes) -> None:
    own = tmp_path / "own"
    own.mkdir()
    path = own / VOCABULARIES["cl100k_base"].cache_name
    path.write_bytes(content)
    assert answer(start({**environment, "TIKTOKEN_CACHE_DIR": str(own)}, "cl100k_base")) == "2"
    assert path.read_bytes() == content and list(own.iterdir()) == [path]


def test_the_users_own_cache_folder_is_honoured(environment: dict[str, str], tmp_path: Path) -> None:
    answer(start(environment, "cl100k_base"))
    (path,) = cached(environment).values()
    own = tmp_path / "own"
    own.mkdir()
    path.rename(own / path.name)
    assert answer(start({**environment, "TIKTOKEN_CACHE_DIR": str(own)}, "cl100k_base")) == "2"
    assert not cached(environment)


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No tokenizer loaded yet, neither here nor in tiktoken."""
    import tiktoken.registry

    monkeypatch.setattr(encodings, "_loaded", {})
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    return


@pytest.mark.parametrize("before", [None, "", "somewhere"])
@pytest.mark.parametrize("fails", [False, True])
def test_the_environment_is_as_it_was(
    unloaded: None, monkeypatch: pytest.MonkeyPatch, before: str | None, fails: bool
) -> None:
    import tiktoken

    monkeypatch.delenv("TIKTOKEN_CACHE_DIR", raising=False)
    if before is not None:
        monkeypatch.setenv("TIKTOKEN_CACHE_DIR", before)
    seen = []

    def get_encoding(name: str) -> object:
        seen.append(os.environ["TIKTOKEN_CACHE_DIR"])
        if fails:
            raise ConnectionError("no network")
        return types.SimpleNamespace(encode_ordinary=list)

    monkeypatch.setattr(tiktoken, "get_encoding", get_encoding)
    if fails:
        with pytest.raises(NoTokenizer, match=r"^tiktoken 0\.\S+ cannot be used: .* got ConnectionError: no network; "):
            tokenizer("cl100k_base")
    else:
        tokenizer("cl100k_base")
    assert os.environ.get("TIKTOKEN_CACHE_DIR") == before
    assert seen not in ([], [before])


def test_threads_at_once_load_it_once(unloaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    loads, load = [], encodings._load

    def slowly(name: str) -> object:
        loads.append(threading.get_ident())
        return load(name)

    monkeypatch.setattr(encodings, "_load", slowly)
    with ThreadPoolExecutor(8) as pool:
        found = set(map(id, pool.map(tokenizer, ["cl100k_base"] * 8)))
    assert len(found) == len(loads) == 1


# A tiktoken that is missing, damaged or newer


def test_an_encoding_that_is_not_carried_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        tokenizer("p50k_base")
    assert str(caught.value) == "encoding: expected cl100k_base or o200k_base or o200k_harmony, got p50k_base"


def test_a_missing_tiktoken_is_told_with_the_ways_out(unloaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    with pytest.raises(NoTokenizer) as caught:
        tokenizer("o200k_base")
    assert str(caught.value) == (
        "tiktoken cannot be used: expected a working installation, got ModuleNotFoundError: import of tiktoken halted; "
        "None in sys.modules; install it again (pip install --force-reinstall tiktoken); or count with --approx, an "
        "estimate that needs no vocabulary"
    )


@pytest.mark.parametrize("damage", ["ENCODING_CONSTRUCTORS", "__version__"])
def test_a_damaged_tiktoken_is_told(unloaded: None, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    import tiktoken
    import tiktoken_ext.openai_public as public

    monkeypatch.delattr(public if damage.isupper() else tiktoken, damage)
    with pytest.raises(NoTokenizer, match="install it again"):
        tokenizer("o200k_base")


HERE, SUM = VOCABULARIES["o200k_base"].url, VOCABULARIES["o200k_base"].sha256
MOVED = {
    "another address": f'def one(): return load("{HERE}2", expected_hash="{SUM}")',
    "another sum": f'def one(): return load("{HERE}", expected_hash="{SUM[::-1]}")',
    "another file too": f'def one(): return load("{HERE}", "{SUM}"), load("https://example.org/more")',
    "an address elsewhere": f'A = "https://example.org/x"\ndef one(): return load(A, expected_hash="{SUM}")',
    "another way": "one = object()",
}
STAYED = {
    "as it is": f'def one(): return load("{HERE}", expected_hash="{SUM}")',
    "by way of another": f'def two(): return load("{HERE}", "{SUM}")\ndef one(): return two() or one()',
    "in a circle": f'def two(): return one()\ndef one(): return two(), load("{HERE}", "{SUM}")',
    "with a helper from elsewhere": (
        "import types\nload = types.FunctionType((lambda: 'https://').__code__, {'__name__': 'elsewhere'})\n"
        f'def one(): return load("{HERE}", "{SUM}")'
    ),
    "by name": f'A = "{HERE}"\nB = "{SUM}"\ndef one(): return load(A, expected_hash=B)',
}


def asks(code: str) -> bool:
    module = types.ModuleType("a_tiktoken")
    exec(code, module.__dict__)  # noqa: S102  # the lines above
    return encodings._reads_only(module.one, module, VOCABULARIES["o200k_base"])


@pytest.mark.parametrize("code", MOVED.values(), ids=MOVED)
def test_a_tiktoken_that_would_download_is_recognized(code: str) -> None:
    assert not asks(code)


@pytest.mark.parametrize("code", STAYED.values(), ids=STAYED)
def test_a_tiktoken_that_finds_its_vocabulary_is_recognized(code: str) -> None:
    assert asks(code)


def test_a_tiktoken_that_would_download_is_never_called(unloaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import tiktoken
    import tiktoken_ext.openai_public as public

    monkeypatch.setitem(public.ENCODING_CONSTRUCTORS, "o200k_base", public.p50k_base)
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: pytest.fail("called"))
    with pytest.raises(NoTokenizer) as caught:
        tokenizer("o200k_base")
    assert "asks for another vocabulary than ptucalc has for o200k_base, and would download it" in str(caught.value)
    assert HERE in str(caught.value) and "install tiktoken 0.14.0 or a newer ptucalc" in str(caught.value)


# What text is


def test_the_library_is_named_with_its_version() -> None:
    from importlib.metadata import version

    assert {tokenizer(name).package for name in ENCODINGS} == {f"tiktoken {version('tiktoken')}"}
    assert [tokenizer(name).name for name in ENCODINGS] == list(ENCODINGS)


def test_a_published_example() -> None:
    # OpenAI's cookbook, "How to count tokens with tiktoken"
    assert tokenizer("cl100k_base").ids("tiktoken is great!") == [83, 1609, 5963, 374, 2294, 0]
    assert tokenizer("o200k_base").count("antidisestablishmentarianism") == 6
    assert tokenizer("cl100k_base").count("お誕生日おめでとう") == 9
    assert tokenizer("o200k_base").count("お誕生日おめでとう") == 8


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("special", ["<|endoftext|>", "<|endofprompt|>", "<|start|>", "<|fim_prefix|>"])
def test_special_text_is_text(name: str, special: str) -> None:
    found = tokenizer(name)
    assert found.count(special) >= 5
    assert found.ids(f"a{special}b")[0] == found.ids("a")[0]
    assert max(found.ids(special)) < 199_998


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_lone_surrogate_is_a_replacement_character(name: str) -> None:
    found = tokenizer(name)
    assert found.ids("a\ud800b") == found.ids("a\ufffdb")


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("character", ["a", " ", "^", "\n", "的", "\t", "é", "1", "/"])
def test_a_hundred_thousand_of_one_character_do_not_hang(name: str, character: str) -> None:
    tokenizer(name)
    start = time.process_time()
    assert 0 < tokenizer(name).count(character * 100_000) <= 100_000
    assert time.process_time() - start < 2  # it takes some hundredths


def test_a_text_that_tiktoken_gives_up_on_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoTokenizer) as caught:
        tokenizer("o200k_base").count(" " * 1_000_000)
    assert str(caught.value) == (
        "tiktoken gave up on a text of 1,000,000 characters: expected a text without a very long run of white space; "
        "shorten that; or count with --approx, an estimate that needs no vocabulary"
    )
    capfd.readouterr()  # tiktoken tells of it too


def test_ctrl_c_is_not_taken_for_a_panic() -> None:
    def interrupted(text: str) -> list[int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encodings.Tokenizer("any", "any", interrupted).count("text")


@given(st.text(max_size=200), st.sampled_from(sorted(ENCODINGS)))
@settings(max_examples=60, deadline=None)
def test_the_count_is_that_of_bare_tiktoken(text: str, name: str) -> None:
    import tiktoken

    tokenizer(name)
    bare = tiktoken.get_encoding(name).encode(text, disallowed_special=())
    assert tokenizer(name).ids(text) == bare and tokenizer(name).count(text) == len(bare)


# The catalog's encodings


def test_the_catalogs_verified_encodings_are_those_of_tiktokens_own_map() -> None:
    from tiktoken.model import encoding_name_for_model

    said = {model.name: model.encoding for model in load_catalog()}
    verified = {name: e.name for name, e in said.items() if isinstance(e, Encoding) and e.verified}
    assert verified == {name: encoding_name_for_model(name) for name in verified}
    # 18 of the latest table, 4 of the previous ones, 2 gpt-oss, 3 of GPT-4 and 3.5, 2 of o1
    assert len(verified) == 18 + 4 + 2 + 3 + 2


def test_what_tiktokens_own_map_does_not_name_is_unknown_with_a_reason() -> None:
    from tiktoken.model import encoding_name_for_model

    for model in load_catalog():
        if isinstance(model.encoding, Unknown):
            assert model.encoding.reason
            with pytest.raises(KeyError):
                encoding_name_for_model(model.name)


def test_every_encoding_of_the_catalog_can_be_counted_with() -> None:
    assert {m.encoding.name for m in load_catalog() if isinstance(m.encoding, Encoding)} == set(ENCODINGS)

"""The vocabularies in the package are OpenAI's files, and reach a folder where tiktoken finds them, whatever is there."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.read import user_folders as folders
from ptucalc.read import vocabulary as reader
from ptucalc.read.user_folders import user_cache
from ptucalc.read.vocabulary import (
    VOCABULARIES,
    NoTokenizer,
    Vocabulary,
    main,
    pack,
    packed_bytes,
    unpack,
    vocabulary_folder,
)

CL100K, O200K = VOCABULARIES["cl100k_base"], VOCABULARIES["o200k_base"]
TINY_FILE = b"IQ== 0\nIiM= 1\n"  # "!" and '"#'
TINY = Vocabulary("tiny", "https://example.org/tiny.tiktoken", hashlib.sha256(TINY_FILE).hexdigest(), len(TINY_FILE))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the user's, no cache folder of tiktoken's named, and TINY as what the package carries."""
    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(reader, "packed_bytes", lambda vocabulary: pack(TINY_FILE))
    return tmp_path / "cache" / "ptucalc" / "tiktoken"


def folder() -> tuple[Path, bytes]:
    """Which folder tiktoken is sent to, and what it finds there."""
    with vocabulary_folder(TINY) as found:
        return found, (found / TINY.cache_name).read_bytes()


def put(place: Path, data: bytes = TINY_FILE) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / TINY.cache_name).write_bytes(data)
    return place


# What the package carries


@pytest.mark.parametrize(
    ("vocabulary", "sha256", "length", "cache_name"),
    [  # as measured with tiktoken 0.14.0
        (
            O200K,
            "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
            3_613_922,
            "fb374d419588a4632f3f557e76b4b70aebbca790",
        ),
        (
            CL100K,
            "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
            1_681_126,
            "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_packed_file_is_openais_to_the_byte(
    vocabulary: Vocabulary, sha256: str, length: int, cache_name: str
) -> None:
    data = unpack(packed_bytes(vocabulary), vocabulary)
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (sha256, length)
    assert vocabulary.cache_name == cache_name


def test_the_packed_files_are_small_and_come_with_a_notice() -> None:
    sizes = {
        path.name: path.stat().st_size for path in (Path(reader.__file__).parents[1] / "data/vocabulary").iterdir()
    }
    assert set(sizes) == {"NOTICE", "cl100k_base.bin.xz", "o200k_base.bin.xz"}
    assert sum(sizes.values()) < 1_250_000


# Packing


def test_a_packed_file_is_lengths_a_zero_and_tokens() -> None:
    import lzma

    assert lzma.decompress(pack(TINY_FILE)) == b'\x01\x02\0!"#'
    assert unpack(pack(TINY_FILE), TINY) == TINY_FILE


@given(st.lists(st.binary(min_size=1, max_size=255), max_size=20))
def test_whatever_is_packed_comes_back(tokens: list[bytes]) -> None:
    from base64 import b64encode

    data = b"".join(b64encode(token) + b" " + str(rank).encode() + b"\n" for rank, token in enumerate(tokens))
    assert unpack(pack(data), Vocabulary("any", "", hashlib.sha256(data).hexdigest(), len(data))) == data


@pytest.mark.parametrize("line", [b"IQ== 1\n", b" 0\n", b"IQ= 0\n", b"I!Q== 0\n"])
def test_a_file_that_is_no_line_for_each_rank_is_not_packed(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"rank|unpack|padding|base64|Only base64"):
        pack(line)


@pytest.mark.parametrize("length", [255, 256])
def test_a_token_has_at_most_255_bytes(length: int) -> None:
    from base64 import b64encode

    data = b64encode(b"x" * length) + b" 0\n"
    if length == 256:
        with pytest.raises(ValueError, match="a token of 1 to 255 bytes"):
            pack(data)
    else:
        assert pack(data)


@pytest.mark.parametrize(
    ("packed", "found"),
    [
        (b"", "another SHA-256 sum"),
        (b"not xz at all", "Input format not supported by decoder"),
        (pack(TINY_FILE)[:30], "another SHA-256 sum"),
        (pack(b"IQ== 0\nIiQ= 1\n"), "another SHA-256 sum"),
    ],
)
def test_a_damaged_packed_file_is_told_with_the_way_out(packed: bytes, found: str) -> None:
    with pytest.raises(NoTokenizer, match=rf"^ptucalc's own file of the vocabulary tiny .*({found})") as caught:
        unpack(packed, TINY)
    assert "pip install --force-reinstall ptucalc" in str(caught.value) and "--approx" in str(caught.value)


def test_a_file_that_swells_is_cut_off_at_the_length_it_should_have() -> None:
    import lzma
    import tracemalloc

    bomb = lzma.compress(b"\1" * 50_000_000)
    tracemalloc.start()
    with pytest.raises(NoTokenizer):
        unpack(bomb, TINY)
    assert tracemalloc.get_traced_memory()[1] < 15_000_000  # 8 MB of which is what the file asks for to look back
    tracemalloc.stop()


def test_a_missing_packed_file_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reader, "files", lambda package: tmp_path)
    with pytest.raises(NoTokenizer, match="got: No such file or directory; install ptucalc again"):
        packed_bytes(TINY)


def test_a_python_without_lzma_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lzma", None)
    with pytest.raises(NoTokenizer, match="a Python that was built without lzma"):
        unpack(b"", TINY)


def test_packing_anew_takes_openais_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    target = tmp_path / "data" / "vocabulary"
    target.mkdir(parents=True)
    monkeypatch.setattr(reader, "files", lambda package: tmp_path)
    monkeypatch.setattr(reader, "VOCABULARIES", {"tiny": TINY})
    (tmp_path / "tiny.tiktoken").write_bytes(TINY_FILE)
    main([str(tmp_path / "tiny.tiktoken")])
    assert unpack((target / "tiny.bin.xz").read_bytes(), TINY) == TINY_FILE
    assert capsys.readouterr().out.endswith("bytes packed, 14 as OpenAI has them\n")
    (tmp_path / "tiny.tiktoken").write_bytes(TINY_FILE[:7])
    with pytest.raises(SystemExit, match="not the file with the SHA-256 sum"):
        main([str(tmp_path / "tiny.tiktoken")])


# Where tiktoken finds it


def test_a_cold_cache_is_filled_and_a_warm_one_left_alone(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folder() == (cache, TINY_FILE)
    assert [path.name for path in cache.iterdir()] == [TINY.cache_name]
    before = (cache / TINY.cache_name).stat()
    monkeypatch.setattr(reader, "packed_bytes", lambda vocabulary: pytest.fail("unpacked again"))
    assert folder() == (cache, TINY_FILE)
    after = (cache / TINY.cache_name).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions there")
def test_the_file_is_as_readable_as_the_user_lets_files_be(cache: Path) -> None:
    before = os.umask(0o022)
    try:
        folder()
    finally:
        os.umask(before)
    assert stat.S_IMODE((cache / TINY.cache_name).stat().st_mode) == 0o644


@pytest.mark.parametrize("damaged", [b"", TINY_FILE[:-1], TINY_FILE.replace(b"IQ", b"IA"), TINY_FILE * 2])
def test_a_damaged_file_is_mended(cache: Path, damaged: bytes) -> None:
    put(cache, damaged)
    assert folder() == (cache, TINY_FILE)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes there")
def test_a_pipe_of_that_name_is_not_waited_for(cache: Path) -> None:
    cache.mkdir(parents=True)
    os.mkfifo(cache / TINY.cache_name)
    assert folder() == (cache, TINY_FILE)


def test_a_folder_of_that_name_is_no_end(cache: Path) -> None:
    (cache / TINY.cache_name).mkdir(parents=True)
    found, data = folder()
    assert data == TINY_FILE and found != cache
    assert [path.name for path in cache.iterdir()] == [TINY.cache_name]


def test_a_cache_that_cannot_be_written_gives_way_to_a_temporary_folder_that_goes(cache: Path) -> None:
    cache.parent.parent.mkdir()
    cache.parent.write_text("a file where the folder would be")
    found, data = folder()
    assert data == TINY_FILE and cache not in found.parents and not found.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_cache_gives_way_too(cache: Path) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o500)
    found, data = folder()
    cache.chmod(0o700)
    assert data == TINY_FILE and found != cache


def test_a_user_without_a_home_gets_a_temporary_folder(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "user_cache", lambda part: None)
    found, data = folder()
    assert data == TINY_FILE and not found.exists()


def test_nowhere_to_write_says_what_to_set(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_folder(**_: object) -> None:
        raise FileNotFoundError("no usable temporary directory")

    cache.parent.parent.mkdir()
    cache.parent.write_text("a file where the folder would be")
    monkeypatch.setattr(reader, "TemporaryDirectory", no_folder)
    with pytest.raises(NoTokenizer) as caught, vocabulary_folder(TINY):
        pass
    assert str(caught.value) == (
        f"the vocabulary tiny (14 bytes) can be written nowhere: expected {cache} or a temporary folder that can be "
        "written, got: no usable temporary directory; set XDG_CACHE_HOME (Windows: LOCALAPPDATA) or TMPDIR to one; "
        "or count with --approx, an estimate that needs no vocabulary"
    )


def test_a_temporary_folder_that_is_full_says_what_to_set(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_put", lambda *_: False)
    with pytest.raises(NoTokenizer, match="can be written nowhere"), vocabulary_folder(TINY):
        pass


@pytest.mark.parametrize("name", ["TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"])
def test_the_users_own_folder_is_used_where_its_file_is_whole(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(put(tmp_path / "own")))
    assert folder() == (tmp_path / "own", TINY_FILE)
    assert not cache.exists()


def test_tiktokens_own_variable_goes_first(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_GYM_CACHE_DIR", str(put(tmp_path / "second")))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(put(tmp_path / "first")))
    assert folder()[0] == tmp_path / "first"
    put(tmp_path / "first", b"damaged")
    assert folder()[0] == tmp_path / "second"


@pytest.mark.parametrize("own", ["damaged", "empty", "absent", "none"])
def test_nothing_is_written_to_the_users_own_folder(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str
) -> None:
    place = tmp_path / "own"
    if own == "damaged":
        put(place, b"damaged")
    elif own == "empty":
        place.mkdir()
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "" if own == "none" else str(place))
    assert folder() == (cache, TINY_FILE)
    assert own == "damaged" or not place.exists() or not list(place.iterdir())
    assert own != "damaged" or (place / TINY.cache_name).read_bytes() == b"damaged"


def test_no_cache_folder_is_not_the_current_one(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(put(tmp_path / "here"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")  # tiktoken takes that for none
    assert folder()[0] == cache


def test_several_at_once_find_it_and_leave_nothing_behind(cache: Path) -> None:
    with ExitStack() as stack:
        found = {stack.enter_context(vocabulary_folder(TINY)) for _ in range(3)}
    assert found == {cache} and len(list(cache.iterdir())) == 1


def test_a_file_in_use_is_replaced_a_moment_later(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals, replace = [PermissionError(), PermissionError()], os.replace
    monkeypatch.setattr(reader.time, "sleep", lambda _: None)
    monkeypatch.setattr(reader.os, "replace", lambda *paths: (refusals and _raise(refusals.pop())) or replace(*paths))
    assert folder() == (cache, TINY_FILE)
    assert not refusals


def test_a_file_in_use_that_another_process_made_whole_is_used(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(ours: Path, theirs: Path) -> None:
        theirs.write_bytes(TINY_FILE)
        raise PermissionError

    monkeypatch.setattr(reader.time, "sleep", lambda _: None)
    monkeypatch.setattr(reader.os, "replace", refuse)
    assert folder() == (cache, TINY_FILE)
    assert [path.name for path in cache.iterdir()] == [TINY.cache_name]


def _raise(error: Exception) -> None:
    raise error


# The user's cache


@pytest.mark.parametrize(
    ("platform", "given", "expected"),
    [
        ("linux", {}, "home/.cache"),
        ("linux", {"XDG_CACHE_HOME": "/else"}, "/else"),
        ("linux", {"XDG_CACHE_HOME": ""}, "home/.cache"),
        ("linux", {"XDG_CACHE_HOME": "not/absolute"}, "home/.cache"),
        ("darwin", {}, "home/Library/Caches"),
        ("darwin", {"XDG_CACHE_HOME": "/else"}, "/else"),
        ("win32", {}, "home/AppData/Local"),
        ("win32", {"LOCALAPPDATA": "/local", "XDG_CACHE_HOME": "/else"}, "/local"),
    ],
)
def test_each_system_has_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, given: dict[str, str], expected: str
) -> None:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(folders.sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    assert user_cache("part") == tmp_path / expected / "ptucalc" / "part"


def test_without_a_home_there_is_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert user_cache("part") is None

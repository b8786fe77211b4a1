"""Sizes read from the bytes of images: files made by an image library, and headers written by hand."""

from __future__ import annotations

import io
import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc.image_size import ImageSize, size_of, size_of_data_url

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + b"\x08\x02\x00\x00\x00"
GIF = b"GIF89a" + struct.pack("<HH", 320, 200) + b"\x00\x00\x00"
FRAME = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, 480, 640, 1) + b"\x01\x11\x00"
THUMBNAIL = (
    b"\xff\xe1" + struct.pack(">H", 2 + 4 + len(FRAME)) + b"Exif" + FRAME.replace(struct.pack(">H", 640), b"\0\x10")
)
JPEG = b"\xff\xd8" + THUMBNAIL + FRAME
LOSSY = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\x50\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 640 | 1 << 14, 480 | 2 << 14)
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 639 | 479 << 14 | 1 << 28)
EXTENDED = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")


def test_a_png_states_its_size_in_its_first_chunk() -> None:
    assert size_of(PNG) == (640, 480)


def test_a_gif_states_its_canvas() -> None:
    assert size_of(GIF) == size_of(GIF.replace(b"89a", b"87a")) == (320, 200)


def test_a_jpeg_states_its_size_in_its_frame_and_not_in_its_thumbnail() -> None:
    assert size_of(JPEG) == (640, 480)


@pytest.mark.parametrize("marker", [0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCF])
def test_every_kind_of_jpeg_frame_states_it(marker: int) -> None:
    assert size_of(
        JPEG.replace(b"\xff\xc0\x00\x0b\x08\x01\xe0\x02", bytes([0xFF, marker]) + b"\x00\x0b\x08\x01\xe0\x02")
    )


@pytest.mark.parametrize("marker", [0xC4, 0xC8, 0xCC])
def test_tables_of_a_jpeg_are_no_frames(marker: int) -> None:
    table = bytes([0xFF, marker]) + struct.pack(">H", 9) + b"\x08\x00\x01\x00\x01\x01\x00"
    assert size_of(b"\xff\xd8" + table + FRAME) == (640, 480)


def test_fill_and_markers_without_length_are_passed_over_in_a_jpeg() -> None:
    assert size_of(b"\xff\xd8\xff\xff\xff\xff\x01\xff\xd0" + FRAME) == (640, 480)


@pytest.mark.parametrize("data", [LOSSY, LOSSLESS, EXTENDED])
def test_each_kind_of_webp_states_its_size(data: bytes) -> None:
    assert size_of(data) == (640, 480)


@pytest.mark.parametrize("data", [PNG[:24], GIF[:10], JPEG[:-4], LOSSY, LOSSLESS, EXTENDED])
def test_an_image_that_is_cut_off_within_its_size_is_refused(data: bytes) -> None:
    assert size_of(data)
    for end in range(len(data)):
        with pytest.raises(ValueError, match="the whole of a PNG, JPEG, GIF or WebP image"):
            size_of(data[:end])


def test_an_image_without_height_is_refused() -> None:
    with pytest.raises(ValueError, match="the whole"):
        size_of(JPEG.replace(struct.pack(">HH", 480, 640), struct.pack(">HH", 0, 640)))


def test_another_format_is_refused() -> None:
    for data in (b"BM" + bytes(60), b"<svg/>", b"%PDF-1.7", b"RIFF\0\0\0\0WAVEfmt " + bytes(30)):
        with pytest.raises(ValueError, match="the whole"):
            size_of(data)


@given(st.binary(max_size=80), st.sampled_from([b"", b"\xff\xd8", b"RIFF\0\0\0\0WEBP", PNG[:8], b"GIF89a"]))
def test_no_bytes_do_more_than_be_refused(data: bytes, start: bytes) -> None:
    try:
        size = size_of(start + data)
    except ValueError:
        return
    assert min(size) >= 1


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
@pytest.mark.parametrize("size", [(1, 1), (37, 501), (1030, 3)])
def test_files_of_an_image_library_have_the_size_they_were_made_with(form: str, size: tuple[int, int]) -> None:
    image = pytest.importorskip("PIL.Image")
    for keys in (
        ({}, {"lossless": True}) if form == "WEBP" else ({}, {"progressive": True}) if form == "JPEG" else ({},)
    ):
        written = io.BytesIO()
        image.new("RGB", size, (9, 99, 199)).save(written, form, **keys)
        assert size_of(written.getvalue()) == size


# Bytes in a URL


def url(data: bytes, about: str = "data:image/png;base64") -> str:
    return f"{about},{b64encode(data).decode()}"


def test_the_bytes_of_a_data_url_state_the_size_whatever_it_says_of_its_type() -> None:
    assert size_of_data_url(url(PNG)) == size_of_data_url(url(PNG, "DATA:image/jpeg;BASE64")) == (640, 480)


def test_a_data_url_may_be_broken_into_lines() -> None:
    text = url(PNG)
    assert size_of_data_url(text[:40] + "\n" + text[40:] + "\n") == (640, 480)


@pytest.mark.parametrize("text", ["data:image/png;base64", "data:image/png,%89PNG", "data:,"])
def test_a_data_url_without_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="data:image/png;base64, and the bytes"):
        size_of_data_url(text)


@pytest.mark.parametrize("text", ["!!!!", "abc", "é"])
def test_broken_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="in base64"):
        size_of_data_url(f"data:image/png;base64,{text}")


# Sizes as written


def test_a_size_is_written_as_width_x_height() -> None:
    assert ImageSize.parse("1024x768") == ImageSize.parse(" 1024 X 768 ") == ImageSize.parse("1024×768") == (1024, 768)
    assert str(ImageSize(1024, 768)) == "1024 x 768"


@pytest.mark.parametrize("text", ["", "1024", "1024x", "0x5", "5x0", "-1x5", "1.5x2", "1000000x1", "1x2x3", "٣x٤"])
def test_another_text_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="such as 1024x768"):
        ImageSize.parse(text)

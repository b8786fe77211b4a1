"""Tokens of messages: roles, names, texts, images, calls of functions, as chat and Responses bodies hold them.

Source of the formula: OpenAI cookbook, "How to count tokens with tiktoken", part 6: each message has a frame of a few
tokens, the tokens of its role, content and name, and one more for a name. What it does not cover is an estimate.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from ptucalc.catalog import Unknown
from ptucalc.image_size import ImageSize, size_of_data_url
from ptucalc.image_tokens import AUTO, image_tokens, needs_size
from ptucalc.token_parts import PartTokens, Piece, Tally, told

__all__ = ["Frame", "count_call", "count_content", "count_message", "count_reply"]

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")

_TEXT_PARTS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
"""Parts of a content that are text, and under which key they have it."""

_NOT_COUNTABLE = {
    "input_audio": "text or an image: the tokens of audio cannot be counted here",
    "audio": "text or an image: the tokens of audio cannot be counted here",
    "file": "text or an image: the tokens of a file cannot be counted here, put in its text",
    "input_file": "text or an image: the tokens of a file cannot be counted here, put in its text",
}


_NOTHING: array[int] = array("I")
"""The tokens of no text; it is replaced and never added to."""


class Frame:
    """One message while it is counted: its tokens so far, what is not covered by the published formula."""

    def __init__(self, tally: Tally, path: str, role: str, name: str = "", *, published: bool) -> None:
        """`published`: the formula covers such a message; `role` and `name` are counted."""
        rule = tally.counting.rules.messages
        self.tally = tally
        self.path = path
        self.role = role
        self.frame = rule.tokens_per_message + tally.counting.count_name(role)
        self.frame += rule.tokens_per_name + tally.counting.count_name(name) if name else 0
        self.ids = _NOTHING
        self.estimates: list[str] = [] if published else ["nothing is published about Responses bodies"]
        self.images: list[PartTokens] = []
        self.pieces: list[Piece] = []
        self._tokens = 0
        self._key = f"{role}\0{name}"

    def text(self, text: str) -> None:
        """Counts a text of the message."""
        ids = self.tally.ids(text)
        if self.ids:
            self.ids.extend(ids)
        else:
            self.ids = ids

    def more(self, tokens: int) -> None:
        """Counts tokens of a frame within the message. The beginnings of two prompts agree over it if the calls are alike."""
        self._cut(f"{self.role} more")
        self.frame = tokens

    def estimate(self, why: str) -> None:
        """Notes that the published formula does not cover something of the message."""
        if why not in self.estimates:
            self.estimates.append(why)

    def image(self, part: PartTokens, key: str) -> None:
        """Counts an image in its place."""
        self._cut(f"{self.role} after an image")
        self.images.append(part)
        self.pieces.append(Piece(key, part.tokens, _NOTHING))

    def close(self) -> None:
        """Hands the message's parts to the request."""
        self._cut("")
        rule = self.tally.counting.rules.messages
        basis = self.tally.counting.basis(rule.published_for, covered=not self.estimates)
        why = "; ".join(self.estimates)
        self.tally.add(PartTokens(self.path, self.role, self._tokens, basis, why, why=why))
        for image in self.images:
            self.tally.add(image)
        self.tally.pieces += self.pieces

    def _cut(self, next_key: str) -> None:
        piece = Piece(self._key, self.frame, self.ids)
        if piece.tokens:
            self.pieces.append(piece)
            self._tokens += piece.tokens
        self._key, self.frame, self.ids = next_key, 0, _NOTHING


def count_reply(tally: Tally, *, published: bool) -> None:
    """Counts the tokens that begin the reply, once, after the last message."""
    rule = tally.counting.rules.messages
    basis = tally.counting.basis(rule.published_for, covered=published)
    tally.parts.append(PartTokens("reply", "", rule.tokens_for_reply, basis, "begins the answer"))
    tally.pieces.append(Piece("reply", rule.tokens_for_reply, _NOTHING))


def count_message(tally: Tally, value: Any, path: str, *, published: bool) -> None:
    """Counts a message of a chat or Responses body. `published`: the formula is about such bodies."""
    message = tally.mapping(value, path, "a message: an object with role and content")
    if message is None:
        return
    role = message.get("role")
    if role not in _ROLES:
        tally.problem(f"{path}.role", "" if role is None else role, f"{', '.join(_ROLES[:-1])} or {_ROLES[-1]}")
        role = ""
    name = message.get("name")
    name = "" if name is None else tally.text(name, f"{path}.name")
    frame = Frame(tally, path, role, name, published=published)
    if published and role in ("tool", "function"):
        frame.estimate("the formula does not cover what a tool answers")
    if message.get("audio") is not None:
        tally.problem(f"{path}.audio", message["audio"], _NOT_COUNTABLE["audio"])
    elif message.get("content") is not None or not _says_more(message):
        count_content(frame, message.get("content"), f"{path}.content")
    if message.get("refusal") is not None:
        frame.estimate("the formula does not cover a refusal")
        frame.text(tally.text(message["refusal"], f"{path}.refusal"))
    _count_calls(frame, message, path)
    frame.close()


def _says_more(message: Mapping[str, Any]) -> bool:
    """Whether a message may go without a content."""
    return bool(message.get("tool_calls")) or any(message.get(key) is not None for key in ("refusal", "function_call"))


def count_content(frame: Frame, content: Any, path: str) -> None:
    """Counts text, or a list of parts: texts and images."""
    tally = frame.tally
    if isinstance(content, str):
        frame.text(content)
        return
    if not isinstance(content, Sequence):
        tally.problem(path, "" if content is None else content, "text, or a list of parts")
        return
    texts = 0
    for index, value in enumerate(content):
        where = f"{path}[{index}]"
        part = tally.mapping(value, where, "a part: an object with a type")
        if part is None:
            continue
        kind = part.get("type")
        if isinstance(kind, str) and kind in _TEXT_PARTS:
            texts += 1
            key = _TEXT_PARTS[kind]
            frame.text(tally.text(part.get(key), f"{where}.{key}"))
            if kind == "refusal":
                frame.estimate("the formula does not cover a refusal")
        elif kind in ("image_url", "input_image"):
            _count_image(frame, part, where)
        elif isinstance(kind, str) and kind in _NOT_COUNTABLE:
            tally.problem(where, kind, _NOT_COUNTABLE[kind])
        else:
            tally.problem(
                f"{where}.type", "" if kind is None else kind, "a part of a type known here: text or an image"
            )
    if texts > 1:
        frame.estimate("how several texts of a message are joined is not published")


def _count_calls(frame: Frame, message: Mapping[str, Any], path: str) -> None:
    """Counts the calls that an assistant's message makes."""
    calls = message.get("tool_calls")
    if calls is not None and (isinstance(calls, str) or not isinstance(calls, Sequence)):
        frame.tally.problem(f"{path}.tool_calls", calls, "a list of calls")
        calls = None
    for index, value in enumerate(calls or ()):
        where = f"{path}.tool_calls[{index}]"
        call = frame.tally.mapping(value, where, "a call: an object with a function")
        if call is not None:
            kind = "custom" if call.get("type") == "custom" else "function"
            _count_call(frame, call.get(kind), f"{where}.{kind}")
    if message.get("function_call") is not None:
        _count_call(frame, message["function_call"], f"{path}.function_call")


def _count_call(frame: Frame, value: Any, path: str) -> None:
    call = frame.tally.mapping(value, path, "an object with name and arguments")
    if call is not None:
        key = "input" if "input" in call else "arguments"
        name = frame.tally.text(call.get("name"), f"{path}.name")
        count_call(frame, name, frame.tally.text(call.get(key), f"{path}.{key}"))


def count_call(frame: Frame, name: str, arguments: str) -> None:
    """Counts a call that the model made earlier: a frame, the function's name, the arguments. An estimate."""
    frame.estimate("how calls are written is not published")
    frame.more(frame.tally.counting.rules.tool_calls.tokens_per_call)
    frame.text(name)
    frame.text(arguments)


def _count_image(frame: Frame, part: Mapping[str, Any], path: str) -> None:
    tally, counting = frame.tally, frame.tally.counting
    place, image = f"{path}.image_url", part.get("image_url")
    detail, detail_at = part.get("detail"), f"{path}.detail"
    if isinstance(image, Mapping):
        detail, detail_at = image.get("detail", detail), f"{place}.detail"
        place, image = f"{place}.url", image.get("url")
    if image is None and part.get("file_id") is not None:
        place, image = f"{path}.file_id", part["file_id"]
    if not isinstance(image, str) or not image:
        tally.problem(place, "" if image is None else image, "the URL of an image")
        return
    detail = AUTO if detail is None else detail
    if not isinstance(detail, str):
        tally.problem(detail_at, detail, "a level of detail: low, high or auto")
        return
    rule = counting.images
    if isinstance(rule, Unknown):
        tally.problem(path, "an image", f"text only: {rule.reason}")
        return
    estimated = counting.encoding is None or counting.image_size is not None
    try:
        counted = image_tokens(rule, counting.rules.images, detail, ImageSize(1, 1), estimated=estimated)
    except ValueError as error:
        tally.problem(detail_at, detail, str(error))
        return
    note = ""
    if needs_size(rule, detail):
        size = _image_size(frame, image, place)
        if size is None:
            return
        counted = image_tokens(rule, counting.rules.images, detail, size, estimated=estimated)
        note = "" if _has_bytes(image) else "size as given"
    note = "; ".join(filter(None, (counted.note, note, counted.why)))
    found = PartTokens(path, frame.role, counted.tokens, counted.basis, note, is_image=True, why=counted.why)
    frame.image(found, f"image\0{detail}\0{sha256(image.encode('utf-8', 'surrogatepass')).hexdigest()}")


def _has_bytes(image: str) -> bool:
    return image[:5].casefold() == "data:"


def _image_size(frame: Frame, image: str, path: str) -> ImageSize | None:
    """The size that the bytes state where they are here, else the one given for such images; otherwise a problem."""
    if _has_bytes(image):
        try:
            return size_of_data_url(image)
        except ValueError as error:
            frame.tally.problem(path, f"{told(image)[:24]}...", str(error))
            return None
    if frame.tally.counting.image_size is None:
        expected = "an image whose bytes are here (a data: URL), or the size of the others: --image-size 1024x768"
        frame.tally.problem(path, image, expected)
    return frame.tally.counting.image_size

"""Any text as a string of another language (POSIX shell, Bicep, Terraform's HCL), and as a name of a resource there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection

__all__ = ["bicep_string", "comment_text", "hcl_string", "identifier", "shell_option", "shell_word"]


def shell_word(text: str) -> str:
    """One word of a POSIX shell.

    >>> print(shell_word("gpt-4.1"), shell_word("it's $(here)"))
    gpt-4.1 'it'"'"'s $(here)'
    """
    return shlex.quote(text)


def shell_option(flag: str, text: str) -> str:
    """A flag and its value; --flag=value where the value would look like a flag itself.

    >>> shell_option("--name", "chat"), shell_option("--name", "-x y")
    ('--name chat', "--name='-x y'")
    """
    return f"{flag}={shell_word(text)}" if text.startswith("-") else f"{flag} {shell_word(text)}"


def bicep_string(text: str) -> str:
    """A string of Bicep: '\\\\' is escaped, and so are quotes, interpolation and what is not shown.

    >>> print(bicep_string("it's ${here}"))
    'it\\'s \\${here}'
    """
    named = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    escaped = "".join(named.get(c) or (c if c.isprintable() else f"\\u{{{ord(c):x}}}") for c in text)
    return "'" + escaped.replace("${", "\\${") + "'"


def hcl_string(text: str) -> str:
    """A string of Terraform's HCL: quotes and backslashes are escaped, and so are templates and what is not shown.

    >>> print(hcl_string('say "${here}" %{if}'))
    "say \\"\\u0024{here}\\" \\u0025{if}"
    """
    named = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

    def one(c: str) -> str:
        if c in named or c.isprintable():
            return named.get(c, c)
        return f"\\u{ord(c):04x}" if ord(c) <= 0xFFFF else f"\\U{ord(c):08x}"

    escaped = "".join(map(one, text))
    # $${ would do for ${, but not after another $
    return '"' + escaped.replace("${", "\\u0024{").replace("%{", "\\u0025{") + '"'


def identifier(text: str, taken: Collection[str] = ()) -> str:
    """The text as a name that Bicep and Terraform take: ASCII letters, digits and _, not in `taken`.

    >>> identifier("gpt-4.1"), identifier("4o"), identifier("ü"), identifier("chat", {"chat"})
    ('gpt_4_1', 'deployment_4o', 'deployment', 'chat_2')
    """
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:60].rstrip("_")
    if not name or not name[0].isalpha():
        name = f"deployment_{name}".rstrip("_")
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def comment_text(text: str) -> str:
    """The text on one line, fit for a comment: what would end the line, or is not shown, is written out."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)

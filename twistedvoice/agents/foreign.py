# -*- test-case-name: tests.agents.test_foreign -*-
"""Messages of services elsewhere, read without trusting them.

Whatever stands in one, reading it fails in a way that its reader expects: a message
that is none must not end a call. Knows no service.
"""

from __future__ import annotations

__all__ = ["UNREADABLE", "code_of", "text_of"]

#: All that taking a message apart may raise: fields that are missing or of another
#: type, numbers that are none or too large, text that is no JSON or nested too deeply.
UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


_MOST_CODE_CHARACTERS = 40


def code_of(value: object) -> str:
    """:returns: a code, for the log; nothing for what is none, and may be words."""
    is_code = isinstance(value, str | int)
    return str(value)[:_MOST_CODE_CHARACTERS] if is_code else ""


def text_of(value: object) -> str:
    """
    :returns: ``value``, which is text.
    :raises TypeError: when it is anything else.
    """
    if not isinstance(value, str):
        raise TypeError
    return value

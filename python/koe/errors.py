# SPDX-License-Identifier: Apache-2.0
"""Errors: one class for each code of docs/errors.md, and Python's own class as a second base where it has one."""


class KoeError(Exception):
    """Any error of the engine. ``code`` is the number shared with C++, C and the command line's table."""

    code: int = 0


class InvalidArgumentError(KoeError, ValueError):
    """A value is outside what is allowed: text, voice, speed, an option."""

    code = 1


class NotFoundError(KoeError, FileNotFoundError):
    """A file, bundle or named item does not exist."""

    code = 2


class CorruptBundleError(KoeError):
    """A file exists and is not what it must be."""

    code = 3


class UnsupportedError(KoeError):
    """Well formed, but this build or machine cannot do it."""

    code = 4


class TooLongError(KoeError, ValueError):
    """The input exceeds a limit, which the message names."""

    code = 5


class FileError(KoeError, OSError):
    """Reading or writing failed."""

    code = 6


class OutOfMemoryError(KoeError, MemoryError):
    """There is not enough memory for this input."""

    code = 7


class CancelledError(KoeError):
    """The call was cancelled."""

    code = 8


class InternalError(KoeError):
    """A bug in Koe."""

    code = 9


_CLASSES = {kind.code: kind for kind in KoeError.__subclasses__()}


def from_code(code: int, message: str) -> KoeError:
    """The exception of that code."""
    return _CLASSES.get(code, InternalError)(message)

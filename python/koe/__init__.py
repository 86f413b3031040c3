# SPDX-License-Identifier: Apache-2.0
"""Koe: text to speech with Kokoro-82M, on the CPU.

>>> import koe
>>> engine = koe.Engine()                       # finds the bundle as the program does
>>> audio = engine.synthesize("Hello world.")
>>> audio.samples                               # numpy float32, 24,000 a second
>>> audio.save("hello.wav")
>>> for chunk in engine.stream("A long text."): play(chunk.samples)

Everything releases the GIL, one engine serves any number of threads, and Ctrl-C ends a running call. Offsets count
characters of the str that was given; times are seconds.
"""
from __future__ import annotations

import json
import os
import threading
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

import numpy as np

from . import _koe
from ._koe import (SAMPLE_RATE, Cancel, ChunkInfo, Lexicon, Phonemes, PreparedChunk, Sentence, Token, Voice, Word, WordInfo,
                   __version__)
from .errors import (CancelledError, CorruptBundleError, FileError, InternalError, InvalidArgumentError, KoeError, NotFoundError,
                     OutOfMemoryError, TooLongError, UnsupportedError)

__all__ = ["SAMPLE_RATE", "Audio", "Cancel", "CancelledError", "Chunk", "ChunkInfo", "CorruptBundleError", "Engine", "FileError",
           "InternalError", "InvalidArgumentError", "KoeError", "Lexicon", "NotFoundError", "OutOfMemoryError", "Pauses", "Phonemes",
           "PreparedChunk", "Sentence", "Stream", "Token", "TooLongError", "UnsupportedError", "Voice", "Word", "WordInfo",
           "__version__", "encode", "save"]

Path = Union[str, "os.PathLike[str]"]
LexiconLike = Union[Lexicon, Path, Dict[str, str], None]
Progress = Callable[[float, str, int, int], Any]


@dataclass(frozen=True)
class Pauses:
    """Seconds of silence at a cut; None: what the model speaks there."""

    word: Optional[float] = 0.03
    clause: Optional[float] = 0.15
    sentence: Optional[float] = None
    paragraph: Optional[float] = None


class Audio:
    """Speech with its times."""

    samples: np.ndarray
    """float32, mono, SAMPLE_RATE a second, nominally within [-1, 1]."""
    words: List[Word]
    """Words and punctuation marks, in order."""
    sentences: List[Sentence]
    chunks: List[ChunkInfo]
    unknown_words: int
    """How many words no dictionary has."""

    def __init__(self, text: str, values: Dict[str, Any]) -> None:
        self.text = text
        self.samples = values["samples"]
        self.words = values["words"]
        self.sentences = values["sentences"]
        self.chunks = values["chunks"]
        self.unknown_words = values["unknown_words"]
        self.wall_seconds: float = values["wall_seconds"]

    @property
    def sample_rate(self) -> int:
        return SAMPLE_RATE

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE

    def __iter__(self) -> Iterator[Any]:
        """``samples, sample_rate = engine.synthesize(...)``, as kokoro-onnx has it."""
        return iter((self.samples, SAMPLE_RATE))

    def save(self, path: Path, format: Optional[str] = None) -> None:
        """Writes wav, flac, mp3, ogg, opus or raw; by the ending of the name unless a format is given."""
        save(self.samples, path, format)

    def encode(self, format: str = "wav") -> bytes:
        """The same bytes in memory."""
        return encode(self.samples, format)

    def srt(self) -> str:
        """SubRip subtitles, a cue for each sentence."""
        return _koe.times("srt", self.text, self.words, self.sentences)

    def vtt(self) -> str:
        """WebVTT subtitles."""
        return _koe.times("vtt", self.text, self.words, self.sentences)

    def times(self) -> Dict[str, Any]:
        """Times of words and sentences, as ``koe say --times`` writes them."""
        return json.loads(_koe.times("json", self.text, self.words, self.sentences))

    def __repr__(self) -> str:
        return f"<koe.Audio: {self.seconds:.3f} s, {len(self.words)} words>"


@dataclass(frozen=True)
class Chunk:
    """A piece of a stream."""

    samples: np.ndarray
    words: List[Word]
    info: ChunkInfo
    first_sample: int
    is_last: bool


class Stream:
    """Audio while it is made: iterate over it. Made by ``Engine.stream``. Leaving a ``with`` block cancels."""

    def __init__(self, stream: _koe.Stream) -> None:
        self._stream = stream
        self._feeder_error: Optional[BaseException] = None

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __next__(self) -> Chunk:
        try:
            values = self._stream.next()
        except CancelledError:
            if self._feeder_error is None:
                raise
            raise self._feeder_error from None
        if values is None:
            raise StopIteration
        return Chunk(*values)

    def peek(self) -> Optional[Tuple[List[Word], ChunkInfo]]:
        """Words and length of the next chunk, before its audio is made; None after the last."""
        return self._stream.peek()

    def push(self, text: str) -> None:
        """More text, for a stream opened without one; cut anywhere."""
        self._stream.push(text)

    def finish(self) -> None:
        """No more text comes."""
        self._stream.finish()

    def cancel(self) -> None:
        """Ends the stream within 100 ms; the iteration raises CancelledError."""
        self._stream.cancel()

    def sentences(self) -> List[Sentence]:
        """Times of the sentences of the chunks so far."""
        return self._stream.sentences()

    def statistics(self) -> Dict[str, Any]:
        """num_chunks, num_samples, first_audio_seconds, wall_seconds, unknown_words."""
        return self._stream.statistics()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    def _feed(self, texts: Iterable[str]) -> None:
        try:
            for text in texts:
                self._stream.push(text)
            self._stream.finish()
        except BaseException as error:  # of the caller's iterable: raised where the audio is read
            self._feeder_error = error
            self._stream.cancel()


class Engine:
    """An open model bundle. Thread-safe; weights are loaded by the first call that needs them.

    bundle: a folder; None: as ``koe info`` finds it. threads: 0 for one on every processor. simd: scalar, avx2, avx512,
    neon; None for the best. unknown_words: default, neural, espeak or spell. precision: exact, fast or low-memory.
    max_memory: bytes that the model and one synthesis may take (long text is cut smaller; what does not fit even so is
    a TooLongError); 0 for any number. unload_after: seconds without a call after which the model is freed; 0 for
    never.
    """

    def __init__(self, bundle: Optional[Path] = None, *, threads: int = 0, simd: Optional[str] = None,
                 unknown_words: str = "default", verify_digests: bool = True, precision: str = "exact", max_memory: int = 0,
                 unload_after: float = 0) -> None:
        self._engine = _koe.Engine(os.fspath(bundle) if bundle is not None else "", threads, simd or "", unknown_words,
                                   verify_digests, precision, max_memory, unload_after)

    def synthesize(self, text: str, voice: str = "af_heart", speed: float = 1.0, *, cancel: Optional[Cancel] = None,
                   progress: Optional[Progress] = None, **options: Any) -> Audio:
        """Speaks text, all of it.

        voice: an id, or several with weights ("af_heart:0.7+bm_george:0.3"). speed: 0.25 to 4. progress: called with
        fraction, stage, chunk and number of chunks from another thread; what it raises ends the call.

        options: language ("en-us", "en-gb"), phonemes (True: the text is Kokoro's phoneme symbols), chunking
        ("sentences", "packed", "paragraph", "kokoro"), max_chunk_seconds, max_chunk_characters, lexicon (Lexicon, path
        or {word: phonemes}), seed, gain, blend ("linear", "spherical"), pauses (Pauses), markup, strict_markup.
        """
        return Audio(text, self._engine.synthesize(_text(text), _options(voice, speed, options), cancel, progress))

    def stream(self, text: Union[str, Iterable[str], None] = None, voice: str = "af_heart", speed: float = 1.0, *,
               first_audio: str = "fast", max_seconds_ahead: float = 60, cancel: Optional[Cancel] = None,
               **options: Any) -> Stream:
        """Speaks text chunk by chunk, as it is made.

        text: a str; an iterable of pieces, which a thread of its own reads (what a language model writes); None: it is
        pushed. first_audio: "fast" cuts the first chunks short, "natural" gives exactly the samples of ``synthesize``.
        Options as ``synthesize``.
        """
        arguments = _options(voice, speed, dict(options, first_audio=first_audio))
        whole = text if isinstance(text, str) else None
        stream = Stream(_koe.open_stream(self._engine, whole, arguments, cancel, max_seconds_ahead))
        if text is not None and not isinstance(text, str):
            threading.Thread(target=stream._feed, args=(text,), daemon=True, name="koe-feed").start()
        return stream

    def phonemize(self, text: str, language: str = "en-us", *, lexicon: LexiconLike = None,
                  cancel: Optional[Cancel] = None) -> Phonemes:
        """Phonemes of text, word by word. Needs no weights."""
        return self._engine.phonemize(_text(text), language, _lexicon(lexicon), cancel)

    def prepare(self, text: str, voice: str = "af_heart", speed: float = 1.0, *, cancel: Optional[Cancel] = None,
                **options: Any) -> List[PreparedChunk]:
        """The first half of ``synthesize``: chunks with phonemes, tokens and voice rows. Needs no weights."""
        return self._engine.prepare(_text(text), _options(voice, speed, options), cancel)

    def synthesize_prepared(self, chunks: Sequence[PreparedChunk], text: str = "", *, cancel: Optional[Cancel] = None,
                            progress: Optional[Progress] = None) -> Audio:
        """The second half. text: what the chunks were prepared from, for subtitles."""
        return Audio(text, self._engine.synthesize_prepared(list(chunks), cancel, progress))

    def prewarm(self, text: str = "", voice: str = "") -> None:
        """Loads the weights and speaks once, so that the next call runs at full speed."""
        self._engine.prewarm(text, voice)

    def unload(self) -> bool:
        """Frees the model; the next call loads it again. False while a call runs or where nothing is loaded."""
        return self._engine.unload()

    @property
    def voices(self) -> List[Voice]:
        return self._engine.voices()

    @property
    def info(self) -> Dict[str, Any]:
        """The bundle and the machine."""
        return self._engine.info()

    @property
    def diagnostics(self) -> Dict[str, Any]:
        """Counters, hashes and timings; never text."""
        return json.loads(self._engine.diagnostics())


def save(samples: Any, path: Path, format: Optional[str] = None) -> None:
    """Writes mono float samples of 24,000 Hz: wav, flac, mp3, ogg, opus or raw."""
    _koe.write_audio(samples, os.fspath(path), format)


def encode(samples: Any, format: str = "wav") -> bytes:
    """The same bytes in memory."""
    return _koe.encode_audio(samples, format)


def _text(given: str) -> str:
    if not isinstance(given, str):
        raise TypeError(f"text: must be a str, not {type(given).__name__}")
    return given


def _lexicon(given: LexiconLike) -> Optional[Lexicon]:
    if given is None or isinstance(given, Lexicon):
        return given
    if isinstance(given, dict):
        return Lexicon.parse("".join(f"{word}\t{phonemes}\n" for word, phonemes in given.items()), "lexicon")
    return Lexicon.load(os.fspath(given))


def _options(voice: str, speed: float, options: Dict[str, Any]) -> Dict[str, Any]:
    arguments = dict(options, voice=voice, speed=speed)
    if "lexicon" in arguments:
        arguments["lexicon"] = _lexicon(arguments["lexicon"])
    pauses = arguments.get("pauses")
    if isinstance(pauses, Pauses):
        arguments["pauses"] = [pauses.word, pauses.clause, pauses.sentence, pauses.paragraph]
    return arguments

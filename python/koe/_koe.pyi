# SPDX-License-Identifier: Apache-2.0
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

__version__: str
SAMPLE_RATE: int

class Cancel:
    def __init__(self) -> None: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...

class Lexicon:
    @staticmethod
    def parse(text: str, name: str = "lexicon") -> Lexicon: ...
    @staticmethod
    def load(path: str) -> Lexicon: ...
    def __len__(self) -> int: ...

class Word:
    text: str
    start: float
    end: float
    offset: int
    length: int
    byte_offset: int
    byte_length: int
    first_sample: int
    num_samples: int
    chunk: int
    sentence: int

class Sentence:
    start: float
    end: float
    offset: int
    length: int
    first_sample: int
    num_samples: int
    first_word: int
    num_words: int

class Token:
    id: int
    num_frames: int
    first_sample: int

class ChunkInfo:
    phonemes: str
    voice: str
    speed: float
    tokens: List[Token]
    dropped_symbols: int
    first_sample: int
    num_samples: int
    offset: int
    length: int

class WordInfo:
    text: str
    phonemes: str
    tag: str
    source: str
    confidence: float
    whitespace: str
    byte_offset: int
    byte_length: int

class Phonemes:
    phonemes: str
    words: List[WordInfo]
    unknown_words: int

class PreparedChunk:
    text: str
    phonemes: str
    token_ids: List[int]
    voice_row: np.ndarray
    voice: str
    speed: float
    gain: float
    seed: int
    estimated_seconds: float
    offset: int
    length: int

class Voice:
    id: str
    language: str
    gender: str

class Engine:
    def __init__(self, bundle: str, num_threads: int, simd: str, unknown_words: str, verify_digests: bool, precision: str,
                 max_memory_bytes: int, unload_after_seconds: float) -> None: ...
    def unload(self) -> bool: ...
    def synthesize(self, text: str, arguments: Dict[str, Any], cancel: Optional[Cancel], progress: Any) -> Dict[str, Any]: ...
    def prepare(self, text: str, arguments: Dict[str, Any], cancel: Optional[Cancel]) -> List[PreparedChunk]: ...
    def synthesize_prepared(self, chunks: Sequence[PreparedChunk], cancel: Optional[Cancel], progress: Any) -> Dict[str, Any]: ...
    def phonemize(self, text: str, language: str, lexicon: Optional[Lexicon], cancel: Optional[Cancel]) -> Phonemes: ...
    def prewarm(self, text: str, voice: str) -> None: ...
    def voices(self) -> List[Voice]: ...
    def info(self) -> Dict[str, Any]: ...
    def diagnostics(self) -> str: ...

class Stream:
    def next(self) -> Any: ...
    def peek(self) -> Any: ...
    def push(self, text: str) -> None: ...
    def finish(self) -> None: ...
    def cancel(self) -> None: ...
    def sentences(self) -> List[Sentence]: ...
    def statistics(self) -> Dict[str, Any]: ...

def open_stream(engine: Engine, text: Optional[str], arguments: Dict[str, Any], cancel: Optional[Cancel],
                max_seconds_ahead: float) -> Stream: ...
def times(format: str, text: str, words: Sequence[Word], sentences: Sequence[Sentence]) -> str: ...
def write_audio(samples: Any, path: str, format: Optional[str]) -> None: ...
def encode_audio(samples: Any, format: str) -> bytes: ...

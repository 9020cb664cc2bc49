"""Tokenizers of Holdfast: the classes and method names of the Python package `tokenizers`, exact to the last offset.

Normalizers, pre-tokenizers and decoders written in Python work by themselves and in training, not inside encode(). Not here: dropout.
"""

from enum import Enum

from . import decoders, models, normalizers, pre_tokenizers, processors, trainers
from ._core import digest
from ._encoding import Encoding
from ._normalized import NormalizedString, PreTokenizedString
from ._part import Regex
from ._tokenizer import AddedToken, Tokenizer
from .implementations import (
    BertWordPieceTokenizer,
    ByteLevelBPETokenizer,
    CharBPETokenizer,
    SentencePieceBPETokenizer,
    SentencePieceUnigramTokenizer,
)
from .models import Token

__version__ = "0.23.3+holdfast"


class SplitDelimiterBehavior(Enum):
    REMOVED = "removed"
    ISOLATED = "isolated"
    MERGED_WITH_PREVIOUS = "merged_with_previous"
    MERGED_WITH_NEXT = "merged_with_next"
    CONTIGUOUS = "contiguous"


class OffsetReferential(Enum):
    ORIGINAL = "original"
    NORMALIZED = "normalized"


class OffsetType(Enum):
    BYTE = "byte"
    CHAR = "char"

"""The codes of a column behind the hashes by which CatBoost knows its categories.

CatBoost takes the low 32 bits of CityHash64 of a category's text (version 1 of the hash, Pike and
Alakuijala 2011, https://github.com/google/cityhash). Code 7 is the category "7" here, and a missing
value the category "nan", which is what `str` makes of both. A model holds hashes only, so codes are
hashed until all that it knows are found. Two categories of one hash are one to CatBoost, and here
as far as codes were hashed; a code beyond the largest that is known counts as unseen.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from pellucid.shapley.errors import ReaderError

LARGEST_CODE = 2**20 - 1
_USUAL_CODES = 2**12  # codes that are hashed before all others are
NO_KEY = np.uint64(2**64 - 1)  # CatBoost's mark of an empty place in a table
_NAN = np.frombuffer(b"nan", dtype=np.uint8).reshape(1, 3)

_MULTIPLIER = np.uint64(0x4906BA494954CB65)  # of CatBoost's CalcHash, catboost/libs/model/hash.h
_K2 = np.uint64(0x9AE16A3B2F90404F)  # k2, k3 and kMul of CityHash
_K3 = np.uint64(0xC949D7C7509E6557)
_K_MUL = np.uint64(0x9DDFEA08EB382D69)


def text_hashes(text: np.ndarray) -> np.ndarray:
    """Hash texts of one to eight bytes as CatBoost hashes categories.

    Parameters
    ----------
    text : uint8 (n_texts, length)

    Returns
    -------
    uint32 (n_texts,)

    Examples
    --------
    >>> text_hashes(np.frombuffer(b"17", np.uint8).reshape(1, 2))
    array([3854130209], dtype=uint32)
    """
    length = text.shape[1]
    if length >= 4:
        first, last = (
            np.ascontiguousarray(part).view("<u4")[:, 0].astype(np.uint64)
            for part in (text[:, :4], text[:, -4:])
        )
        first = (first << np.uint64(3)) + np.uint64(length)
        mixed = _shift_mix((first ^ last) * _K_MUL)
        return (_shift_mix((last ^ mixed) * _K_MUL) * _K_MUL).astype(np.uint32)
    first, middle, last = (text[:, at].astype(np.uint64) for at in (0, length >> 1, -1))
    start = (middle << np.uint64(8)) + first
    end = (last << np.uint64(2)) + np.uint64(length)
    return (_shift_mix(start * _K2 ^ end * _K3) * _K2).astype(np.uint32)


def _shift_mix(value: np.ndarray) -> np.ndarray:
    return value ^ (value >> np.uint64(47))


def category_keys(hashes: Any) -> np.ndarray:
    """Give what CatBoost's tables of one column know 32-bit hashes by: uint64 (n_hashes,).

    It is ``CalcHash(0, hash)``, with the hash as a signed number.
    """
    signed = np.asarray(hashes, dtype=np.int64).astype(np.int32).astype(np.int64)
    return _MULTIPLIER * (_MULTIPLIER * signed.astype(np.uint64))


def column_keys(known: np.ndarray, *, what: str) -> np.ndarray:
    """Find the codes behind the categories of a column.

    Parameters
    ----------
    known : uint64, keys of the categories that the model knows
    what : the column, for the message

    Returns
    -------
    uint64 (n_codes + 2,)
        The keys of the codes up to the largest one known, of an unseen one, of a missing one.

    Raises
    ------
    ReaderError
        Categories that are not whole numbers from 0 on.
    """
    missing = category_keys(text_hashes(_NAN))
    known = np.setdiff1d(known, np.append(missing, NO_KEY))
    for n_codes in (_USUAL_CODES, LARGEST_CODE + 1):
        keys = _code_keys(n_codes)
        codes = np.flatnonzero(np.isin(keys, known))
        n_found = len(np.unique(keys[codes]))
        if n_found == len(known):
            return np.concatenate([keys[: codes.max(initial=-1) + 1], [NO_KEY], missing])
    raise ReaderError(
        f"{what} has {len(known)} categories, of which {len(known) - n_found} are no codes; "
        f"expected the text or integer of whole numbers from 0 to {LARGEST_CODE}: number the "
        "categories before fitting"
    )


@lru_cache(maxsize=2)
def _code_keys(n_codes: int) -> np.ndarray:
    """Give the keys of the codes from 0 on, uint64 (n_codes,)."""
    hashes = np.empty(n_codes, dtype=np.uint32)
    start, length = 0, 1
    while start < n_codes:
        codes = np.arange(start, min(10**length, n_codes))
        digits = codes[:, None] // 10 ** np.arange(length - 1, -1, -1) % 10
        hashes[codes] = text_hashes((digits + ord("0")).astype(np.uint8))
        start, length = 10**length, length + 1
    return category_keys(hashes)

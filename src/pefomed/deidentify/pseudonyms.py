"""Pseudonyms that only who holds the key can link: the first 60 bits of HMAC-SHA-256, as text.

The same key gives the same pseudonym at every import, so a second export of the same patients joins
the first; without it a pseudonym cannot be computed from a patient's number by trying all numbers.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from pefomed.errors import DataError
from pefomed.files.storage import storage_errors

KEY_BYTES = 32
DAYS = 365
"""Dates that are kept are moved into the past by 1 to this many days, all of a patient's by the same."""


class Pseudonyms:
    """Pseudonyms under one key."""

    def __init__(self, key: bytes):
        self._key = key

    def __call__(self, kind: str, value: str) -> str:
        """Return the pseudonym of `value`; of two kinds (`patient`, `study`) it differs."""
        return base64.b32encode(self._digest(kind, value))[:12].decode("ascii").lower()

    def share(self, kind: str, value: str) -> float:
        """Return a number in [0, 1) that `value` always gets."""
        return int.from_bytes(self._digest(kind, value)[:7]) / 2**56

    def shifted(self, patient: str, date: str) -> str:
        """Return a DICOM date (YYYYMMDD) moved by the patient's own days; empty if it is no date."""
        days = 1 + int(self.share("days", patient) * DAYS)
        try:
            day = datetime.datetime.strptime(date.strip(), "%Y%m%d").date() - datetime.timedelta(days)
        except (ValueError, OverflowError):
            return ""
        return day.isoformat()

    def _digest(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._key, f"{kind}\0{value}".encode(), hashlib.sha256)


def key_in(folder: Path) -> bytes:
    """Return the key kept in `folder`, made at the first call and readable by its owner alone.

    Raises:
        DataError: the file is not a key.
        StorageError: the folder cannot be written.
    """
    path = folder / "key"
    with storage_errors(path):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            # Whole or not at all: half a key would be taken for a spoilt one by every later import.
            part = folder / f".part-key-{secrets.token_hex(6)}"
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    file.write(secrets.token_hex(KEY_BYTES) + "\n")
                os.replace(part, path)
            finally:
                part.unlink(missing_ok=True)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise DataError(
            f"{path} is not a key",
            found=f"{path.stat().st_size} bytes",
            remedy="put back the key of the earlier import; without it pseudonyms do not match",
        )
    return key

"""The other side of `gdcm_frames`: a program that decodes one JPEG frame after another with GDCM.

It imports GDCM and the standard library alone, so that it starts in a quarter of a second, and it is run as
a file. A request is a line of JSON and the frame; a reply is a line of JSON and the samples.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import suppress
from typing import Any, BinaryIO

MEMORY_LIMIT = 4 << 30
"""Most bytes this process may take, where the system keeps to it (Linux)."""

_DAMAGE = ("Corrupt JPEG data", "Premature end of JPEG file")
"""What the JPEG library says of a frame that it fills up with grey: to us an error, not a picture."""


def main() -> None:
    """Answer requests from standard input until it ends."""
    with suppress(ImportError, ValueError, OSError):  # there is no such limit on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, resource.getrlimit(resource.RLIMIT_AS)[1]))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 24, 1 << 24))  # what it prints
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What the libraries print must not stand between the replies, and tells of damage.
    said = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as this process)
    os.dup2(said.fileno(), 1)
    import gdcm

    os.dup2(said.fileno(), 2)
    _reply(replies, {"version": gdcm.Version.GetVersion()})
    while line := requests.readline():
        about = json.loads(line)
        frame = requests.read(about["bytes"])
        said.seek(0)
        said.truncate()
        try:
            samples = _decoded(gdcm, frame, about)
        except Exception as error:
            _reply(replies, {"fault": str(error) or type(error).__name__})
            continue
        said.seek(0)
        words = said.read(10_000).decode(errors="replace")
        fault = next((line for line in words.splitlines() if line.startswith(_DAMAGE)), None)
        if samples is None or fault:
            _reply(replies, {"fault": fault or "a JPEG that is damaged or ends early"})
        else:
            _reply(replies, {"bytes": len(samples)}, samples)


def _decoded(gdcm: Any, frame: bytes, about: dict[str, int]) -> bytes | None:
    fragment, fragments = gdcm.Fragment(), gdcm.SequenceOfFragments.New()
    fragment.SetByteStringValue(frame)
    fragments.AddFragment(fragment)
    pixels = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    pixels.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((about["columns"], about["rows"], 1))
    image.SetDataElement(pixels)
    # As grey or RGB no colours are converted: the values come as they are stored.
    colour = about["components"] == 3
    kind = gdcm.PhotometricInterpretation.RGB if colour else gdcm.PhotometricInterpretation.MONOCHROME2
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    if colour:
        image.SetPlanarConfiguration(0)
    lossless = gdcm.TransferSyntax.JPEGLosslessProcess14
    syntax = lossless if about["lossless"] else gdcm.TransferSyntax.JPEGExtendedProcess2_4
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    bits = about["precision"]
    allocated = 8 if bits <= 8 else 16
    image.SetPixelFormat(gdcm.PixelFormat(about["components"], allocated, bits, bits - 1, 0))
    text = image.GetBuffer()  # bytes in a str: SWIG knows no other
    return None if text is None else bytes(text.encode("utf-8", "surrogateescape"))


def _reply(replies: BinaryIO, about: dict[str, Any], samples: bytes = b"") -> None:
    replies.write(json.dumps(about).encode() + b"\n")
    replies.write(samples)
    replies.flush()


if __name__ == "__main__":
    main()

"""The header of a MetaImage or NRRD file, looked at before anything is unpacked, and where its values are.

Both are lines of text. Values may stand in another file; one that is not beside the header is refused, so
that no header can name a file elsewhere.
"""

from __future__ import annotations

import re
import zlib
from pathlib import Path

from pefomed.errors import ImageError
from pefomed.images.image_errors import damaged_image
from pefomed.images.nifti_header import VOLUME_LIMIT

METAIMAGE = (".mha", ".mhd")
NRRD = (".nrrd", ".nhdr")

_FRONT = 2**16
"""Most bytes of a header."""

_PIECE = 2**20
"""Bytes that are unpacked at once."""

_META_BYTES = {
    "char": 1, "uchar": 1, "short": 2, "ushort": 2, "int": 4, "uint": 4, "long": 4, "ulong": 4,
    "long_long": 8, "ulong_long": 8, "float": 4, "double": 8,
}  # fmt: skip
_NRRD_BYTES = {
    1: "signed char,int8,int8_t,uchar,unsigned char,uint8,uint8_t",
    2: "short,short int,signed short,signed short int,int16,int16_t,ushort,unsigned short,unsigned short int,"
    "uint16,uint16_t",
    4: "int,signed int,int32,int32_t,uint,unsigned int,uint32,uint32_t,float",
    8: "longlong,long long,long long int,signed long long,signed long long int,int64,int64_t,ulonglong,"
    "unsigned long long,unsigned long long int,uint64,uint64_t,double",
}
_PACKED = {"gzip", "gz", "bzip2", "bz2", "raw", "ascii", "text", "txt", "hex"}


def checked_header(path: Path) -> Path:
    """Return the file that holds the values, `path` itself or one beside it.

    Raises:
        ImageError: it is none of these files, names a file that is not beside it, or is too large.
    """
    with path.open("rb") as file:
        front = file.read(_FRONT)
    return _metaimage(path, front) if path.name.lower().endswith(METAIMAGE) else _nrrd(path, front)


def _metaimage(path: Path, front: bytes) -> Path:
    found: dict[str, str] = {}
    for line in front.split(b"\n"):
        name, equals, value = line.decode("latin-1").partition("=")
        if not equals or not re.fullmatch(r"[ \t]*[\w.:|\[\]-]{1,64}[ \t]*", name):
            raise _not(path, "MetaImage", front)
        if _bare(name).lower() in found:
            raise damaged_image(path, f"{_bare(name)} is there twice")
        found[_bare(name).lower()] = _bare(value)
        if _bare(name).lower() == "elementdatafile":  # the last line: values may follow
            break
    else:
        raise damaged_image(path, "no ElementDataFile in its header")
    each = _META_BYTES.get(found.get("elementtype", "").lower().removeprefix("met_").removesuffix("_array"))
    number = _whole(path, found.get("ndims", ""))
    sizes = [_whole(path, part) for part in found.get("dimsize", "").split()]
    channels = _whole(path, found.get("elementnumberofchannels", "1"))
    if each is None or number != len(sizes):
        raise damaged_image(
            path, f"{found.get('elementtype')} in {number} dimensions of {found.get('dimsize')}"
        )
    if (skipped := found.get("headersize", "0")) not in ("0", "-1"):
        _whole(path, skipped)
    packed = _is_true(path, found, "compresseddata")
    if not _is_true(path, found, "binarydata"):
        # The library reads such values past the end of its memory, packed or not, which ends the process.
        raise ImageError(
            f"{path} holds its values as text (no BinaryData = True), which is not read",
            remedy="write it again with binary values, as SimpleITK does",
        )
    place = found["elementdatafile"]
    local = place.upper() == "LOCAL"
    needed = _check(path, sizes, each * channels)
    data = path if local else _beside(path, place)
    if packed:
        start = front.index(b"\n", front.lower().index(b"elementdatafile")) + 1 if local else 0
        _check_packed(path, data, start, found, needed)
    elif data.stat().st_size < needed:
        raise damaged_image(path, f"{data.stat().st_size:,} bytes where its values take {needed:,}")
    return data


def _check_packed(path: Path, data: Path, start: int, found: dict[str, str], needed: int) -> None:
    """Refuse values that end too early: the library would wait for the others for ever."""
    if found.get("headersize", "0") != "0":
        raise damaged_image(path, "packed values behind a header of their own")
    size = found.get("compresseddatasize")
    left = data.stat().st_size - start if size is None else _whole(path, size)
    unpack, there = zlib.decompressobj(47), 0  # 47: what gzip or zlib packed
    try:
        with data.open("rb") as file:
            file.seek(start)
            while there < needed and not unpack.eof:
                piece = unpack.unconsumed_tail or file.read(min(_PIECE, left))
                if not unpack.unconsumed_tail:
                    left -= len(piece)
                if not piece:
                    there += len(unpack.flush())
                    break
                there += len(unpack.decompress(piece, _PIECE))
    except zlib.error as error:
        raise damaged_image(path, f"its packed values: {error}") from None
    if there < needed:
        raise damaged_image(path, f"{there:,} bytes of packed values where {needed:,} should be")


def _nrrd(path: Path, front: bytes) -> Path:
    if not re.match(rb"NRRD000[1-5]\r?\n", front):
        raise _not(path, "NRRD", front)
    end = re.search(rb"\r?\n\r?\n", front)
    found: dict[str, str] = {}
    lines = front[: end.start() if end else len(front)].decode("latin-1").removesuffix("\n").split("\n")
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if line.startswith("#") or value.startswith("="):
            continue
        if not colon:
            raise damaged_image(path, f"{line[:40]!r} in its header")
        key = _bare(name).lower().replace(" ", "")
        if key in found:
            raise damaged_image(path, f"{_bare(name)} is there twice")
        found[key] = _bare(value)
    kind = found.get("type", "").lower()
    each = next((size for size, names in _NRRD_BYTES.items() if kind in names.split(",")), None)
    number = _whole(path, found.get("dimension", ""))
    sizes = [_whole(path, part) for part in found.get("sizes", "").split()]
    if each is None or number != len(sizes):
        raise damaged_image(path, f"{kind or 'no type'} in {number} dimensions of {found.get('sizes')}")
    if found.get("encoding", "").lower() not in _PACKED:
        raise damaged_image(path, f"the encoding {found.get('encoding')!r}")
    for key in ("lineskip", "byteskip"):
        if found.get(key, "0") != "-1":
            _whole(path, found.get(key, "0"))
    needed = _check(path, sizes, each)
    place = found.get("datafile")
    if place is None and end is None:
        raise damaged_image(path, "no end of its header")
    data = path if place is None else _beside(path, place)
    if found["encoding"].lower() == "raw" and data.stat().st_size < needed:
        raise damaged_image(path, f"{data.stat().st_size:,} bytes where its values take {needed:,}")
    return data


def _check(path: Path, sizes: list[int], each: int) -> int:
    """Return the bytes of all values, or refuse what is above the limit."""
    if not 2 <= len(sizes) <= 5 or min(sizes, default=0) < 1 or each < 1:
        raise damaged_image(path, f"dimensions {sizes}")
    needed = each
    for size in sizes:
        needed *= size
    if needed > VOLUME_LIMIT:
        raise ImageError(
            f"{path} is too large: at most {VOLUME_LIMIT:,} bytes are read",
            found=" x ".join(map(str, sizes)) + f" values, {needed:,} bytes",
            remedy="crop or resample the volume",
        )
    return needed


def _beside(path: Path, name: str) -> Path:
    """Return the file of the values, in the folder of its header and nowhere else."""
    data = path.parent / name
    plain = name not in ("", ".", "..") and not re.search(r"[/\\\0%\s]", name) and name.upper() != "LIST"
    if not plain or data.resolve().parent != path.parent.resolve() or not data.is_file():
        raise ImageError(
            f"{path} has its values in another file, which is not beside it",
            found=repr(name[:200]),
            remedy="put header and values into one folder, under a name without blanks, or write one file"
            " (.mha, .nrrd)",
        )
    return data


def _bare(text: str) -> str:
    """Return `text` without blanks around it: those of the library, where Python knows many more."""
    return text.strip(" \t\r")


def _whole(path: Path, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise damaged_image(path, f"{text[:40]!r} in its header, where a number should be")
    return int(text)


def _is_true(path: Path, found: dict[str, str], key: str) -> bool:
    value = found.get(key, "false").lower()
    if value not in ("true", "false"):
        raise damaged_image(path, f"{key} = {value[:40]!r}, where True or False should be")
    return value == "true"


def _not(path: Path, kind: str, front: bytes) -> ImageError:
    return ImageError(
        f"{path} is not of the format {kind}",
        found=f"a file beginning with {front[:8]!r}",
        remedy="give a .mha, .mhd, .nrrd or .nhdr file, or name the file as what it is",
    )

"""Pictures that are none, or more than they seem; made of bytes, since no library writes them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM")


def good(form: str = "PNG", size: int = 6, mode: str = "L") -> bytes:
    """A plain grey picture."""
    stream = io.BytesIO()
    Image.fromarray(np.full((size, size), 100, np.uint8)).convert(mode).save(stream, form)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """Of a PNG file."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, pixels: bytes = b"", depth: int = 8, colour: int = 0) -> bytes:
    """A PNG file that says what it likes of itself."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = (chunk(b"IHDR", header), *chunks, chunk(b"IDAT", pixels or zlib.compress(b"\0" * 100)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def text_bomb(megabytes: int) -> bytes:
    """Compressed text of a PNG file."""
    return chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(megabytes * 2**20)))


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 6 6\n%%EndComments\n(evil) (w) file\n"
BOMBS = [
    png(60_000, 60_000),
    png(2**31 - 1, 2**31 - 1),
    png(2**31, 1),
    png(0, 0),
    png(13_000, 13_000),
    png(13_000, 13_000, pixels=zlib.compress(bytes(13_001 * 100))),
    png(13_000, 13_000, depth=16, colour=6),
    png(6, 6, text_bomb(1)),
    png(6, 6, text_bomb(100)),
    png(6, 6, *[text_bomb(30)] * 10),
    png(6, 6, chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(100 * 2**20)))),
    png(6, 6, pixels=zlib.compress(bytes(100 * 2**20))),
    png(6, 6, depth=3),
    good()[:40],
    good("JPEG")[:-20],
    good("TIFF")[:30],
    b"BM" + bytes(12) + struct.pack("<IiiHH", 40, 2**31 - 1, -(2**31), 1, 24) + bytes(24),
    b"P5 60000 60000 255\n" + bytes(10),
    b"P6 99999999999 1 255\n",
    b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + bytes(20),
    b"II*\0" + struct.pack("<I", 8) + b"\xff\xff" + bytes(100),
    b"II*\0" + struct.pack("<I", 2**31) + bytes(100),
    POSTSCRIPT,
    b"",
    b"\0" * 1000,
    b"<svg xmlns='http://www.w3.org/2000/svg' width='6' height='6'/>",
    b"\x89PNG\r\n\x1a\n",
]

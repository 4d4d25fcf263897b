"""Reads a PNG file of three bytes a pixel, with nothing but what Python brings."""
import struct
import zlib


def rows_of(data):
    """Width, height and the rows of a PNG of three bytes a pixel."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert (depth, colour) == (8, 2), "not three bytes a pixel"
        if kind == b"IDAT":
            packed += body
        at += 12 + length
    raw, step = zlib.decompress(packed), 3 * width
    rows, above = [], bytearray(step)
    for y in range(height):
        kind, line = raw[y * (step + 1)], bytearray(raw[y * (step + 1) + 1:(y + 1) * (step + 1)])
        for x in range(step) if kind else ():
            left = line[x - 3] if x >= 3 else 0
            corner = above[x - 3] if x >= 3 else 0
            if kind == 4:
                guess = left + above[x] - corner
                near = sorted((left, above[x], corner), key=lambda v: abs(guess - v))
                add = near[0]
            else:
                add = (0, left, above[x], (left + above[x]) // 2)[kind]
            line[x] = (line[x] + add) & 255
        rows.append(bytes(line))
        above = line
    return width, height, rows

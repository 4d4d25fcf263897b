"""Says what a PNG file holds, so that a script can tell a drawn window from a blank one.

Usage: picture_check.py FILE.png WIDTH HEIGHT. Exit code 0: of that size, with many colours all over it.
"""
import struct
import sys
import zlib

# Text, marks and panels give hundreds of shades; an empty window has a handful.
LEAST_COLOURS = 60
LEAST_IN_QUARTER = 8


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


def colours(rows, x0, x1):
    return len({row[3 * x:3 * x + 3] for row in rows for x in range(x0, x1)})


def main():
    name, wanted = sys.argv[1], (int(sys.argv[2]), int(sys.argv[3]))
    with open(name, "rb") as file:
        width, height, rows = rows_of(file.read())
    half = height // 2
    quarters = [colours(part, x, x + width // 2) for part in (rows[:half], rows[half:]) for x in (0, width // 2)]
    everywhere = colours(rows, 0, width)
    ok = (width, height) == wanted and everywhere >= LEAST_COLOURS and min(quarters) >= LEAST_IN_QUARTER
    print(f"{name}: {width} x {height}, {everywhere} colours, by quarter {quarters}" + ("" if ok else ": not as expected"))
    return 0 if ok else 1


sys.exit(main())

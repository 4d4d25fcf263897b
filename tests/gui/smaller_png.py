"""Makes PNG files of a window small enough for a page: at most 256 colours, fewer where those are too many, well packed.

Usage: smaller_png.py MOST_BYTES FILE.png... Exit code 1 where one is larger than MOST_BYTES even so.

Flat panels and text have few colours that matter: the rare ones become the nearest of the frequent ones.
"""
import collections
import struct
import sys
import zlib

from png_rows import rows_of

COLOURS = 256, 224, 192, 160, 128, 96, 48


def pixels(row):
    return zip(row[0::3], row[1::3], row[2::3])


def palette(rows, colours):
    """The colours that are kept, and for each colour which of them stands for it."""
    counts = collections.Counter()
    for row in rows:
        counts.update(pixels(row))
    kept = [colour for colour, _ in counts.most_common(colours)]
    place = {colour: i for i, colour in enumerate(kept)}
    for colour in counts:
        if colour not in place:
            place[colour] = min(range(len(kept)), key=lambda i: sum((x - y) ** 2 for x, y in zip(kept[i], colour)))
    return kept, place


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def packed(width, height, rows, colours):
    kept, place = palette(rows, colours)
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9)
    data = packer.compress(b"".join(b"\0" + bytes(place[p] for p in pixels(row)) for row in rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"PLTE", b"".join(map(bytes, kept))) +
            chunk(b"IDAT", data) + chunk(b"IEND", b""))


def main():
    most, large = int(sys.argv[1]), False
    for name in sys.argv[2:]:
        with open(name, "rb") as file:
            width, height, rows = rows_of(file.read())
        rows = list(rows)
        for colours in COLOURS:
            small = packed(width, height, rows, colours)
            if len(small) <= most:
                break
        with open(name, "wb") as file:
            file.write(small)
        large = large or len(small) > most
        print(f"{name}: {len(small) // 1024} KiB" + (": too large" if len(small) > most else ""))
    return 1 if large else 0


sys.exit(main())

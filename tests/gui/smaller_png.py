"""Makes PNG files of a window small enough for a page: at most 256 colours, fewer where those are too many, well packed.

Usage: smaller_png.py MOST_BYTES FILE.png... Exit code 1 where one is larger than MOST_BYTES even so.

Colours that are alike become one of them. A strong hue weighs more than a frequent grey: legends and marks have few
pixels and say the most.
"""
import collections
import heapq
import math
import struct
import sys
import zlib

from png_rows import rows_of

COLOURS = 256, 224, 192, 160, 128, 96, 64, 48
GREY = 16  # what a colour without any hue weighs beside one of which red, green and blue differ by as much


def pixels(row):
    return zip(row[0::3], row[1::3], row[2::3])


def spread(box, weights):
    """How far the colours of a box lie apart, where they do most, and along which of red, green and blue."""
    if len(box) == 1:
        return 0, 0, 0
    whole = sum(weights[c] for c in box)
    found = []
    for axis in range(3):
        mean = sum(weights[c] * c[axis] for c in box) / whole
        found.append((sum(weights[c] * (c[axis] - mean) ** 2 for c in box), axis, mean))
    return max(found)


def palette(counts, colours):
    """The colours that are kept, and for each colour which of them stands for it."""
    weights = {c: math.sqrt(count) * (max(c) - min(c) + GREY)**2 for c, count in counts.items()}
    # The box whose colours lie furthest apart is cut at their mean, until there are enough.
    entry = lambda box: (-(s := spread(box, weights))[0], box, s)
    boxes = [entry(sorted(counts))]
    while len(boxes) < colours and boxes[0][0] < 0:
        _, box, (_, axis, mean) = heapq.heappop(boxes)
        for part in [c for c in box if c[axis] <= mean], [c for c in box if c[axis] > mean]:
            heapq.heappush(boxes, entry(part))
    kept, place = [], {}
    for i, (_, box, _) in enumerate(boxes):
        # One that is there, so that grounds and letters keep theirs.
        kept.append(max(box, key=counts.get))
        place.update((colour, i) for colour in box)
    return kept, place


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def packed(width, height, rows, counts, colours):
    kept, place = palette(counts, colours)
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
        counts = collections.Counter()
        for row in rows:
            counts.update(pixels(row))
        for colours in COLOURS:
            small = packed(width, height, rows, counts, colours)
            if len(small) <= most:
                break
        with open(name, "wb") as file:
            file.write(small)
        large = large or len(small) > most
        print(f"{name}: {len(small) // 1024} KiB" + (": too large" if len(small) > most else ""))
    return 1 if large else 0


sys.exit(main())

"""Says what a PNG file holds, so that a script can tell a drawn window from a blank one.

Usage: picture_check.py FILE.png WIDTH HEIGHT. Exit code 0: of that size, with many colours all over it.
"""
import sys

from png_rows import rows_of

# Text, marks and panels give hundreds of shades; an empty window has a handful.
LEAST_COLOURS = 60
LEAST_IN_QUARTER = 8


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

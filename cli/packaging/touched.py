"""Prints the functions of a command that a run has come through.

    python3 touched.py SYMBOLS LOG...

SYMBOLS is what `nm -S --defined-only --demangle=rust` prints, and each LOG what `qemu-x86_64 -d in_asm -D LOG` writes.
"""

import bisect
import re
import sys

# Where qemu puts a command that may be anywhere.
BASE = 0x4000000000


def functions(path):
    """Returns the start, the end and the name of each function, sorted."""
    found = []
    for line in open(path):
        if function := re.fullmatch(r"([0-9a-f]+) ([0-9a-f]+) [tTwW] (.*)\n", line):
            start = int(function[1], 16)
            found.append((start, start + int(function[2], 16), function[3]))
    return sorted(found)


def main(symbols, *logs):
    known = functions(symbols)
    starts = [start for start, _, _ in known]
    for log in logs:
        for line in open(log):
            instruction = re.match(r"0x([0-9a-f]+):", line)
            address = int(instruction[1], 16) - BASE if instruction else -1
            place = bisect.bisect_right(starts, address) - 1
            if place >= 0 and address < known[place][1]:
                print(known[place][2])


main(*sys.argv[1:])

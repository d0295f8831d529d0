#!/usr/bin/env python3
"""An application: it reads secrets from a volume that is shared with the sidecar, and must not be able to do more.

    reader.py LINK LAST FILE...

Each reading pins a set by opening the folder that the link names, and takes all files from there. They must have one value. Prints
each value that is new, and ends at the value LAST. Watches the folder of the link as applications do, and counts the switches.
"""

import ctypes
import os
import select
import struct
import sys

IN_MOVED_TO = 0x80


def refused(what, attempt):
    try:
        attempt()
    except OSError:
        return
    sys.exit(f"the application may {what}")


def cannot_write(link, files):
    folder, name = os.path.split(link)
    refused("make a file beside the link", lambda: open(os.path.join(folder, "mine"), "w"))
    refused("replace the link", lambda: os.symlink("elsewhere", link + ".new"))
    refused("remove the link", lambda: os.unlink(link))
    refused("change a file", lambda: open(os.path.join(link, files[0]), "r+"))
    refused("remove a file", lambda: os.unlink(os.path.join(link, files[0])))
    refused("change a mode", lambda: os.chmod(os.path.join(link, files[0]), 0o666))
    refused("look into the state", lambda: os.listdir(os.path.join(folder, f".{name}.state")))


class Switches:
    """Counts how often the link was switched, as the kernel reports it."""

    def __init__(self, link):
        folder, self.name = os.path.split(link)
        libc = ctypes.CDLL(None, use_errno=True)
        self.events = libc.inotify_init1(os.O_CLOEXEC)
        if libc.inotify_add_watch(self.events, folder.encode(), IN_MOVED_TO) < 0:
            sys.exit("the folder of the link cannot be watched")
        self.count = 0

    def look(self):
        while select.select([self.events], [], [], 0)[0]:
            data = os.read(self.events, 65536)
            while data:
                length = struct.unpack_from("iIII", data)[3]
                self.count += data[16 : 16 + length].rstrip(b"\0").decode() == self.name
                data = data[16 + length :]


def reading(link, files):
    pin = os.open(link, os.O_RDONLY | os.O_DIRECTORY)
    try:
        values = []
        for path in files:
            with open(path, encoding="utf-8", opener=lambda path, flags: os.open(path, flags, dir_fd=pin)) as file:
                values.append(file.read())
        return values
    finally:
        os.close(pin)


def main(link, last, *files):
    switches = Switches(link)
    cannot_write(link, files)
    value, readings = None, 0
    while value != last:
        found = reading(link, files)
        readings += 1
        if len(set(found)) != 1:
            sys.exit(f"the set is a mix: {found}")
        if found[0] != value:
            value = found[0]
            print("value", value, flush=True)
        switches.look()
    print("done", readings, switches.count, flush=True)


main(*sys.argv[1:])

#!/usr/bin/env python3
"""A sample plug-in for the provider `exec`: secrets are the files of a folder, which is its only argument.

It speaks version 1 of the protocol that providers/exec/PROTOCOL.md describes. One process answers all requests of a run:
what it opens for the first it has for the others. Anything that it prints on standard error is shown if it fails.
"""

import base64
import json
import pathlib
import sys


class Refused(Exception):
    """An answer that is no secret."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def fetch(folder, name, version):
    """Returns the bytes of a secret, and what tells this state of it from another."""
    if version is not None:
        raise Refused("unsupported", "a file has no versions")
    path = pathlib.PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        raise Refused("invalid-request", "the name leads out of the folder")
    file = folder / path
    try:
        return file.read_bytes(), str(file.stat().st_mtime_ns)
    except FileNotFoundError as error:
        if not folder.is_dir():
            raise Refused("unavailable", f"there is no folder {folder}") from error
        if any(place.is_symlink() and not place.exists() for place in (file, *file.parents)):
            raise Refused("unavailable", f"a symbolic link on the way to it leads nowhere in {folder}") from error
        raise Refused("not-found", f"there is no file of this name in {folder}") from error
    except OSError as error:
        raise Refused("other", f"the file cannot be read: {error.strerror}") from error


def answer(folder, request):
    """Answers one request. Keys that a later version of the protocol may add are ignored."""
    reply = {"id": request["id"]}
    try:
        value, revision = fetch(folder, request["secret"], request.get("version"))
    except Refused as refused:
        return {**reply, "type": "error", "kind": refused.kind, "message": str(refused)}
    return {**reply, "type": "secret", "base64": base64.b64encode(value).decode(), "revision": revision}


def say(message):
    """Writes one message, at once: whoever waits for it would wait for ever."""
    print(json.dumps(message), flush=True)


def main():
    """Greets, and answers until there are no more requests."""
    folder = pathlib.Path(sys.argv[1])
    hello = json.loads(sys.stdin.readline())
    if hello["protocol"] < 1:
        sys.exit("this plug-in speaks version 1 of the protocol")
    say({"type": "hello", "protocol": 1})
    for line in sys.stdin:
        say(answer(folder, json.loads(line)))


if __name__ == "__main__":
    main()

"""Runs moto_server until its standard input ends, so that it never outlives the test that started it."""

import os
import shutil
import sys
import threading


def end_with_parent(folder):
    sys.stdin.buffer.read()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


threading.Thread(target=end_with_parent, args=(sys.argv[1],), daemon=True).start()

from moto.server import main  # noqa: E402

main(sys.argv[2:])

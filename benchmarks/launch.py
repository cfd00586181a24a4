"""Starts one command, waits for it, and writes what it cost: launch.py REPORT COMMAND ...

Linux counts as a process's peak memory also what its parent held when it was started. This program
holds next to nothing, so that it can stand between a large parent and the command.
"""

import json
import os
import sys
import time


def main(report: str, *command: str) -> int:
    started = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - started
    cost = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024}
    with open(report, "w") as file:
        json.dump(cost, file)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""Starts Jina's programs by forking: importing Jina takes seconds, so one process does it once for all of them.

Each line on stdin is a command, `[log, arguments of jina…]`; the id of the process that runs it is printed. When
stdin ends, so do all of them.
"""

import json
import os
import signal
import sys
import time

import jina_cli
import jina.serve.executors.run
import jina.serve.runtimes.asyncio
import jina.serve.runtimes.gateway.grpc
import jina.serve.runtimes.gateway.request_handling
import workers

PATIENCE = 10


def run(log: str, *argv: str):
    """Becomes one of Jina's programs."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.argv = ['jina', *argv]
    jina_cli.main()


def is_there(pid: int) -> bool:
    """Whether a process runs; those that have ended are reaped by the system."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main():
    """Reads commands until there are no more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    children = []
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            run(*json.loads(line))
            return
        children.append(pid)
        print(pid, flush=True)
    end = time.monotonic() + PATIENCE
    for stop in [signal.SIGTERM, signal.SIGKILL]:
        children = [pid for pid in children if is_there(pid)]
        for pid in children:
            os.kill(pid, stop)
        while stop == signal.SIGTERM and any(map(is_there, children)) and time.monotonic() < end:
            time.sleep(0.05)


if __name__ == '__main__':
    main()

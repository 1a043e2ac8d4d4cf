"""What an executor in Python costs under `jina executor` and under `executor --python`.

    python bench/python_executors.py BINARIES [--gateway] [--rounds N] [--seconds S]

BINARIES is the directory of `executor`, `gateway` and `bench`; the interpreter must have `jina`. The contenders take
turns. Processor time is that of the executor's process and all its children; the gateway's is not in it.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

CONTENDERS = Path(__file__).parent / 'contenders'
CASES = {'150 B': ['--payload', '150'], '200 kB': ['--payload', '200000', '--in-flight', '4']}
TICK = 1 / os.sysconf('SC_CLK_TCK')


def free_port():
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        return taken.getsockname()[1]


def start(argv, log):
    env = {**os.environ, 'JINA_LOG_LEVEL': 'WARNING', 'JINA_OPTOUT_TELEMETRY': '1'}
    return subprocess.Popen([str(word) for word in argv], env=env, stdout=log, stderr=log, start_new_session=True)


def processor_time(root):
    """Seconds of a process and all that it started."""
    stats = {}
    for entry in Path('/proc').iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / 'stat').read_text().rpartition(')')[2].split()
            except OSError:
                continue
            stats[int(entry.name)] = int(fields[1]), (int(fields[11]) + int(fields[12])) * TICK
    total, open_ = 0.0, [root]
    while open_:
        one = open_.pop()
        total += stats.get(one, (0, 0.0))[1]
        open_ += [pid for pid, (parent, _) in stats.items() if parent == one]
    return total


def load(binaries, port, *arguments):
    command = [binaries / 'bench', 'load', '--address', f'127.0.0.1:{port}', *arguments]
    answer = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    return json.loads(answer.stdout) if answer.returncode == 0 else None


def contenders(file):
    jina = [Path(sys.executable).with_name('jina'), 'executor', '--native', '--uses', file]
    ours = ['--python', file, '--python-interpreter', sys.executable]
    return {'jina executor': jina, 'executor --python': ours, 'executor --python, 2 workers': ours + ['--python-workers', '2']}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('binaries', type=Path)
    parser.add_argument('--gateway', action='store_true', help='put our gateway before each')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--seconds', default='2')
    arguments = parser.parse_args()
    running, processes = {}, []
    log = open(os.devnull, 'w')
    try:
        for kind, file in {'def': 'noop.yml', 'async def': 'async_noop.yml'}.items():
            for name, command in contenders(CONTENDERS / file).items():
                port = free_port()
                argv = command if 'jina' in name else [arguments.binaries / 'executor', *command]
                executor = start([*argv, '--host', '127.0.0.1', '--port', port], log)
                processes.append(executor)
                if arguments.gateway:
                    behind, port = port, free_port()
                    graph = '{"start-gateway": ["noop"], "noop": ["end-gateway"]}'
                    addresses = json.dumps({'noop': [f'grpc://127.0.0.1:{behind}']})
                    gateway = ['--graph-description', graph, '--deployments-addresses', addresses]
                    argv = [arguments.binaries / 'gateway', '--host', '127.0.0.1', '--port', port, *gateway]
                    processes.append(start(argv, log))
                running[f'{name}, {kind}'] = port, executor.pid
                while not load(arguments.binaries, port, '--seconds', '0.05', '--connections', '1'):
                    assert executor.poll() is None, f'{name} does not start'
                    time.sleep(0.5)
        for case, options in CASES.items():
            rounds = {name: [] for name in running}
            for _ in range(arguments.rounds):
                for name, (port, pid) in running.items():
                    before = processor_time(pid)
                    report = load(arguments.binaries, port, *options, '--seconds', arguments.seconds)
                    assert report, f'{name}: {case}'
                    cpu = (processor_time(pid) - before) / report['answers'] * 1e6
                    rounds[name].append((report['per_second'], report['p50_us'], report['p99_us'], cpu))
            print(f'### {case}\n\n| executor | requests/s | p50 µs | p99 µs | CPU µs/request |\n| --- | ---: | ---: | ---: | ---: |')
            for name, values in rounds.items():
                middle = [statistics.median(column) for column in zip(*values)]
                print(f'| {name} |', ' | '.join(f'{value:.0f}' for value in middle), '|')
            print(flush=True)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)


main()

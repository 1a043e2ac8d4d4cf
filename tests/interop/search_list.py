"""Runs in namespaces of its own, as their root: a machine whose resolver has a search list, and one server of names.

The gateway is told a short name, as in a cluster. Arguments: the programs' directory, and one for logs.
"""

import fcntl
import json
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request

SERVER = '127.0.0.54'
SEARCH = 'shop.svc.cluster.test'
NAME = f'encoder.{SEARCH}.'
ADDRESS = '127.0.0.2'


def up():
    """Switches the loopback interface on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack('16sh14x', b'lo', 1))  # SIOCSIFFLAGS, IFF_UP


def mount(path: str, text: str, directory: pathlib.Path):
    """Puts a file of our own in the place of one of the system."""
    ours = directory / pathlib.Path(path).name
    ours.write_text(text)
    subprocess.run(['mount', '--bind', ours, path], check=True)


def question(query: bytes) -> tuple[str, int, bytes]:
    """The name and the type that are asked for, and the question as it stands."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode())
        at += 1 + query[at]
    return '.'.join(labels).lower() + '.', struct.unpack('!H', query[at + 1 : at + 3])[0], query[12 : at + 5]


def serve(server: socket.socket, asked: set):
    """Knows the address of one name; every other one does not exist."""
    while True:
        query, client = server.recvfrom(512)
        name, kind, asks = question(query)
        asked.add(name)
        # IN A: a pointer to the question, no time to live, four bytes.
        answers = [b'\xc0\x0c' + struct.pack('!HHIH', 1, 1, 0, 4) + socket.inet_aton(ADDRESS)]
        answers = answers if name == NAME and kind == 1 else []
        code = 0 if name == NAME else 3
        head = query[:2] + struct.pack('!HHHHH', 0x8580 | code, 1, len(answers), 0, 0)
        server.sendto(head + asks + b''.join(answers), client)


def start(directory: pathlib.Path, name: str, *argv) -> subprocess.Popen:
    with (directory / f'{name}.log').open('wb') as log:
        return subprocess.Popen([str(word) for word in argv], stdout=log, stderr=log)


def main():
    binaries, directory = map(pathlib.Path, sys.argv[1:])
    up()
    mount('/etc/resolv.conf', f'nameserver {SERVER}\nsearch elsewhere.test {SEARCH}\noptions ndots:5\n', directory)
    # Without it names are asked for as it says.
    if pathlib.Path('/etc/nsswitch.conf').exists():
        mount('/etc/nsswitch.conf', 'hosts: files dns\n', directory)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((SERVER, 53))
    asked = set()
    threading.Thread(target=serve, args=[server, asked], daemon=True).start()
    graph = json.dumps({'start-gateway': ['encoder'], 'encoder': ['end-gateway']})
    addresses = json.dumps({'encoder': ['grpc://encoder:8080']})
    processes = [
        start(directory, 'executor', binaries / 'flowgate', 'executor', '--host', ADDRESS, '--port', 8080),
        start(
            directory,
            'gateway',
            *(binaries / 'flowgate', 'gateway', '--host', '127.0.0.1', '--port', 8081, '--protocol', 'HTTP'),
            *('--graph-description', graph, '--deployments-addresses', addresses),
        ),
    ]
    end = time.monotonic() + 50
    outcome = 'the gateway does not serve'
    while time.monotonic() < end:
        try:
            outcome = json.load(urllib.request.urlopen('http://127.0.0.1:8081/dry_run', timeout=10))
            break
        except OSError as error:
            outcome = str(error)
            time.sleep(0.1)
    for process in processes:
        process.terminate()
    statuses = [process.wait(20) for process in processes]
    print(json.dumps({'dry_run': outcome, 'asked': sorted(asked), 'statuses': statuses}))


if __name__ == '__main__':
    main()

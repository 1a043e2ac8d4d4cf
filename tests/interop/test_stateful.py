"""Stateful executors: what is written through one replica is read from all, whichever of them is lost meanwhile."""

import json
import os
import signal
import subprocess
import sys

import pytest
from docarray import DocList

from conftest import client
from processes import BINARIES, HERE, JINA, Stage, children, free_port, is_serving, until
from rows import Line

ROWS = HERE / 'rows.yml'
PROGRAMS = {
    'rust': [BINARIES / 'interop-executor', '--uses', 'Rows'],
    'python': [BINARIES / 'executor', '--python', ROWS, '--python-interpreter', sys.executable],
}


class Replicas:
    """Three replicas of the rows, processes of their own."""

    def __init__(self, stage, language: str):
        self.stage = stage
        self.program = PROGRAMS[language]
        self.workspace = stage.directory / 'space'
        self.ports = [free_port() for _ in range(3)]
        self.all = [self.start(number) for number in range(3)]
        for replica in self.all:
            replica.wait_serving()

    def start(self, number: int):
        """Starts a replica, for the first time or again."""
        port = self.ports[number]
        return self.stage.start(
            f'replica-{number}',
            port,
            *self.program,
            *('--name', f'rows/rep-{number}', '--host', '127.0.0.1', '--port', port),
            *('--stateful', '--replica-id', number, '--workspace', self.workspace),
            *('--peers', *[f'127.0.0.1:{port}' for port in self.ports]),
            *('--raft-configuration', 'heartbeat_timeout=300', 'election_timeout=300'),
        )

    def again(self, number: int):
        """Starts a replica again, and waits until it has what the others have."""
        self.all[number] = self.start(number)
        self.all[number].wait_serving()


def put(caller, text: str):
    """Writes a text."""
    caller.post('/set', DocList[Line]([Line(text=text)]), return_type=DocList[Line])


def got(caller) -> str:
    """The text that is there."""
    [line] = caller.post('/get', DocList[Line]([Line(text='')]), return_type=DocList[Line])
    return line.text


@pytest.fixture(scope='module', params=list(PROGRAMS))
def replicas(request, tmp_path_factory):
    """Replicas of an executor in Rust, and of one in Python."""
    stage = Stage(tmp_path_factory.mktemp('stateful'))
    yield Replicas(stage, request.param)
    stage.close()


def test_e60_what_is_written_through_any_replica_is_read_from_all(replicas):
    for number, writer in enumerate(replicas.all):
        put(client(writer), f'through {number}')
        assert [got(client(reader)) for reader in replicas.all] == [f'through {number}'] * 3
    for number in range(3):
        kept = replicas.workspace / 'raft' / str(number)
        assert (kept / 'logs.dat').is_file() and (kept / 'stable.dat').is_file()


@pytest.mark.parametrize('kind', ['rust', 'python'])
def test_clients_write_and_read_through_gateways(replicas, stage, kind):
    addresses = {'rows': [f'grpc://127.0.0.1:{port}' for port in replicas.ports]}
    program = [BINARIES / 'gateway'] if kind == 'rust' else [JINA, 'gateway']
    port = free_port()
    gateway = stage.start(
        f'{kind}-gateway',
        port,
        *program,
        *('--host', '127.0.0.1', '--port', port, '--protocol', 'GRPC'),
        *('--graph-description', '{"start-gateway": ["rows"], "rows": ["end-gateway"]}'),
        *('--deployments-addresses', json.dumps(addresses)),
    ).wait_serving()
    for number in range(9):
        put(client(gateway), f'{kind} {number}')
        # The replicas take turns.
        assert [got(client(gateway)) for _ in range(3)] == [f'{kind} {number}'] * 3


def test_any_replica_may_be_killed_and_come_back(replicas):
    # The leader is one of them.
    for lost in range(3):
        replicas.all[lost].kill()
        left = [replica for number, replica in enumerate(replicas.all) if number != lost]
        put(client(left[0]), f'without {lost}')
        assert [got(client(reader)) for reader in left] == [f'without {lost}'] * 2
        replicas.again(lost)
        assert got(client(replicas.all[lost])) == f'without {lost}', 'it caught up before it was ready'


def test_all_replicas_may_be_stopped_and_start_again(replicas):
    put(client(replicas.all[1]), 'kept')
    for replica in replicas.all:
        replica.terminate()
    assert [replica.wait() for replica in replicas.all] == [0, 0, 0]
    replicas.all = [replicas.start(number) for number in range(3)]
    for replica in replicas.all:
        replica.wait_serving()
    assert [got(client(reader)) for reader in replicas.all] == ['kept'] * 3


def test_a_python_worker_that_is_killed_gets_its_state_back(stage):
    replicas = Replicas(stage, 'python')
    put(client(replicas.all[0]), 'remembered')
    [worker] = children(replicas.all[1])
    os.kill(worker, signal.SIGKILL)
    until(lambda: children(replicas.all[1]) not in ([], [worker]), 'there is a new worker')
    until(lambda: is_serving(replicas.ports[1]), 'the replica serves again')
    assert got(client(replicas.all[1])) == 'remembered'


def test_a_flow_runs_stateful_replicas(stage):
    port, ports = free_port(), [free_port() for _ in range(3)]
    file = stage.directory / 'flow.yml'
    file.write_text(
        'jtype: Flow\n'
        f'with: {{port: {port}, host: 127.0.0.1, protocol: GRPC}}\n'
        'executors:\n'
        '  - name: rows\n'
        f'    uses: {ROWS}\n'
        '    replicas: 3\n'
        '    stateful: true\n'
        f'    peer_ports: {ports}\n'
        f'    workspace: {stage.directory}\n'
        f'    python_interpreter: {sys.executable}\n'
    )
    flow = stage.start('flow', port, BINARIES / 'flowgate', 'flow', file).wait_serving()
    put(client(flow), 'through the flow')

    class Replica:
        """Where a replica is."""

        def __init__(self, port):
            self.port = port

    assert [got(client(Replica(port))) for port in ports] == ['through the flow'] * 3


@pytest.mark.parametrize(
    'arguments, said',
    [
        (['--peers', 'a:1', 'b:2', '--replica-id', '0'], 'workspace'),
        (['--workspace', 'space'], '--peers HOST:PORT'),
        (['--workspace', 'space', '--peers', 'a:1', 'b:2', '--replica-id', '2'], 'no such replica'),
        (['--workspace', 'space', '--peers', 'a:1', '--replica-id', '0', '--protocol', 'HTTP'], 'over gRPC'),
        (['--workspace', 'space', '--peers', 'a:1', 'b:2'], 'no replica of `peers` is on this host'),
        (
            ['--workspace', 'space', '--peers', 'a:1', '--replica-id', '0', '--raft-configuration', 'hartbeat_timeout=1'],
            'did you mean `heartbeat_timeout`',
        ),
    ],
)
def test_what_does_not_fit_is_said(tmp_path, arguments, said):
    program = [BINARIES / 'interop-executor', '--uses', 'Rows', '--stateful', *arguments]
    ended = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2 and said in ended.stderr, ended.stderr

"""Containers of exported manifests that run our image: they start, become ready as their probes ask, serve, and stop.

The argument lists are those that Jina's exporters wrote. Only what a test must change is changed: ports are free ones,
and the addresses of others are those of stand-ins.
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from docarray import DocList
from jina import Client
from jina.proto import jina_pb2_grpc
from jina.types.request.data import DataRequest

from certificates import self_signed
from conftest import texts
from executors import Text
from processes import BINARIES, HERE, free_port, until

EXAMPLES = json.loads((HERE.parent / 'golden/export_argv.json').read_text())
# The exporter left a placeholder where the port should be: with Jina's image this probe never succeeds either.
BROKEN = '{port_uses}'


class Container:
    """A process with the arguments of a container, in a directory with the certificates that manifests name."""

    def __init__(self, directory: Path, env: dict, argv: list[str]):
        self.directory, self.env = directory, env
        self.log = (directory / 'log').open('wb')
        self.popen = subprocess.Popen(
            argv, cwd=directory, env=env, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL
        )

    def probe(self, probe) -> int:
        """The status of a probe: a list of words, or a line for a shell."""
        asked = subprocess.run(
            probe, shell=isinstance(probe, str), cwd=self.directory, env=self.env, capture_output=True, timeout=60
        )
        return asked.returncode

    def wait_ready(self, probe):
        def ready():
            status = self.popen.poll()
            said = (self.directory / 'log').read_text()
            assert status is None, f'{self.popen.args} ended with {status}:\n{said}'
            return self.probe(probe) == 0

        until(ready, f'{probe} succeeds')

    def terminate(self) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(60)

    def close(self):
        self.popen.kill()
        self.popen.wait()
        self.log.close()


@pytest.fixture
def container(tmp_path, stand_ins):
    """Starts containers, and ends them."""
    (tmp_path / 'jina').symlink_to(BINARIES / 'flowgate')
    for name in ['cert.pem', 'key.pem']:
        (tmp_path / name).symlink_to(stand_ins['directory'] / name)
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(('JINA_', 'FLOWGATE_'))},
        'PATH': f'{tmp_path}:{os.environ["PATH"]}',
        'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH': str(stand_ins['directory'] / 'cert.pem'),
        'SSL_CERT_FILE': str(stand_ins['directory'] / 'cert.pem'),
    }
    started = []

    def start(argv):
        started.append(Container(tmp_path, env, argv))
        return started[-1]

    yield start
    for process in started:
        process.close()


@pytest.fixture(scope='module')
def stand_ins(shared, tmp_path_factory):
    """Executors that stand for all others, in plain text and encrypted."""
    directory = tmp_path_factory.mktemp('certificates')
    certificate, key = self_signed(directory)
    plain = shared.executor('rust', 'FooExecutor').wait_serving()
    port = free_port()
    program = [BINARIES / 'interop-executor', '--uses', 'FooExecutor', '--host', '127.0.0.1', '--port', port]
    shared.start('secure', port, *program, '--tls-certfile', certificate, '--tls-keyfile', key)
    ping = [BINARIES / 'flowgate', 'ping', 'executor', f'grpcs://127.0.0.1:{port}']
    until(lambda: subprocess.run(ping, capture_output=True).returncode == 0, 'the encrypted executor serves')
    return {'directory': directory, 'plain': f'localhost:{plain.port}', 'secure': f'localhost:{port}'}


def placed(example: dict, stand_ins: dict) -> tuple[list[str], dict, list[int]]:
    """The arguments and probes with ports that are free and addresses that are there; and the ports."""
    argv, ports, moved = list(example['argv']), [], {}
    values_of = None
    for n, word in enumerate(argv):
        if word.startswith('--'):
            values_of = word
        elif values_of in ('--port', '--port-monitoring'):
            argv[n] = str(free_port())
            if values_of == '--port':
                moved[word] = argv[n]
                ports.append(int(argv[n]))
        elif values_of in ('--deployments-addresses', '--connection-list', '--uses-before-address', '--uses-after-address'):
            # A scheme stays what it is.
            for scheme, there in [('grpcs://', 'secure'), ('grpc://', 'plain'), ('', 'plain')]:
                host = r'(?<![/\w])' if not scheme else scheme
                word = re.sub(host + r'[a-zA-Z][\w.-]*:\d+|' + host + r'127\.0\.0\.1:\d+', scheme + stand_ins[there], word)
            argv[n] = word
    probes = json.dumps({name: example[name] for name in ('startup_probe', 'liveness_probe', 'healthcheck') if name in example})
    for port, now in moved.items():
        probes = re.sub(rf':{port}\b', f':{now}', probes)
    return argv, json.loads(probes), ports


def protocols(argv: list[str]) -> list[str]:
    """What a gateway serves."""
    if 'GRPCGateway' in argv or '--protocol' not in argv:
        return ['GRPC']
    listed = argv[argv.index('--protocol') + 1 :]
    return [word for word in listed if word in ('GRPC', 'HTTP', 'WEBSOCKET')]


def ask_gateway(process: Container, argv: list[str], ports: list[int]):
    """Sends a request over every protocol."""
    tls = '--ssl-certfile' in argv
    for protocol, port in zip(protocols(argv), ports):
        if tls:
            ask = [sys.executable, HERE / 'ask.py', protocol, str(port), 'True']
            subprocess.run(ask, env=process.env, check=True, timeout=120)
            continue
        client = Client(host='localhost', port=port, protocol=protocol.lower())
        answer = client.post('/foo', inputs=texts('a'), return_type=DocList[Text])
        assert {doc.text for doc in answer} == {'foo was called'}, protocol


def ask_executor(port: int, by_stand_ins: bool):
    """Sends a request as a gateway does."""
    request = DataRequest()
    request.document_array_cls = DocList[Text]
    request.data.docs = texts('a')
    request.header.exec_endpoint = '/foo'
    with grpc.insecure_channel(f'127.0.0.1:{port}') as channel:
        stub = jina_pb2_grpc.JinaSingleDataRequestRPCStub(channel)
        answer = stub.process_single_data(request, timeout=20, metadata=[('endpoint', '/foo')])
    answer.document_array_cls = DocList[Text]
    assert answer.status.code == 0
    assert {doc.text for doc in answer.docs} == {'foo was called' if by_stand_ins else 'a'}


@pytest.mark.parametrize('name', EXAMPLES)
def test_an_exported_container_starts_serves_and_stops(name, container, stand_ins):
    argv, probes, ports = placed(EXAMPLES[name], stand_ins)
    usable = [probe for probe in probes.values() if BROKEN not in json.dumps(probe)]
    process = container(argv)
    process.wait_ready(usable[0])
    for probe in probes.values():
        assert (process.probe(probe) == 0) == (probe in usable), probe
    if argv[1] == 'gateway':
        ask_gateway(process, argv, ports)
    else:
        ask_executor(ports[0], by_stand_ins='HEAD' in argv)
    assert process.terminate() == 0, (process.directory / 'log').read_text()
    for probe in usable:
        assert process.probe(probe) != 0, probe


def test_probes_fail_until_executors_are_there(container, stand_ins, shared):
    argv, probes, ports = placed(EXAMPLES['11_three_protocols_no_port kubernetes Deployment/gateway gateway'], stand_ins)
    missing = free_port()
    argv = [word.replace(stand_ins['plain'], f'localhost:{missing}') for word in argv]
    process = container(argv)
    # The process says whom it waits for; its ports are closed meanwhile.
    until(lambda: 'waiting for an executor' in (process.directory / 'log').read_text(), 'the gateway waits')
    assert process.popen.poll() is None
    assert [process.probe(probe) for probe in probes.values()] == [1] * len(probes)
    shared.executor('rust', 'FooExecutor', missing).wait_serving()
    process.wait_ready(probes['startup_probe'])
    ask_gateway(process, argv, ports)


@pytest.mark.parametrize('n_protocols', [1, 3])
def test_a_gateway_that_waits_for_executors_ends_when_it_is_told_to(container, n_protocols):
    graph = ['--graph-description', '{"start-gateway": ["a"], "a": ["end-gateway"]}']
    addresses = ['--deployments-addresses', json.dumps({'a': [f'127.0.0.1:{free_port()}']})]
    served = ['--protocol', *['GRPC', 'HTTP', 'WEBSOCKET'][:n_protocols]]
    ports = ['--port', *(str(free_port()) for _ in range(n_protocols))]
    process = container(['jina', 'gateway', *graph, *addresses, *served, *ports])
    until(lambda: 'replicas changed' in (process.directory / 'log').read_text(), 'it looks for executors')
    assert process.terminate() == 0


def test_health_is_watched_to_its_end(container):
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    port = free_port()
    process = container(['jina', 'gateway', '--port', str(port), '--drain-linger', '200ms'])
    process.wait_ready(['jina', 'ping', 'gateway', f'127.0.0.1:{port}'])
    with grpc.insecure_channel(f'127.0.0.1:{port}') as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        process.popen.send_signal(signal.SIGTERM)
        assert next(watched).status == health_pb2.HealthCheckResponse.NOT_SERVING
    assert process.popen.wait(60) == 0


def test_the_image_needs_a_shell_and_finds_jina(container):
    port = free_port()
    process = container(['jina', 'executor', '--native', '--port', str(port)])
    process.wait_ready(f'jina ping executor 127.0.0.1:{port}')
    assert process.probe('sleep 0 && command -v jina') == 0

"""Encryption on every protocol with the Python client, certificates that change, and between gateway and executors."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading

import grpc
import pytest

from certificates import self_signed, signed_by
from conftest import texts
from docarray import DocList
from executors import Text
from jina import Client
from processes import BINARIES, HERE, free_port, until

PROTOCOLS = ['GRPC', 'HTTP', 'WEBSOCKET']


def ping(scheme: str, port: int, *options) -> bool:
    """Whether a process serves, whatever its certificate if the options name no authorities."""
    command = [BINARIES / 'flowgate', 'ping', 'gateway', f'{scheme}://localhost:{port}', *map(str, options)]
    return subprocess.run(command, capture_output=True).returncode == 0


def ask(protocol: str, port: int, authority) -> subprocess.CompletedProcess:
    """Asks with the Python client."""
    env = {**os.environ, 'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH': str(authority), 'SSL_CERT_FILE': str(authority)}
    command = [sys.executable, HERE / 'ask.py', protocol, str(port), 'True']
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


def gateway(stage, executor: str, *options, protocol: str = 'GRPC'):
    """Our gateway before an executor at an address."""
    graph = {'start-gateway': ['a'], 'a': ['end-gateway']}
    protocols = protocol.split()
    ports = [free_port() for _ in protocols]
    program = [BINARIES / 'gateway', '--host', '127.0.0.1', '--port', *ports, '--protocol', *protocols]
    described = ['--graph-description', json.dumps(graph), '--deployments-addresses', json.dumps({'a': [executor]})]
    process = stage.start('gateway', ports[0], *program, *described, *options)
    process.ports = dict(zip(protocols, ports))
    return process


@pytest.fixture
def foo(stage):
    """An executor in plain text."""
    return f'grpc://127.0.0.1:{stage.executor("rust", "FooExecutor").wait_serving().port}'


# It starts Python several times, which takes its time on a busy machine.
@pytest.mark.timeout(300)
def test_every_protocol_is_encrypted(stage, foo, tmp_path):
    certificate, key = self_signed(tmp_path)
    tls = ['--ssl-certfile', certificate, '--ssl-keyfile', key]
    process = gateway(stage, foo, *tls, protocol=' '.join(PROTOCOLS)).wait_serving(lambda port: ping('grpc', port))
    for protocol in PROTOCOLS:
        answer = ask(protocol, process.ports[protocol], certificate)
        assert answer.returncode == 0, f'{protocol}: {answer.stderr}'
    # Who is not vouched for is not believed, and who speaks in plain text is not heard.
    other, _ = self_signed(tmp_path, 'other-cert')
    for protocol in PROTOCOLS:
        assert ask(protocol, process.ports[protocol], other).returncode != 0, protocol
    with pytest.raises(ConnectionError):
        Client(host='localhost', port=process.port).post('/foo', inputs=texts('a'))


def served(port: int) -> str:
    """The certificate that is shown."""
    return ssl.get_server_certificate(('localhost', port))


def test_new_certificates_are_used_and_no_call_is_lost(stage, tmp_path):
    authority = self_signed(tmp_path, 'authority-cert')
    first, second = (signed_by(authority, tmp_path, name) for name in ('first', 'second'))
    certificate, key = tmp_path / 'tls.crt', tmp_path / 'tls.key'

    def install(pair):
        for source, target in zip(pair, (certificate, key)):
            shutil.copy(source, tmp_path / 'new')
            (tmp_path / 'new').rename(target)

    install(first)
    executor = stage.executor('rust', 'Tools').wait_serving()
    tls = ['--ssl-certfile', certificate, '--ssl-keyfile', key]
    process = gateway(stage, f'127.0.0.1:{executor.port}', *tls).wait_serving(lambda port: ping('grpc', port))
    assert served(process.port) == first[0].read_text()

    credentials = grpc.ssl_channel_credentials(authority[0].read_bytes())
    failures, answered, stop = [], [], threading.Event()

    def keep_asking():
        from grpc_health.v1 import health_pb2, health_pb2_grpc

        with grpc.secure_channel(f'localhost:{process.port}', credentials) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            while not stop.is_set():
                try:
                    answered.append(health.Check(health_pb2.HealthCheckRequest(), timeout=20))
                except grpc.RpcError as error:
                    failures.append(error)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        until(lambda: answered, 'the first answer')
        install(second)
        until(lambda: served(process.port) == second[0].read_text(), 'the new certificate is shown')
        before = len(answered)
        until(lambda: len(answered) > before, 'an answer over the old connection')
        # Half a pair is refused; what was there stays.
        certificate.write_text('nothing')
        until(lambda: 'the old ones stay in use' in process.said(), 'the wrong certificate is told')
        assert served(process.port) == second[0].read_text()
    finally:
        stop.set()
        asking.join()
    assert not failures


@pytest.mark.parametrize('asked', [True, False])
def test_a_deployment_without_a_gateway_follows_its_certificates(stage, tmp_path, asked):
    authority = self_signed(tmp_path, 'authority-cert')
    first, second = (signed_by(authority, tmp_path, name) for name in ('first', 'second'))
    certificate, key = tmp_path / 'tls.crt', tmp_path / 'tls.key'
    shutil.copy(first[0], certificate)
    shutil.copy(first[1], key)
    ports = [free_port(), free_port()]
    (tmp_path / 'deployment.yml').write_text(
        f'jtype: Deployment\nwith: {{include_gateway: false, host: 127.0.0.1, port: {ports}, protocol: [GRPC, HTTP], '
        f'tls_certfile: {certificate}, tls_keyfile: {key}}}\n'
    )
    program = [BINARIES / 'flowgate', 'flow', '--uses', tmp_path / 'deployment.yml']
    process = stage.start('deployment', ports[0], *program).wait_serving(lambda port: ping('grpc', port))
    assert [served(port) for port in ports] == [first[0].read_text()] * 2
    shutil.copy(second[0], certificate)
    shutil.copy(second[1], key)
    if asked:
        process.popen.send_signal(signal.SIGHUP)
    until(lambda: [served(port) for port in ports] == [second[0].read_text()] * 2, 'the new one is shown')
    process.terminate()
    assert process.wait() == 0


def test_clients_must_show_certificates_where_they_are_asked_to(stage, foo, tmp_path):
    authority = self_signed(tmp_path, 'authority-cert')
    server, client, stranger = (signed_by(authority, tmp_path, name) for name in ('server', 'client', 'stranger'))
    alien = self_signed(tmp_path, 'alien-cert')
    tls = ['--ssl-certfile', server[0], '--ssl-keyfile', server[1], '--ssl-client-ca', authority[0]]
    process = gateway(stage, foo, *tls)

    def check(pair) -> bool:
        from grpc_health.v1 import health_pb2, health_pb2_grpc

        own = {'private_key': pair[1].read_bytes(), 'certificate_chain': pair[0].read_bytes()} if pair else {}
        credentials = grpc.ssl_channel_credentials(authority[0].read_bytes(), **own)
        with grpc.secure_channel(f'localhost:{process.port}', credentials) as channel:
            try:
                health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
            except grpc.RpcError:
                return False
        return True

    until(lambda: check(client), 'a client with a certificate is let in')
    assert check(stranger), 'the authority vouches for all of its own'
    assert not check(None)
    assert not check(alien)

    own, other = (['--certfile', pair[0], '--keyfile', pair[1]] for pair in (client, alien))
    assert ping('grpcs', process.port, *own)
    assert ping('grpcs', process.port, *own, '--ca', authority[0])
    assert not ping('grpcs', process.port), 'without a certificate'
    assert not ping('grpcs', process.port, *other), 'with one that nobody knows'
    assert not ping('grpcs', process.port, *own, '--ca', alien[0]), 'of authorities that do not vouch for the gateway'


def test_gateway_and_executor_show_each_other_certificates(stage, tmp_path):
    authority = self_signed(tmp_path, 'authority-cert')
    server, client = (signed_by(authority, tmp_path, name) for name in ('server', 'client'))
    port = free_port()
    tls = ['--tls-certfile', server[0], '--tls-keyfile', server[1], '--tls-client-ca', authority[0]]
    program = [BINARIES / 'interop-executor', '--uses', 'FooExecutor', '--host', '127.0.0.1', '--port', port]
    stage.start('executor', port, *program, *tls)
    trust = ['--executors-ca', authority[0]]
    own = ['--executors-certfile', client[0], '--executors-keyfile', client[1]]
    process = gateway(stage, f'grpcs://localhost:{port}', *trust, *own).wait_serving()
    answer = Client(host='127.0.0.1', port=process.port).post('/foo', inputs=texts('a'), return_type=DocList[Text])
    assert answer.text == ['foo was called']
    # Without a certificate the executor does not let it in, so it never becomes ready.
    anonymous = gateway(stage, f'grpcs://localhost:{port}', *trust)
    until(lambda: 'waiting for an executor' in anonymous.said(), 'the gateway waits')
    assert anonymous.popen.poll() is None and not ping('grpc', anonymous.port)

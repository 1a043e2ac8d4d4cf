"""What operators see and set: logs, the status report, options, arguments.

Rows of the tables of acceptance that are not here:

| rows | where |
|---|---|
| exported arguments, heads, pass-through, probes, the image, SIGTERM in discovery, health watched | test_exports.py |
| encryption | test_tls.py |
| compression, pings, sizes of messages, age of connections | tests/it/wire.rs, transport.rs |
| choices, status 2, everything that can be wrong | crates/flowgate: tests/program.rs |
| Flow files: variables, inheritance, arguments | crates/config: files/tests.rs, test_flow.py |
| endpoints of the pass-through, CORS, titles, start time | test_acceptance_config.py |
| switches without effect, prefetch, readiness | crates/frontend-http: tests/; tests/it/streams.rs, life.rs |
| SIGTERM with requests in flight, occupied ports | tests/it/process.rs, test_failures.py |
"""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import grpc
import pytest
from docarray import DocList
from jina import Client
from jina.excepts import BadServer, BadServerFlow

from conftest import texts
from executors import Text
from generic import Generic
from processes import BINARIES, HERE, free_port, is_healthy, is_serving, until

GOLDEN = HERE.parent / 'golden'
KEYS = {
    *('created', 'filename', 'funcName', 'levelname', 'lineno', 'module', 'msg', 'name', 'pathname'),
    *('process', 'processName', 'thread', 'threadName'),
}


class Logged:
    """A process whose standard output is kept apart, with some variables set."""

    def __init__(self, directory, variables: dict, *argv):
        self.out = directory / f'{free_port()}.out'
        env = {name: value for name, value in os.environ.items() if not name.startswith(('JINA_', 'FLOWGATE_'))}
        words = [str(word) for word in argv]
        with self.out.open('wb') as out:
            self.popen = subprocess.Popen(words, stdout=out, stderr=out, env={**env, **variables}, cwd=directory)

    def lines(self) -> list[str]:
        return self.out.read_text().splitlines()

    def wait_for(self, text: str):
        until(lambda: any(text in line for line in self.lines()), f'the log says {text}')
        return self

    def stop(self) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(60)


@pytest.fixture
def gateway(tmp_path):
    """Starts gateways without executors."""
    started = []

    def start(*arguments, **variables):
        process = Logged(tmp_path, variables, BINARIES / 'flowgate', 'gateway', '--host', '127.0.0.1', *arguments)
        started.append(process)
        return process

    yield start
    for process in started:
        process.popen.kill()
        process.popen.wait()


def test_json_lines_have_the_keys_of_jinas(gateway):
    process = gateway('--log-config', 'json', '--name', 'front').wait_for('Gateway started')
    assert process.stop() == 0
    lines = [json.loads(line) for line in process.lines()]
    assert {frozenset(line) for line in lines} == {frozenset(KEYS)}
    assert {line['name'] for line in lines} == {'front'}
    assert {'DEBUG', 'INFO', 'WARNING', 'ERROR'} >= {line['levelname'] for line in lines}
    assert any(line['msg'].startswith('start server bound to 127.0.0.1:') for line in lines)


PLAIN = re.compile(r'^ +gateway@ *\d+\[[DIWE]\]:')


@pytest.mark.parametrize('arguments, variables, form', [
    (['--log-config', 'plain'], {}, PLAIN),
    (['--log-config', 'json'], {'JINA_LOG_CONFIG': 'plain'}, PLAIN),
    (['--log-config', 'logging.json.yml'], {}, re.compile(r'^\{')),
    ([], {}, re.compile(r'^\[\d\d/\d\d/\d\d \d\d:\d\d:\d\d\] INFO +gateway@')),
    ([], {'JINA_LOG_LEVEL': 'dEbUg', 'JINA_LOG_CONFIG': 'plain'}, PLAIN),
])
def test_what_is_logged_has_the_form_that_is_asked_for(gateway, arguments, variables, form):
    process = gateway(*arguments, **variables).wait_for('Gateway started')
    process.stop()
    assert all(form.match(line) for line in process.lines()), process.lines()


@pytest.mark.parametrize('arguments, variables', [
    (['--quiet'], {'JINA_LOG_CONFIG': 'plain'}),
    (['--log-config', 'json'], {'JINA_LOG_CONFIG': 'QUIET'}),
    ([], {'JINA_LOG_LEVEL': 'Warning'}),
    ([], {'JINA_LOG_LEVEL': 'success'}),
    ([], {'JINA_LOG_LEVEL': 'ERROR'}),
    ([], {'JINA_LOG_LEVEL': 'critical'}),
])
def test_nothing_is_logged_where_nothing_is_wanted(gateway, arguments, variables):
    port = free_port()
    process = gateway('--port', port, *arguments, **variables)
    until(lambda: is_serving(port), 'it serves')
    assert process.stop() == 0
    assert process.lines() == []


@pytest.mark.parametrize('command', [['gateway'], ['executor'], ['flow', '--uses', 'x.yml']])
def test_a_level_that_is_none_is_refused(command):
    env = {**os.environ, 'JINA_LOG_LEVEL': 'loud'}
    ended = subprocess.run([BINARIES / 'flowgate', *command], env=env, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    if command[0] != 'flow':
        assert 'JINA_LOG_LEVEL: expected one of DEBUG, INFO' in ended.stderr


def test_a_file_says_where_and_how_is_logged(gateway, tmp_path):
    (tmp_path / 'log.yml').write_text("""
handlers: [StreamHandler, RotatingFileHandler]
level: INFO
configs:
  StreamHandler: {format: '{name:>12}|%(levelname)-8s|%(message)s', formatter: PlainFormatter}
  RotatingFileHandler: {format: '%(message)s', formatter: JsonFormatter, filename: 'of-{name}.log', maxBytes: 0, backupCount: 1}
""")
    process = gateway('--log-config', 'log.yml').wait_for('     gateway|INFO    |Gateway started')
    process.stop()
    written = [json.loads(line)['msg'] for line in (tmp_path / 'of-gateway.log').read_text().splitlines()]
    assert [line.split('|', 2)[2] for line in process.lines()] == written


def test_the_gateway_of_a_flow_has_a_log_of_its_own(tmp_path):
    (tmp_path / 'log.yml').write_text("""
handlers: [FileHandler]
configs:
  FileHandler: {format: '%(message)s', formatter: JsonFormatter, output: gateway.log}
""")
    port = free_port()
    (tmp_path / 'flow.yml').write_text(f"""
jtype: Flow
gateway: {{port: {port}, host: 127.0.0.1, log_config: log.yml}}
executors:
  - {{name: foo, uses: {HERE / 'foo.yml'}}}
""")
    env = {'JINA_PYTHON': sys.executable}
    process = Logged(tmp_path, env, BINARIES / 'flowgate', 'flow', '--uses', tmp_path / 'flow.yml')
    try:
        process.wait_for('the Flow is ready')
        client = Client(host='127.0.0.1', port=port)
        assert client.post('/', texts('a'), return_type=DocList[Text]).text == ['foo was called']
    finally:
        process.stop()
    logged = [json.loads(line) for line in (tmp_path / 'gateway.log').read_text().splitlines()]
    assert 'Gateway started' in {line['msg'] for line in logged}
    # The executor logs as it does by default.
    assert not any('Gateway started' in line for line in process.lines())


def get(port: int, path: str):
    with urllib.request.urlopen(f'http://127.0.0.1:{port}{path}', timeout=20) as answer:
        return answer.read()


@pytest.mark.parametrize('variables, arguments, want', [
    ({'JINA_LOG_LEVEL': 'info'}, [], ['GET /', 'GET /status', 'GET /status']),
    ({'JINA_LOG_LEVEL': 'INFO', 'CICD_JINA_DISABLE_HEALTHCHECK_LOGS': '1'}, [], ['GET /status', 'GET /status']),
    ({'JINA_LOG_LEVEL': 'INFO'}, ['--uvicorn-kwargs', '{"access_log": false}'], []),
    ({}, [], []),
])
def test_requests_over_http_are_logged_where_that_is_wanted(gateway, variables, arguments, want):
    http, websocket = free_port(), free_port()
    process = gateway('--port', http, websocket, '--protocol', 'HTTP', 'WEBSOCKET', *arguments, **variables)
    process.wait_for('Gateway started')
    get(http, '/'), get(http, '/status'), get(websocket, '/status')
    process.stop()
    access = [line for line in process.lines() if 'HTTP/1.1' in line]
    assert [re.search(r'127\.0\.0\.1:\d+ - "(.*) HTTP/1.1" 200 OK$', line)[1] for line in access] == want


@pytest.fixture(scope='module')
def flow(shared):
    """A gateway with HTTP and a secret before an executor."""
    executor = shared.executor('rust', 'FooExecutor').wait_serving()
    secret = json.dumps({'executor0': {'authorization': 's3cret-token'}})
    return executor, shared.gateway('rust', executor, protocol='GRPC HTTP', deployments_metadata=secret).wait_serving()


def maps(status) -> tuple[dict, dict, dict]:
    return dict(status.jina), dict(status.envs), dict(status.flowgate)


def test_the_status_has_the_keys_of_jinas_and_ours(flow):
    golden = json.loads((GOLDEN / 'status_gateway.json').read_text())
    executor, gateway = flow
    reports = {
        'HTTP': tuple(json.loads(get(gateway.ports['HTTP'], '/status')).values()),
        'gateway': maps(Generic(gateway.port).call('jina.JinaInfoRPC', '_status')),
        'executor': maps(Generic(executor.port).call('jina.JinaInfoRPC', '_status')),
    }
    for name, (jina, envs, own) in reports.items():
        assert set(jina) == set(golden['jina']), name
        assert set(envs) == set(golden['envs']), name
        assert all(isinstance(value, str) for part in (jina, envs, own) for value in part.values())
        assert {'version', 'commit', 'profile', 'allocator', 'tls', 'max-requests', 'max-message'} <= set(own)
    assert list(reports['HTTP'][0]) == list(golden['jina']) and list(reports['HTTP'][1]) == list(golden['envs'])
    assert reports['gateway'][2]['allocator'] == 'mimalloc'


def test_the_status_changes_only_in_its_session_and_keeps_secrets(flow):
    _, gateway = flow
    first, second = (get(gateway.ports['HTTP'], '/status') for _ in range(2))
    assert b's3cret-token' not in first and b'authorization' in first
    first, second = json.loads(first), json.loads(second)
    assert first['jina'].pop('session-id') != second['jina'].pop('session-id')
    assert first == second


def test_arguments_that_nobody_knows_are_told_once(tmp_path):
    port = free_port()
    argv = ['executor', '--native', '--host', '127.0.0.1', '--port', port, '--bogus', '1', '--ssl-certfile', 'x', '--cors']
    process = Logged(tmp_path, {}, BINARIES / 'flowgate', *argv)
    until(lambda: is_serving(port), 'it serves')
    assert process.stop() == 0
    warnings = [line for line in process.lines() if 'unknown' in line]
    assert len(warnings) == 1 and '--bogus' in warnings[0], process.lines()


@pytest.mark.parametrize('form', ['--port {} {} {}', '--port {},{},{}', '--ports {} {} {}', '--port-expose={},{},{}', '--port-e {} {} {}'])
def test_lists_of_ports_are_read_in_every_form(gateway, form):
    ports = [free_port() for _ in range(3)]
    gateway(*form.format(*ports).split(), '--protocol', 'grpc', 'Http', 'WEBSOCKET').wait_for('Gateway started')
    assert is_serving(ports[0]) and is_healthy(ports[1]) and is_healthy(ports[2])


@pytest.mark.parametrize('option', ['{"grpc.max_receive_message_length": 60}', 'grpc.max_receive_message_length=60', 'grpc.max_receive_message_length: 60'])
def test_options_are_read_in_every_form(shared, flow, option):
    executor, _ = flow
    gateway = shared.gateway('rust', executor, grpc_server_options=option).wait_serving()
    with pytest.raises(BadServerFlow, match='RESOURCE_EXHAUSTED'):
        Client(host='127.0.0.1', port=gateway.port).post('/', texts('x' * 100), return_type=DocList[Text])


def test_options_without_a_counterpart_are_named(gateway):
    options = '{"grpc.census": 1, "grpc.so_reuseport": 1, "grpc.primary_user_agent": "x"}'
    web = '{"limit_max_requests": 4, "workers": 2}'
    process = gateway('--grpc-server-options', options, '--uvicorn-kwargs', web).wait_for('Gateway started')
    process.stop()
    warned = [line for line in process.lines() if 'has no effect here' in line]
    assert len(warned) == 3
    for name in ['grpc.census', 'grpc.primary_user_agent', 'limit_max_requests']:
        assert sum(name in line for line in warned) == 1, warned


def test_a_client_that_pings_all_the_time_is_not_punished(flow):
    _, gateway = flow
    options = [
        ('grpc.keepalive_time_ms', 100),
        ('grpc.http2.max_pings_without_data', 0),
        ('grpc.http2.min_sent_ping_interval_without_data_ms', 100),
        ('grpc.keepalive_permit_without_calls', 1),
    ]
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(f'127.0.0.1:{gateway.port}', options) as channel:
        watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=3)
        assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
        # Nothing else comes before the client itself has had enough.
        with pytest.raises(grpc.RpcError) as ended:
            next(watched)
    assert ended.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize('language', ['python', 'rust'])
def test_connections_that_rest_are_closed(stage, language):
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    options = ['--grpc-server-options', '{"grpc.max_connection_idle_ms": 300}']
    executor = stage.executor('python', 'FooExecutor', 0, *options) if language == 'python' else None
    if executor is None:
        port = free_port()
        program = [BINARIES / 'flowgate', 'executor', '--host', '127.0.0.1', '--port', port]
        executor = stage.start('executor', port, *program, *options)
    executor.wait_serving()

    def channel():
        states = []
        # Channels of one process share connections otherwise.
        options = [('grpc.use_local_subchannel_pool', 1)]
        channel = grpc.insecure_channel(f'127.0.0.1:{executor.port}', options)
        channel.subscribe(states.append)
        return channel, health_pb2_grpc.HealthStub(channel), states

    busy, busy_health, busy_states = channel()
    watched = busy_health.Watch(health_pb2.HealthCheckRequest(), timeout=60)
    assert next(watched).status == health_pb2.HealthCheckResponse.SERVING
    resting, resting_health, resting_states = channel()
    resting_health.Check(health_pb2.HealthCheckRequest(), timeout=20)
    until(lambda: grpc.ChannelConnectivity.READY in resting_states, 'it is connected')
    until(lambda: resting_states[-1] != grpc.ChannelConnectivity.READY, 'it is closed')
    assert busy_states[-1] == grpc.ChannelConnectivity.READY
    answer = resting_health.Check(health_pb2.HealthCheckRequest(), timeout=20)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    watched.cancel()
    busy.close()
    resting.close()


SPEAKER = """
from docarray import DocList
from docarray.documents import TextDoc
from jina import Executor, requests


class Speaker(Executor):
    @requests
    def say(self, docs: DocList[TextDoc], **kwargs) -> DocList[TextDoc]:
        print('said by the class')
        return docs

    @requests(on='/fail')
    def fail(self, docs: DocList[TextDoc], **kwargs) -> DocList[TextDoc]:
        raise ValueError('failed on purpose')
"""


def test_executors_that_share_the_process_of_a_flow_log_under_their_names(tmp_path):
    (tmp_path / 'speaker.py').write_text(SPEAKER)
    (tmp_path / 'speaker.yml').write_text('jtype: Speaker\npy_modules: [speaker.py]\n')
    port = free_port()
    (tmp_path / 'flow.yml').write_text(
        f"""jtype: Flow
gateway: {{port: {port}, host: 127.0.0.1}}
executors:
- {{name: indexer, uses: Indexer, uses_with: {{writer_heap: 16MiB}}, workspace: {tmp_path}}}
- {{name: speaker, uses: speaker.yml, python_workers: 1, replicas: 2, python_interpreter: {sys.executable}, needs: gateway}}
- {{name: join, needs: [indexer, speaker]}}
"""
    )
    flow = Logged(tmp_path, {'JINA_LOG_LEVEL': 'INFO'}, BINARIES / 'search', 'flow', '--uses', 'flow.yml')
    flow.wait_for('the Flow is ready')
    caller = Client(host='127.0.0.1', port=port)
    with pytest.raises(BadServer, match='failed on purpose'):
        caller.post('/fail', texts('a'), return_type=DocList[Text], target_executor='speaker')
    until(
        lambda: caller.post('/x', texts('a'), return_type=DocList[Text], target_executor='speaker')
        and len({line for line in flow.lines() if 'said by the class' in line and '/rep-' in line}) > 1,
        'both replicas speak',
    )
    assert flow.stop() == 0

    def names(text: str) -> set[str]:
        return {re.search(r'(\S+)@\d+', line)[1] for line in flow.lines() if text in line}

    assert names('index opened') == {'indexer/rep-0'}
    assert names('said by the class') == {'speaker/rep-0', 'speaker/rep-1'}
    assert names('failed on purpose') <= {'speaker/rep-0', 'speaker/rep-1'}
    assert names('failed on purpose') and names('Gateway started') == {'gateway'}


def test_the_version_of_jina_is_told(tmp_path):
    (tmp_path / 'jina').symlink_to(BINARIES / 'flowgate')
    told = subprocess.run([tmp_path / 'jina', '-v'], capture_output=True, text=True, timeout=60)
    assert (told.returncode, told.stdout) == (0, '3.34.0\n')

"""Settings of the web server by their uvicorn names: Jina's gateway and ours, told and asked the same."""

import contextlib
import json
import socket

import pytest

from processes import is_healthy, until

KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
HANDSHAKE = f'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n'


@pytest.fixture(scope='module')
def executor(shared):
    """Any executor."""
    return shared.executor('rust', 'FooExecutor').wait_serving()


@pytest.fixture(scope='module', params=['python', 'rust'])
def behind_a_proxy(request, shared, executor):
    """A gateway that a proxy shows under another path, and that names its team."""
    settings = {'root_path': '/api', 'headers': [['X-Team', 'search'], ['x-team', 'index'], ['Server', 'ours']]}
    options = {'protocol': 'HTTP WEBSOCKET', 'uvicorn_kwargs': json.dumps(settings)}
    return shared.gateway(request.param, executor, **options).wait_serving(is_healthy)


@pytest.fixture(scope='module', params=['python', 'rust'])
def crowded(request, shared, executor):
    """A gateway that lets in two connections."""
    options = {'protocol': 'HTTP', 'uvicorn_kwargs': '{"limit_concurrency": 3}'}
    return shared.gateway(request.param, executor, **options).wait_serving(is_healthy)


def head_of(answer) -> tuple[int, list[tuple[str, str]]]:
    """The status and the headers that a file begins with."""
    status = int(answer.readline().split()[1])
    lines = iter(lambda: answer.readline().strip().decode(), '')
    return status, [tuple(line.lower().split(': ', 1)) for line in lines]


def ask(port: int, path: str, headers: str = 'connection: close\r\n') -> tuple[int, list[tuple[str, str]], bytes]:
    """The answer to a request on a connection of its own."""
    with socket.create_connection(('127.0.0.1', port), timeout=20) as connection:
        connection.sendall(f'GET {path} HTTP/1.1\r\nhost: h\r\n{headers}\r\n'.encode())
        with connection.makefile('rb') as answer:
            status, headers = head_of(answer)
            return status, headers, b'' if status == 101 else answer.read()


def test_paths_are_the_same_with_and_without_the_root(behind_a_proxy):
    port = behind_a_proxy.ports['HTTP']
    for path, want in {
        **{'/': 200, '/status': 200, '/openapi.json': 200, '/docs': 200},
        **{'/api/': 200, '/api/status': 200, '/api/openapi.json': 200, '/api/docs': 200, '/%61pi/status': 200},
        **{'/apistatus': 404, '/api/api/status': 404, '/api//status': 404},
    }.items():
        assert ask(port, path)[0] == want, path
    for path, want in {'/api': '/api/', '/api/status/': '/api/status'}.items():
        status, headers, _ = ask(port, path)
        assert status == 307
        # Jina's names the host, ours does not.
        assert dict(headers)['location'].removeprefix('http://h') == want


def test_the_document_of_the_routes_names_the_root(behind_a_proxy):
    document = json.loads(ask(behind_a_proxy.ports['HTTP'], '/openapi.json')[2])
    assert document['servers'] == [{'url': '/api'}]
    assert '/status' in document['paths']


def test_connections_of_websocket_are_opened_below_the_root(behind_a_proxy):
    port = behind_a_proxy.ports['WEBSOCKET']
    for path, want in {'/': 101, '/api/': 101, '/api': 403, '/elsewhere': 403}.items():
        assert ask(port, path, HANDSHAKE)[0] == want, path


def test_every_answer_has_the_headers(behind_a_proxy):
    ports = behind_a_proxy.ports
    answers = [ask(ports['HTTP'], path) for path in ['/', '/openapi.json', '/nowhere']]
    answers += [ask(ports['WEBSOCKET'], '/status'), ask(ports['WEBSOCKET'], '/', HANDSHAKE)]
    for status, headers, _ in answers:
        ours = [(name, value) for name, value in headers if name in ('x-team', 'server')]
        assert sorted(ours) == [('server', 'ours'), ('x-team', 'index'), ('x-team', 'search')], status


def test_a_port_of_http_alone_opens_no_websocket(behind_a_proxy):
    for path in ['/', '/api/', '/status', '/nowhere']:
        status, headers, body = ask(behind_a_proxy.ports['HTTP'], path, HANDSHAKE)
        headers = dict(headers)
        assert (status, headers['connection'], headers['content-type'], body) == (403, 'close', 'text/plain', b'')


def test_one_connection_less_than_the_limit_is_let_in(crowded):
    until(lambda: ask(crowded.port, '/')[0] == 200, 'nobody else is there')
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(('127.0.0.1', crowded.port), timeout=20)) for _ in range(2)]
        status, headers, body = until(lambda: (got := ask(crowded.port, '/'))[0] == 503 and got, 'both are counted')
        headers = dict(headers)
        assert (headers['connection'], headers['content-type']) == ('close', 'text/plain; charset=utf-8')
        assert b'Service Unavailable' in body
        # WebSocket is not limited, and not spoken here.
        assert ask(crowded.port, '/', HANDSHAKE)[0] == 403
        # Those that are there go on.
        with idle[0].makefile('rb') as answers:

            def asked():
                idle[0].sendall(b'GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n')
                return head_of(answers)[0]

            assert asked() == 200
    until(lambda: ask(crowded.port, '/')[0] == 200, 'there is room again')

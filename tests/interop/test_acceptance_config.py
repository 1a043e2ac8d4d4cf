"""Rows of the tables of acceptance of arguments and of what operators see that no other file has.

test_operations.py tells where the others are.
"""

import datetime
import json
import urllib.request

import pytest

from generic import Generic
from processes import BINARIES, free_port, is_healthy


def get(port: int, path: str, **headers):
    """The answer over HTTP."""
    request = urllib.request.Request(f'http://127.0.0.1:{port}{path}', headers=headers)
    return urllib.request.urlopen(request, timeout=20)


def gateway(stage, *arguments):
    """Our gateway, without executors unless the arguments name some."""
    port = free_port()
    return stage.start('gateway', port, BINARIES / 'gateway', '--host', '127.0.0.1', '--port', port, *arguments)


# config.md: pass-through executor. That documents come back unchanged stands in test_exports.py.
def test_an_executor_without_code_binds_the_default_endpoint_alone(stage):
    port = free_port()
    program = [BINARIES / 'flowgate', 'executor', '--name', 'join', '--native', '--host', '127.0.0.1', '--port', port]
    stage.start('join', port, *program).wait_serving()
    found = Generic(port).call('jina.JinaDiscoverEndpointsRPC', 'endpoint_discovery')
    assert set(found.endpoints) == {'_jina_dry_run_', '/default'}


@pytest.fixture(scope='module')
def page(shared):
    """A gateway for browsers, and the time before it was started."""
    before = datetime.datetime.now()
    arguments = ['--protocol', 'HTTP', '--cors', '--title', 'Shop', '--description', 'What it sells']
    return gateway(shared, *arguments).wait_serving(is_healthy), before


# config.md: CORS.
def test_pages_of_every_origin_may_call(page):
    process, _ = page
    origin = 'http://shop.example'
    asked = {'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-y'}
    request = urllib.request.Request(
        f'http://127.0.0.1:{process.port}/search', method='OPTIONS', headers={'Origin': origin, **asked}
    )
    with urllib.request.urlopen(request, timeout=20) as preflight:
        allowed = {name: preflight.headers[f'access-control-allow-{name}'] for name in ('origin', 'methods', 'headers')}
        assert (preflight.status, preflight.headers['access-control-max-age']) == (200, '600')
    methods = {name.strip() for name in allowed.pop('methods').split(',')}
    assert methods == {'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'}
    assert allowed == {'origin': origin, 'headers': 'x-y'}
    for more in [{}, {'Cookie': 'a=b'}]:
        with get(process.port, '/', Origin=origin, **more) as answer:
            assert answer.headers['access-control-allow-origin'] in (origin, '*')
            assert answer.headers['access-control-allow-credentials'] == 'true'


def test_operators_are_warned_that_every_page_may_call(page, stage):
    process, _ = page
    assert 'CORS is enabled' in process.log.read_text()
    port = free_port()
    program = [BINARIES / 'flowgate', 'executor', '--host', '127.0.0.1', '--port', port, '--protocol', 'HTTP']
    for arguments, warned in [(['--cors'], True), ([], False)]:
        executor = stage.start('executor', port, *program, *arguments).wait_serving(is_healthy)
        assert ('CORS is enabled' in executor.log.read_text()) == warned
        executor.stop()



# config.md: title/description.
def test_the_openapi_document_has_the_title_and_the_description(page):
    process, _ = page
    info = json.load(get(process.port, '/openapi.json'))['info']
    assert info == {'title': 'Shop', 'description': 'What it sells', 'version': '3.34.0'}


# observability.md: start time.
def test_the_uptime_is_when_the_process_started(page):
    process, before = page
    after = datetime.datetime.now()
    started = datetime.datetime.fromisoformat(json.load(get(process.port, '/status'))['jina']['uptime'])
    assert before <= started <= after
    assert started.tzinfo is None

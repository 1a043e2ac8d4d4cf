"""The rows of test_acceptance.py that are about HTTP: Jina's gateway and ours, each as its users see it."""

import asyncio
import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from docarray import DocList
from jina import Client

from conftest import client, texts
from executors import Text
from processes import BINARIES, JINA, free_port, is_healthy, is_serving, until
from workers import Record


@pytest.fixture(params=['python', 'rust'])
def kind(request):
    """Whose gateway it is."""
    return request.param


def post(gateway, path: str, docs: list, **parameters):
    """The status of a request, and its answer."""
    body = json.dumps({'data': docs, 'parameters': parameters}).encode()
    url = f'http://127.0.0.1:{gateway.port}{path}'
    request = urllib.request.Request(url, body, {'content-type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_r54_events_come_one_by_one(stage, workers, kind, tmp_path):
    streamer = SimpleNamespace(port=int(workers['streamer'][0].rpartition(':')[2]))
    gateway = stage.gateway(kind, streamer, protocol='HTTP').wait_serving(is_healthy)
    go_on = tmp_path / 'go-on'

    async def stream():
        caller = client(gateway, protocol='http', asyncio=True)
        got = []
        async for doc in caller.stream_doc('/stream', Record(id='0', text=str(go_on)), return_type=Record):
            # The executor goes on when the first is here.
            go_on.touch()
            got.append(doc.id)
        return got

    assert asyncio.run(asyncio.wait_for(stream(), 40)) == ['first', 'second']


def test_r57_the_dry_run_is_true_over_every_protocol(stage, kind):
    executor = stage.executor('rust', 'Tools').wait_serving()
    gateway = stage.gateway(kind, executor, protocol='GRPC HTTP WEBSOCKET').wait_serving(is_serving)
    ready = {
        protocol: Client(host='127.0.0.1', port=port, protocol=protocol.lower()).is_flow_ready()
        for protocol, port in gateway.ports.items()
    }
    assert ready == {'GRPC': True, 'HTTP': True, 'WEBSOCKET': True}


def test_r59_a_request_in_flight_is_answered_after_sigterm(stage, kind, tmp_path):
    executor = stage.executor('rust', 'Tools').wait_serving()
    gateway = stage.gateway(kind, executor, protocol='HTTP').wait_serving(is_healthy)
    held = tmp_path / 'held'
    held.mkdir()
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(post, gateway, '/hold', [{'id': 'a', 'text': 'x'}], directory=str(held))
        until(lambda: (held / 'a').exists(), 'the executor has the request')
        gateway.terminate()
        until(lambda: not is_healthy(gateway.port), 'the gateway takes no more')
        assert not answer.done()
        (held / 'release').touch()
        status, body = answer.result(30)
    assert (status, json.loads(body)['data'][0]['id']) == (200, 'a')
    assert gateway.wait() == 0, gateway.said()


def test_r60_replicas_take_turns(stage, kind):
    replicas = []
    for name in ['named/rep-0', 'named/rep-1']:
        port = free_port()
        program = [BINARIES / 'interop-executor', '--uses', 'Tools', '--name', name]
        replicas.append(stage.start('named', port, *program, '--host', '127.0.0.1', '--port', port).wait_serving())
    program = [JINA, 'gateway'] if kind == 'python' else [BINARIES / 'gateway']
    addresses = [f'grpc://127.0.0.1:{replica.port}' for replica in replicas]
    port = free_port()
    gateway = stage.start(
        'gateway',
        port,
        *program,
        *('--host', '127.0.0.1', '--port', port, '--protocol', 'HTTP'),
        *('--graph-description', json.dumps({'start-gateway': ['named'], 'named': ['end-gateway']})),
        *('--deployments-addresses', json.dumps({'named': addresses})),
    ).wait_serving(is_healthy)
    answered = [json.loads(post(gateway, '/whoami', [{'id': 'a', 'text': 'x'}])[1])['parameters'] for _ in range(6)]
    names = [name for parameters in answered for name in parameters['__results__']]
    assert sorted(names) == ['named/rep-0'] * 3 + ['named/rep-1'] * 3
    assert all(one != other for one, other in zip(names, names[1:]))


def test_r63_all_of_250_documents_come_back(stage, kind):
    executor = stage.executor('rust', 'Tools').wait_serving()
    gateway = stage.gateway(kind, executor, protocol='HTTP').wait_serving(is_healthy)
    docs = texts(*['a'] * 250)
    got = client(gateway, protocol='http').post('/upper', docs, request_size=250, return_type=DocList[Text])
    # Jina's gateway loses what is beyond a hundred.
    assert len(got) == (100 if kind == 'python' else 250)


def test_r64_an_executor_that_is_gone_or_late_is_told_by_the_status(stage, kind, tmp_path):
    executor = stage.executor('rust', 'Tools').wait_serving()
    options = {'retries': 0, 'timeout_send': 1000}
    gateway = stage.gateway(kind, executor, protocol='HTTP', **options).wait_serving(is_healthy)
    late, _ = post(gateway, '/hold', [{'id': 'a', 'text': 'x'}], directory=str(tmp_path))
    (tmp_path / 'release').touch()
    executor.kill()
    gone, body = post(gateway, '/upper', [{'id': 'a', 'text': 'x'}])
    # Jina's gateway says neither what nor who.
    assert (late, gone) == ((500, 500) if kind == 'python' else (504, 503)), body
    assert (b'executor0' in body) == (kind == 'rust')

"""The seed examples: each client of Python, all protocols at once on three ports and on a single one."""

import asyncio
import json
import subprocess

import aiohttp
import pytest
from docarray import DocList
from jina import Client

from conftest import texts
from executors import Text
from processes import BINARIES, is_serving

PROTOCOLS = ['GRPC', 'HTTP', 'WEBSOCKET']


@pytest.fixture(scope='module', params=['three ports', 'a single port'])
def start(request, shared, language):
    """Starts our gateway, with every protocol, before an executor."""

    def start(uses):
        executor = shared.executor(language, uses).wait_serving()
        options = {'single_port': True} if request.param == 'a single port' else {}
        gateway = shared.gateway('rust', executor, protocol=' '.join(PROTOCOLS), **options)
        # gRPC has the first port, or the only one.
        return gateway.wait_serving(is_serving)

    return start


@pytest.fixture(scope='module')
def foo(start):
    return start('FooExecutor')


@pytest.fixture(scope='module')
def tools(start):
    return start('Tools')


def client(gateway, protocol, **options):
    return Client(host='127.0.0.1', port=gateway.ports[protocol], protocol=protocol.lower(), **options)


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_foo_was_called(foo, protocol):
    answer = client(foo, protocol).post('/', inputs=Text(), return_type=DocList[Text])
    assert answer.text == ['foo was called']


def test_all_clients_at_once(foo):
    async def ask(protocol):
        asking = client(foo, protocol, asyncio=True)
        sent = texts(*['before'] * 50)
        answers = asking.post('/', inputs=sent, request_size=5, return_type=DocList[Text])
        return [text async for answer in answers for text in answer.text]

    async def all_at_once():
        return await asyncio.gather(*(ask(protocol) for protocol in PROTOCOLS))

    assert asyncio.run(all_at_once()) == [['foo was called'] * 50] * 3


@pytest.mark.parametrize('protocol', PROTOCOLS)
def test_the_client_finds_the_flow_ready(foo, protocol):
    assert client(foo, protocol).is_flow_ready()


@pytest.mark.parametrize('protocol', ['GRPC', 'HTTP'])
def test_an_endpoint_that_streams_gives_one_document_after_the_other(tools, protocol):
    caller = client(tools, protocol, asyncio=True)

    async def stream():
        docs = caller.stream_doc(on='/tokens', inputs=Text(id='t', text='token'), return_type=Text)
        return [doc.text async for doc in docs]

    assert asyncio.run(stream()) == ['token 0', 'token 1', 'token 2']


def test_an_endpoint_that_streams_over_websocket(tools):
    async def stream():
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(f'http://127.0.0.1:{tools.ports["WEBSOCKET"]}/') as socket:
                header = {'request_id': 'r'}
                await socket.send_json({'data': {'text': 'token'}, 'exec_endpoint': '/tokens', 'header': header})
                messages = []
                while not messages or messages[-1]['data']:
                    messages.append(await socket.receive_json(timeout=20))
                return messages

    messages = asyncio.run(stream())
    assert [[doc['text'] for doc in message['data']] for message in messages] == [['token 0'], ['token 1'], ['token 2'], []]
    assert {message['header']['request_id'] for message in messages} == {'r'}


def test_several_protocols_on_one_port_without_saying_so_are_exit_code_2():
    graph = ['--graph-description', '{}', '--deployments-addresses', json.dumps({})]
    program = [BINARIES / 'gateway', '--port', '8080', '--protocol', 'GRPC', 'HTTP', *graph]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2, ended.stderr
    assert '--single-port' in ended.stdout + ended.stderr

"""The Python client over WebSocket, our gateway, an executor in either language."""

import asyncio
import json
import urllib.error
import urllib.request

import aiohttp
import pytest
from docarray import DocList
from jina import Client
from jina.excepts import BadServer

from conftest import texts
from executors import Text
from processes import until


@pytest.fixture(scope='module')
def tools(shared, language):
    """A gateway before Tools that speaks WebSocket."""
    executor = shared.executor(language, 'Tools').wait_serving()
    return started(shared.gateway('rust', executor, protocol='WEBSOCKET'))


def started(gateway):
    """Waits until the gateway says over plain HTTP that it is ready."""

    def ready():
        assert gateway.popen.poll() is None, gateway.said()
        try:
            return fetch(gateway, '/') == {}
        except OSError:
            return False

    until(ready, 'the gateway serves')
    return gateway


def fetch(gateway, path):
    """What plain HTTP answers."""
    with urllib.request.urlopen(f'http://127.0.0.1:{gateway.port}{path}', timeout=10) as answer:
        return json.load(answer)


def client(gateway) -> Client:
    return Client(host='127.0.0.1', port=gateway.port, protocol='websocket')


def test_foo_was_called(shared, language):
    executor = shared.executor(language, 'FooExecutor').wait_serving()
    gateway = started(shared.gateway('rust', executor, protocol='WEBSOCKET'))
    answer = client(gateway).post('/', inputs=Text(), return_type=DocList[Text])
    assert answer.text == ['foo was called']


@pytest.mark.parametrize('request_size', [10, 1000])
def test_a_thousand_documents_come_back_complete(tools, request_size):
    docs = texts(*['a'] * 1000)
    answer = client(tools).post('/upper', inputs=docs, request_size=request_size, return_type=DocList[Text])
    assert set(answer.text) == {'A'}
    assert sorted(answer.id) == sorted(docs.id)


def test_an_executor_that_raises_is_an_error(tools):
    with pytest.raises(BadServer, match='boom'):
        client(tools).post('/fail', inputs=texts('a'), return_type=DocList[Text])


def test_an_unknown_endpoint_gives_the_documents_back(tools):
    answer = client(tools).post('/nobody-serves-this', inputs=texts('a', 'b'), return_type=DocList[Text])
    assert answer.text == ['a', 'b']


def test_the_client_finds_the_flow_ready(tools):
    assert client(tools).is_flow_ready()


def test_a_flow_without_its_executor_is_a_connection_error(stage):
    executor = stage.executor('rust', 'Tools').wait_serving()
    gateway = started(stage.gateway('rust', executor, protocol='WEBSOCKET', retries=0))
    executor.kill()
    with pytest.raises(ConnectionError):
        client(gateway).post('/upper', inputs=texts('a'), return_type=DocList[Text])
    assert not client(gateway).is_flow_ready()


def test_plain_http_tells_about_the_process(tools):
    assert fetch(tools, '/dry_run') == {'code': 0, 'description': '', 'exception': None}
    assert fetch(tools, '/status')['jina']['jina'] == '3.34.0'
    with pytest.raises(urllib.error.HTTPError, match='404'):
        fetch(tools, '/upper')


def test_requests_in_json_are_answered_in_json(tools):
    async def converse():
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(f'http://127.0.0.1:{tools.port}/') as socket:
                await socket.send_json({'data': [{'id': 'a', 'text': 'a'}], 'exec_endpoint': '/upper'})
                answer = await socket.receive_json(timeout=20)
                await socket.send_str('{}')
                end = await socket.receive(timeout=20)
                return answer, end, socket.close_code

    answer, end, code = asyncio.run(converse())
    assert [(doc['id'], doc['text']) for doc in answer['data']] == [('a', 'A')]
    assert (end.type, code) == (aiohttp.WSMsgType.CLOSE, 1000)

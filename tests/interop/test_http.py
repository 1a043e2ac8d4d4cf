"""The Python client over HTTP, our gateway, an executor in either language."""

import asyncio
import json
import urllib.request

import numpy as np
import pytest
from docarray import DocList
from jina.excepts import BadClient

from conftest import client, texts
from executors import Mixed, Part, Text
from processes import is_healthy


@pytest.fixture(scope='module')
def foo(shared, language):
    """A client of our gateway before FooExecutor."""
    executor = shared.executor(language, 'FooExecutor').wait_serving()
    return client(shared.gateway('rust', executor, protocol='HTTP').wait_serving(is_healthy), protocol='http')


@pytest.fixture(scope='module')
def gateway(shared, language):
    """Our gateway before Tools."""
    executor = shared.executor(language, 'Tools').wait_serving()
    return shared.gateway('rust', executor, protocol='HTTP').wait_serving(is_healthy)


@pytest.fixture(scope='module')
def tools(gateway):
    """A client of it."""
    return client(gateway, protocol='http')


def test_foo_was_called(foo):
    answer = foo.post('/', inputs=texts('a'), return_type=DocList[Text])
    assert answer.text == ['foo was called']
    assert answer.id == ['0']


def test_more_than_a_hundred_documents_in_a_request_come_back_complete(foo):
    docs = texts(*['before'] * 250)
    answer = foo.post('/', inputs=docs, request_size=250, return_type=DocList[Text], results_in_order=True)
    assert answer.id == docs.id
    assert set(answer.text) == {'foo was called'}


def test_documents_of_every_kind_come_back(tools):
    sent = Mixed(
        id='m',
        text='mixed',
        vector=np.arange(6, dtype=np.float32).reshape(2, 3),
        part=Part(id='p', text='inner'),
        parts=[Part(id='q', text='first')],
    )
    [answer] = tools.post('/mixed', inputs=DocList[Mixed]([sent]), return_type=DocList[Mixed])
    assert (answer.id, answer.text, answer.count, answer.note) == ('m', 'mixed', 1, 'noted')
    assert answer.vector.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (answer.part.id, answer.part.text) == ('p', 'inner')
    assert [part.text for part in answer.parts] == ['first', 'mixed']


def test_an_executor_that_raises_is_an_error_and_the_next_request_is_not(tools):
    for _ in range(2):
        with pytest.raises(ValueError, match='boom'):
            tools.post('/fail', inputs=texts('a'), return_type=DocList[Text])
        assert tools.post('/upper', inputs=texts('a'), return_type=DocList[Text]).text == ['A']


def test_an_unknown_endpoint_is_not_found(tools):
    with pytest.raises(BadClient):
        tools.post('/nobody-serves-this', inputs=texts('a'), return_type=DocList[Text])


def test_the_client_finds_the_flow_ready_until_the_executor_is_gone(stage):
    executor = stage.executor('rust', 'FooExecutor').wait_serving()
    caller = client(stage.gateway('rust', executor, protocol='HTTP').wait_serving(is_healthy), protocol='http')
    assert caller.is_flow_ready()
    executor.kill()
    assert not caller.is_flow_ready()
    with pytest.raises(ConnectionError, match='executor0'):
        caller.post('/', inputs=texts('a'), return_type=DocList[Text])


def test_the_openapi_document_names_every_endpoint(gateway):
    with urllib.request.urlopen(f'http://127.0.0.1:{gateway.port}/openapi.json') as answer:
        paths = json.load(answer)['paths']
    assert {'/upper', '/fail', '/mixed', '/status', '/dry_run', '/'} <= set(paths)


def test_an_endpoint_that_streams_gives_one_document_after_the_other(gateway):
    caller = client(gateway, protocol='http', asyncio=True)

    async def stream():
        docs = caller.stream_doc(on='/tokens', inputs=Text(id='t', text='token'), return_type=Text)
        return [(doc.id, doc.text) async for doc in docs]

    assert asyncio.run(stream()) == [('0', 'token 0'), ('1', 'token 1'), ('2', 'token 2')]

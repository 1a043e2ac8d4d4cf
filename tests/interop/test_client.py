"""The Python client, our gateway, an executor in either language."""

import numpy as np
import pytest
from docarray import DocList
from jina.excepts import BadServer

from conftest import client, texts
from executors import Mixed, Nested, Part, Text


def test_foo_was_called(foo):
    answer = foo.post('/', inputs=texts('a'), return_type=DocList[Text])
    assert answer.text == ['foo was called']
    assert answer.id == ['0']


@pytest.mark.parametrize('stream', [True, False])
@pytest.mark.parametrize('in_order', [True, False])
def test_a_thousand_documents_come_back_complete(foo, stream, in_order):
    docs = texts(*['before'] * 1000)
    answer = foo.post(
        '/', inputs=docs, request_size=10, return_type=DocList[Text], results_in_order=in_order, stream=stream
    )
    assert set(answer.text) == {'foo was called'}
    if in_order:
        assert answer.id == docs.id
    else:
        assert sorted(answer.id) == sorted(docs.id)


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
    assert answer.vector.dtype == np.float32
    assert answer.vector.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (answer.part.id, answer.part.text) == ('p', 'inner')
    assert [part.text for part in answer.parts] == ['first', 'mixed']
    assert answer.parts[0].id == 'q'


def test_lists_of_documents_in_documents_come_back(shared):
    executor = shared.executor('rust', 'Tools').wait_serving()
    caller = client(shared.gateway('rust', executor).wait_serving())
    sent = Nested(id='n', parts=DocList[Part]([Part(id='p', text='a'), Part(id='q', text='b')]))
    [answer] = caller.post('/nested', inputs=DocList[Nested]([sent]), return_type=DocList[Nested])
    assert (answer.parts.id, answer.parts.text) == (['p', 'q'], ['A', 'B'])


def test_an_executor_that_raises_is_an_error_and_the_next_request_is_not(tools):
    for _ in range(2):
        with pytest.raises(BadServer, match='boom'):
            tools.post('/fail', inputs=texts('a'), return_type=DocList[Text])
        assert tools.post('/upper', inputs=texts('a'), return_type=DocList[Text]).text == ['A']


def test_a_failed_request_does_not_end_the_stream_of_others(tools):
    failed = []
    tools.post('/fail', inputs=texts(*'abc'), request_size=1, on_error=failed.append, return_type=DocList[Text])
    assert len(failed) == 3
    for response in failed:
        assert 'boom' in response.status.description
        assert response.status.exception.executor == 'Tools'


def test_an_unknown_endpoint_gives_the_documents_back(tools):
    answer = tools.post('/nobody-serves-this', inputs=texts('a', 'b'), return_type=DocList[Text])
    assert answer.text == ['a', 'b']


def test_the_client_finds_the_flow_ready(foo):
    assert foo.is_flow_ready()

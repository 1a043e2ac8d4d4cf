"""A Python gateway before our executor, and our gateway beside it."""

import json
import urllib.error
import urllib.request

import numpy as np
import pytest
from docarray import DocList
from google.protobuf.json_format import MessageToDict

from conftest import client, texts
from executors import Mixed, Nested, Part, Text
from generic import Generic
from processes import until

DISCOVERY = ('jina.JinaDiscoverEndpointsRPC', 'endpoint_discovery')


@pytest.fixture(scope='module')
def rust(shared):
    """Tools in Rust."""
    return shared.executor('rust', 'Tools').wait_serving()


@pytest.fixture(scope='module')
def gateway(shared, rust):
    """A Python gateway before it."""
    return shared.gateway('python', rust).wait_serving()


@pytest.fixture(scope='module')
def grpc_gateway(gateway):
    """Calls that gateway."""
    return client(gateway)


@pytest.fixture(scope='module')
def http(shared, rust):
    """Calls a Python gateway that speaks HTTP, and so rebuilds the types of documents from their schemas."""
    gateway = shared.gateway('python', rust, protocol='HTTP')

    def call(path, body=None):
        request = urllib.request.Request(
            f'http://127.0.0.1:{gateway.port}{path}',
            data=None if body is None else json.dumps(body).encode(),
            headers={'content-type': 'application/json'},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def answers():
        assert gateway.popen.poll() is None, gateway.said()
        try:
            return call('/status')
        except OSError:
            return None

    until(answers, 'the Python gateway answers')
    return call


def test_documents_go_through(grpc_gateway):
    answer = grpc_gateway.post('/upper', inputs=texts(*['a'] * 30), request_size=3, return_type=DocList[Text])
    assert answer.text == ['A'] * 30


def test_tensors_and_nested_documents_go_through(grpc_gateway):
    sent = Mixed(id='m', text='x', vector=np.array([1.5, 2.5]), part=Part(id='p', text='inner'))
    [answer] = grpc_gateway.post('/mixed', inputs=DocList[Mixed]([sent]), return_type=DocList[Mixed])
    assert answer.vector.tolist() == [1.5, 2.5]
    assert (answer.part.text, [part.text for part in answer.parts]) == ('inner', ['x'])


def test_lists_of_documents_in_documents_go_through(grpc_gateway):
    sent = Nested(id='n', parts=DocList[Part]([Part(id='p', text='a')]))
    [answer] = grpc_gateway.post('/nested', inputs=DocList[Nested]([sent]), return_type=DocList[Nested])
    assert (answer.parts.id, answer.parts.text) == (['p'], ['A'])


def test_schemas_survive_discovery(shared):
    executor = shared.executor('rust', 'Schemas').wait_serving()
    gateway = shared.gateway('python', executor).wait_serving()
    told, rebuilt = (Generic(process.port).call(*DISCOVERY) for process in (executor, gateway))
    assert set(rebuilt.endpoints) == set(told.endpoints)
    told, rebuilt = (MessageToDict(answer)['schemas'] for answer in (told, rebuilt))
    for endpoint in ['/plain', '/part']:
        for direction in ['input', 'output']:
            # An executor tells the name beside the model, a gateway the model alone.
            want, got = told[endpoint][direction]['model'], rebuilt[endpoint][direction]
            assert set(got['properties']) == set(want['properties'])
            assert got.get('required') == want.get('required')
            for name, field in want['properties'].items():
                assert kinds(got['properties'][name]) == kinds(field), f'{endpoint} {name}'


def kinds(field) -> list:
    """What a field may hold."""
    options = field.get('anyOf') or field.get('allOf') or [field]
    return sorted(option.get('type') or option['$ref'].rpartition('/')[2] for option in options)


def test_documents_of_every_kind_are_read_by_their_schemas(http):
    document = {
        'id': 'm',
        'text': 'x',
        'vector': [1.5, 2.5],
        'part': {'id': 'p', 'text': 'inner'},
        'parts': [{'id': 'q', 'text': 'first'}],
    }
    [answer] = http('/mixed', {'data': [document]})['data']
    # A Python gateway writes tensors as text.
    assert json.loads(answer['vector']) == [1.5, 2.5]
    assert answer['part']['text'] == 'inner'
    assert [part['text'] for part in answer['parts']] == ['first', 'x']
    assert (answer['count'], answer['note']) == (1, 'noted')


def test_what_does_not_fit_the_schema_is_refused(http):
    with pytest.raises(urllib.error.HTTPError) as refused:
        http('/mixed', {'data': [{'count': 'many'}]})
    assert refused.value.code == 422


def test_an_error_of_our_executor_reaches_the_caller(grpc_gateway):
    failed = []
    grpc_gateway.post('/fail', inputs=texts('a'), on_error=failed.append, return_type=DocList[Text])
    [response] = failed
    assert 'boom' in response.status.description
    assert response.status.exception.executor == 'Tools'

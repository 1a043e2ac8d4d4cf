"""The Python client's `mutate()`, as it was for the gateways of old Jina, and `sgqlc`, which it is made of."""

import asyncio

import pytest
from jina import Client
from sgqlc.endpoint.http import HTTPEndpoint

from processes import is_healthy

DOCS = """
    mutation ($data: [StrawberryDocumentInput!], $endpoint: String!) {
        docs(data: $data, execEndpoint: $endpoint) { id text }
    }
"""


@pytest.fixture(scope='module')
def port(shared, language):
    """A gateway with GraphQL before Tools."""
    executor = shared.executor(language, 'Tools').wait_serving()
    gateway = shared.gateway('rust', executor, protocol='HTTP', expose_graphql_endpoint=True)
    return gateway.wait_serving(is_healthy).port


@pytest.fixture(scope='module')
def caller(port):
    """The Python client."""
    return Client(host='127.0.0.1', port=port, protocol='http')


def test_mutate_sends_documents_as_variables(caller):
    answer = caller.mutate(DOCS, variables={'data': [{'id': 'a', 'text': 'one'}], 'endpoint': '/upper'})
    assert answer['data'] == {'docs': [{'id': 'a', 'text': 'ONE'}]}


def test_mutate_sends_documents_in_the_query(caller):
    answer = caller.mutate('mutation { docs(data: {text: "one"}, execEndpoint: "/upper") { text } }')
    assert answer['data'] == {'docs': [{'text': 'ONE'}]}


def test_mutate_asks_typed_fields(caller):
    answer = caller.mutate('mutation { upper(data: [{id: "a", text: "one"}]) { data { id text } } }')
    assert answer['data'] == {'upper': {'data': [{'id': 'a', 'text': 'ONE'}]}}


def test_mutate_raises_what_an_executor_raised(caller):
    with pytest.raises(ConnectionError, match='boom'):
        caller.mutate(DOCS, variables={'data': [{'text': 'one'}], 'endpoint': '/fail'})


def test_mutate_raises_for_a_query_that_is_none(caller):
    with pytest.raises(ConnectionError, match='nobody'):
        caller.mutate('mutation { nobody { id } }')


def test_the_asynchronous_client_mutates_too(port):
    async def mutate():
        caller = Client(host='127.0.0.1', port=port, protocol='http', asyncio=True)
        return await caller.mutate(DOCS, variables={'data': [{'text': 'one'}], 'endpoint': '/upper'})

    assert asyncio.run(mutate())['data']['docs'][0]['text'] == 'ONE'


def test_sgqlc_reads_the_schema(port):
    endpoint = HTTPEndpoint(f'http://127.0.0.1:{port}/graphql')
    answer = endpoint('{ __schema { mutationType { fields { name } } subscriptionType { fields { name } } } }')
    schema = answer['data']['__schema']
    names = {field['name'] for root in schema.values() for field in root['fields']}
    assert {'upper', 'fail', 'mixed', 'tokens', 'docs'} <= names

"""Fields of every type over GraphQL: what is answered is what HTTP answers to the same document."""

import pytest

from processes import HERE, JINA, free_port, is_healthy
from test_types import SAMPLES, send
from types_executor import TYPES

TYPE = 'kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }'
SCHEMA = f'{{ __schema {{ types {{ name fields {{ name args {{ name type {{ {TYPE} }} }} type {{ {TYPE} }} }} }} }} }}'

# GraphQL reads no number out of text.
STRICTER = [('int', '9')]


class Schema:
    """What introspection tells."""

    def __init__(self, types: list):
        self.fields = {of['name']: {field['name']: field for field in of['fields'] or []} for of in types}

    def query(self, name: str) -> str:
        """A query for all that this field has."""
        field = self.fields['Query'][name]
        data = next(argument['type'] for argument in field['args'] if argument['name'] == 'data')
        return f'query($data: {notation(data)}) {{ {name}(data: $data) {self.everything(field["type"])} }}'

    def everything(self, of: dict) -> str:
        """The selection of all fields of this type; no type of this Flow contains itself."""
        while of.get('ofType'):
            of = of['ofType']
        if of['kind'] != 'OBJECT':
            return ''
        fields = self.fields[of['name']].values()
        return '{ ' + ' '.join(f'{field["name"]} {self.everything(field["type"])}' for field in fields) + ' }'


def notation(of: dict) -> str:
    """A type as it is written."""
    match of['kind']:
        case 'NON_NULL':
            return notation(of['ofType']) + '!'
        case 'LIST':
            return f'[{notation(of["ofType"])}]'
        case _:
            return of['name']


def without_ids(value):
    """A value without the ids that executors make up."""
    if isinstance(value, dict):
        return {key: without_ids(part) for key, part in value.items() if key != 'id'}
    return [without_ids(part) for part in value] if isinstance(value, list) else value


@pytest.fixture(scope='module')
def gateway(shared):
    """Our gateway before Types."""
    port = free_port()
    arguments = ['--uses', HERE / 'types.yml', '--native', '--host', '127.0.0.1', '--port', port]
    executor = shared.start('types', port, JINA, 'executor', *arguments).wait_serving()
    gateway = shared.gateway('rust', executor, protocol='HTTP', expose_graphql_endpoint=True)
    return gateway.wait_serving(is_healthy)


@pytest.fixture(scope='module')
def schema(gateway):
    """The schema of its Flow."""
    _, answer = send(gateway, '/graphql', {'query': SCHEMA})
    return Schema(answer['data']['__schema']['types'])


@pytest.mark.parametrize('name', TYPES)
def test_every_value_is_answered_as_over_http(gateway, schema, name):
    query = schema.query(name)
    for sample in SAMPLES[name]:
        doc = {'id': 'd1', **({'v': sample['json']} if 'json' in sample else {})}
        status, over_http = send(gateway, f'/{name}', {'data': [doc]})
        _, answer = send(gateway, '/graphql', {'query': query, 'variables': {'data': [doc]}})
        if (name, sample.get('json')) in STRICTER:
            assert answer['errors'][0]['extensions']['code'] == 'GRAPHQL_VALIDATION_FAILED', doc
        elif status != 200:
            assert answer['errors'], doc
        else:
            assert without_ids(answer['data'][name]['data']) == without_ids(over_http['data']), doc

"""Fields of every type over HTTP: JSON, our gateway, an executor in Python, and back. What Jina's own answered was recorded."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from processes import HERE, JINA, free_port, is_healthy
from types_executor import TYPES

MATRIX = Path(__file__).parents[2] / 'crates' / 'docarray' / 'testdata' / 'type_matrix.json'
SAMPLES = {field['name']: field['samples'] for field in json.loads(MATRIX.read_text())['pydantic2']}

# Classes in Python turn numbers into ids, which schemas do not tell: see docs/differences.md.
REFUSED = [('optid', 3)]
# What the executor answers to values that Python takes but has no message for.
UNENCODABLE = 'is problematic'


@pytest.fixture(scope='module')
def gateway(shared):
    """Our gateway before Types."""
    port = free_port()
    arguments = ['--uses', HERE / 'types.yml', '--native', '--host', '127.0.0.1', '--port', port]
    executor = shared.start('types', port, JINA, 'executor', *arguments).wait_serving()
    return shared.gateway('rust', executor, protocol='HTTP').wait_serving(is_healthy)


def send(gateway, path: str, body: dict):
    """The status and what is answered."""
    url = f'http://127.0.0.1:{gateway.port}{path}'
    request = urllib.request.Request(url, json.dumps(body).encode(), {'content-type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def readable(value, name: str):
    """A value of a field as it is compared: tensors were recorded as text, sets have no order, made-up ids are any."""
    if isinstance(value, str) and value.startswith('[') and name not in ('str', 'any'):
        return json.loads(value)
    if name == 'setstr' and value:
        return sorted(set(value))
    if isinstance(value, dict) and len(value.get('id') or '') in (len('<hex32>'), 32):
        return {**value, 'id': '<id>'}
    return value


@pytest.mark.parametrize('name', TYPES)
def test_every_value_is_answered_as_it_was(gateway, name):
    for sample in SAMPLES[name]:
        doc = {'id': 'd1', **({'v': sample['json']} if 'json' in sample else {})}
        status, answer = send(gateway, f'/{name}', {'data': [doc]})
        if name in ('int', 'enum', 'datetime') and UNENCODABLE in str(answer.get('detail')):
            assert status == 500 and 'doc' not in sample, (doc, answer)
            continue
        refused = sample.get('status') == 422 or (name, sample.get('json')) in REFUSED
        assert status == (422 if refused else 200), (doc, answer)
        if refused:
            assert all(problem['loc'][:1] == ['body'] for problem in answer['detail']), (doc, answer)
        elif 'answer' in sample:
            [got] = answer['data']
            assert got['id'] == 'd1'
            assert readable(got['v'], name) == readable(sample['answer']['v'], name), doc

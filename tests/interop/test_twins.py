"""The same Flow with its executor once in Python, once in Rust: equal answers for documents with a field of each type."""

import json

import pytest
from docarray import DocList
from jina import Client
from jina.excepts import BadServer

from processes import HERE, JINA, free_port, is_healthy
from test_types import SAMPLES, UNENCODABLE, readable, send
from types_executor import MODELS, TYPES

# Rust has no type for times.
NAMES = [name for name in TYPES if name != 'datetime']

# What classes in Python look at beyond the schemas that they tell: endings of links, shapes of tensors.
LOOSER_IN_RUST = [('optimgurl', 'http://x.y/a.txt'), ('ndarray3', [1, 2])]

# What an executor in Python answers to values that it takes and cannot write, or cannot read as messages.
BEYOND_PYTHON = (UNENCODABLE, 'Union type is not supported')


@pytest.fixture(scope='module')
def twins(shared):
    """Our gateway before Types in each language, Python's first."""
    port = free_port()
    arguments = ['--uses', HERE / 'types.yml', '--native', '--host', '127.0.0.1', '--port', port]
    executors = [shared.start('types', port, JINA, 'executor', *arguments), shared.executor('rust', 'Types')]
    executors = [executor.wait_serving() for executor in executors]
    return [shared.gateway('rust', each, protocol='HTTP GRPC').wait_serving(is_healthy) for each in executors]


def documents(name: str) -> list[dict]:
    """Those that were recorded with Jina, valid and not."""
    return [{'id': 'd1', **({'v': sample['json']} if 'json' in sample else {})} for sample in SAMPLES[name]]


def comparable(answer, name: str):
    """Documents without what two runs need not have in common."""
    return [{**doc, 'v': readable(doc.get('v'), name)} for doc in answer]


def over_http(gateway, name: str, doc: dict):
    """The documents or problems of the answer, with its status."""
    status, answer = send(gateway, f'/{name}', {'data': [doc]})
    return status, comparable(answer['data'], name) if status == 200 else answer['detail']


@pytest.mark.parametrize('name', NAMES)
def test_http(twins, name):
    n_compared = 0
    for doc in documents(name):
        python, rust = (over_http(gateway, name, doc) for gateway in twins)
        if python[0] == 500 and any(text in python[1] for text in BEYOND_PYTHON):
            assert rust[0] == 200, (doc, rust)
            continue
        if (name, doc.get('v')) in LOOSER_IN_RUST:
            assert (python[0], rust[0]) == (422, 200), doc
            continue
        assert python == rust, doc
        n_compared += 1
    assert n_compared > 0


def over_grpc(gateway, name: str, doc):
    """What the Python client gets, or what the executor complains of."""
    documents, typed = DocList[MODELS[name]]([doc]), DocList[MODELS[name]]
    asked = Client(host='127.0.0.1', port=gateway.ports['GRPC'], protocol='grpc')
    try:
        answer = asked.post(f'/{name}', documents, return_type=typed)
    except BadServer as error:
        return str(error)
    return comparable([json.loads(doc.json()) for doc in answer], name)


def sendable(name: str):
    """The recorded documents of which the client can make messages."""
    for doc in documents(name):
        try:
            made = MODELS[name](**doc)
            made.to_protobuf()
        except ValueError:
            continue
        yield made


@pytest.mark.parametrize('name', [name for name in NAMES if name != 'enum'])
def test_grpc(twins, name):
    n_compared = 0
    for doc in sendable(name):
        python, rust = (over_grpc(gateway, name, doc) for gateway in twins)
        if any(text in python for text in BEYOND_PYTHON):
            assert rust == comparable([json.loads(doc.json())], name)
            continue
        assert python == rust, doc
        n_compared += 1
    assert n_compared > 0

"""What the tests have in common: a stage to start processes on, and Flows that several tests only read."""

import os

os.environ.setdefault('JINA_OPTOUT_TELEMETRY', '1')

import pytest
from docarray import DocList
from jina import Client

from executors import Text
from processes import Gateways, Nursery, Stage


@pytest.fixture
def stage(tmp_path):
    """For processes that live as long as one test."""
    stage = Stage(tmp_path)
    yield stage
    stage.close()


@pytest.fixture(scope='module')
def shared(tmp_path_factory):
    """For processes that live as long as the tests of one file."""
    stage = Stage(tmp_path_factory.mktemp('stage'))
    yield stage
    stage.close()


@pytest.fixture(scope='session')
def nursery(tmp_path_factory):
    """Where many of Jina's programs come from."""
    nursery = Nursery(tmp_path_factory.mktemp('nursery'))
    yield nursery
    nursery.close()


@pytest.fixture(scope='session')
def workers(nursery):
    """The addresses of the executors of workers.py, started once for all tests."""
    names = {
        **{'anything': 'Anything', 'spare': 'Anything', 'both': 'Both', 'twin': 'Both'},
        **{'work': 'Work', 'extra': 'Extra', 'streamer': 'Streamer'},
    }
    executors = {name: nursery.executor(name, uses) for name, uses in names.items()}
    return {name: [f'grpc://127.0.0.1:{executor.wait_serving().port}'] for name, executor in executors.items()}


@pytest.fixture
def gateways(nursery, workers, stage):
    """Starts gateways of both kinds before these executors."""
    gateways = Gateways(nursery, stage, workers)
    yield gateways
    gateways.close()


@pytest.fixture(scope='module', params=['python', 'rust'])
def language(request):
    """What the executor is written in."""
    return request.param


@pytest.fixture(scope='module')
def foo(shared, language):
    """A client of our gateway before FooExecutor."""
    executor = shared.executor(language, 'FooExecutor').wait_serving()
    return client(shared.gateway('rust', executor).wait_serving())


@pytest.fixture(scope='module')
def tools(shared, language):
    """A client of our gateway before Tools."""
    executor = shared.executor(language, 'Tools').wait_serving()
    return client(shared.gateway('rust', executor).wait_serving())


def client(gateway, **options) -> Client:
    """The Python client."""
    return Client(host='127.0.0.1', port=gateway.port, **{'protocol': 'grpc', **options})


def texts(*texts: str) -> DocList[Text]:
    """Documents of these texts, their ids from 0 on."""
    return DocList[Text]([Text(id=str(n), text=text) for n, text in enumerate(texts)])

"""Rows of executor.md that are a matter of Python: classes of users under `jina executor` and in workers of ours.

| rows | what | where |
|---|---|---|
| E1, E3 to E7, E9 to E15, E17 | endpoints, inheritance, arguments, returns, errors | test_python_workers.py: test_answers_are_equal |
| E20, E21 | one at a time, together | test_python_workers.py |
| E44, E45 | generators | test_python_workers.py |
"""

import asyncio

import grpc
import pytest
from docarray import DocList
from jina.proto import jina_pb2, jina_pb2_grpc

from conftest import client
from processes import HERE, JINA, free_port
from snakes import Item
from test_python_workers import ZOO, answer, both, items, many, plain, workers  # noqa: F401

MORE = '''
from docarray import BaseDoc, DocList
from docarray.documents import TextDoc
from jina import Executor, requests

import sys
sys.path.insert(0, {folder!r})
from snakes import Item


class Overridden(Executor):
    """It sees other documents than its annotations say, and binds one endpoint only."""

    @requests(on='/seen', request_schema=DocList[TextDoc], response_schema=DocList[TextDoc])
    def seen(self, docs, **kwargs):
        for doc in docs:
            doc.text = type(doc).__name__

    @requests(on='/matrix')
    def matrix(self, docs: DocList[Item], docs_matrix, **kwargs):
        return {{'matrix': docs_matrix is None}}
'''


@pytest.fixture(scope='module')
def overridden(shared):
    """Overridden under both."""
    folder = shared.directory / 'overridden'
    folder.mkdir()
    (folder / 'more.py').write_text(MORE.format(folder=str(HERE)))
    file = folder / 'more.yml'
    file.write_text('jtype: Overridden\npy_modules:\n  - more.py\n')
    port = free_port()
    same = ['--name', 'more/rep-0']
    program = [JINA, 'executor', '--native', '--uses', file, '--host', '127.0.0.1', '--port', port]
    return [
        client(executor.wait_serving())
        for executor in (shared.start('jina-more', port, *program, *same), workers(shared, *same, uses=file))
    ]


def test_e2_without_a_default_what_no_endpoint_binds_passes_through(overridden):
    jina, ours = [plain(answer(caller, '/zzz')) for caller in overridden]
    assert ours == jina
    _, docs, _, routes, _ = ours
    assert [doc['text'] for doc in docs] == ['t0', 't1'] and 'more/rep-0' not in routes


def test_e16_the_schema_of_the_decorator_counts(overridden):
    jina, ours = [plain(answer(caller, '/seen')) for caller in overridden]
    assert ours == jina
    assert [doc['text'] for doc in ours[1]] == ['TextDoc', 'TextDoc']


def test_e27_there_is_no_matrix_where_there_are_no_documents(overridden):
    jina, ours = [plain(answer(caller, '/matrix', docs=DocList[Item]())) for caller in overridden]
    assert ours == jina
    assert list(ours[2]['__results__'].values()) == [{'matrix': True}]


def test_e22_functions_run_together_where_that_is_allowed(stage):
    executor = workers(stage, '--allow-concurrent').wait_serving()
    many(executor, '/sync', 10)
    assert client(executor).post('/most', items(1), return_type=DocList[Item])[0].pid > 1


def streamed(executor, endpoint: str) -> list:
    """The messages of a stream: whether each is an error, and the exception of its status."""

    async def stream():
        async with grpc.aio.insecure_channel(f'127.0.0.1:{executor.port}') as channel:
            stub = jina_pb2_grpc.JinaSingleDocumentRequestRPCStub(channel)
            request = jina_pb2.SingleDocumentRequestProto(document=Item(id='s', text='x').to_protobuf())
            request.header.exec_endpoint = endpoint
            messages = []
            async for message in stub.stream_doc(request):
                status = message.header.status
                messages.append((status.code == jina_pb2.StatusProto.ERROR, status.exception.name))
            return messages

    return asyncio.run(asyncio.wait_for(stream(), 30))


def test_e46_a_document_of_another_class_is_an_error_in_its_place(both):  # noqa: F811
    jina, ours = [streamed(executor, '/wrong-stream') for executor in both]
    assert ours == jina
    assert ours[0][0], ours


def test_e47_what_is_no_generator_says_so(both):  # noqa: F811
    jina, ours = [streamed(executor, '/b') for executor in both]
    assert ours[0] == jina[0]
    assert ours[0][0], ours


def test_e58_an_exception_can_end_the_process(stage):
    executor = workers(stage, '--exit-on-exceptions', 'ValueError').wait_serving()
    header, *_ = answer(client(executor), '/raise')
    assert header['exception'][0] == 'ValueError', 'it is answered first'
    assert executor.wait(20) == 0, executor.said()

"""Dynamic batching: the same executor in Python, in Rust and in Python under our process, behind Python's client and
both gateways; and calls that take too long or too much."""

import asyncio
import json
import sys
import time

import pytest
from docarray import DocList
from jina import Client

from conftest import client
from executors import Text
from processes import BINARIES, HERE, JINA, free_port, until


@pytest.fixture(scope='module', params=['python', 'rust', 'workers'])
def language(request):
    """What the executor is written in; with `workers` it is in Python, and batches are made by our process."""
    return request.param


def program(language, file='batcher.yml'):
    """How an executor of this file is started."""
    if language == 'rust':
        return [BINARIES / 'interop-executor', '--uses', HERE / file]
    if language == 'python':
        return [JINA, 'executor', '--native', '--uses', HERE / file]
    python = ['--python', HERE / file, '--python-interpreter', sys.executable, '--python-workers', '2']
    return [BINARIES / 'executor', *python]


def executor(stage, language, file='batcher.yml', **batching):
    """Batcher, with options of batching over those of its code."""
    port = free_port()
    options = ['--uses-dynamic-batching', json.dumps({'/batch': batching})] if batching else []
    started = stage.start('batcher', port, *program(language, file), '--host', '127.0.0.1', '--port', port, *options)
    return started.wait_serving()


@pytest.fixture(scope='module', params=['direct', 'python gateway', 'rust gateway'])
def batcher(shared, language, request):
    """The port of Batcher, or of a gateway before it."""
    started = executor(shared, language)
    if request.param == 'direct':
        return started.port
    return shared.gateway(request.param.split()[0], started).wait_serving().port


def together(port: int, *requests: tuple) -> list:
    """Sends texts and parameters at the same time; returns the texts of the answers, or the error."""

    async def send(caller, texts, parameters):
        docs = DocList[Text](Text(id=text, text=text) for text in texts.split())
        got = []
        try:
            posted = caller.post('/batch', docs, parameters=parameters, return_type=DocList[Text])
            async for answer in posted:
                got.extend(answer)
        except Exception as error:
            return str(error)
        assert [doc.id for doc in got] == texts.split(), 'each caller gets its own documents, in order'
        return [doc.text for doc in got]

    async def all_of_them():
        caller = Client(host='127.0.0.1', port=port, protocol='grpc', asyncio=True)
        return await asyncio.gather(*(send(caller, *request) for request in requests))

    return asyncio.run(asyncio.wait_for(all_of_them(), 60))


def sizes(answers: list) -> list:
    """How many documents each document was called with."""
    return [[len(text.split()) for text in answer] for answer in answers]


def test_e28_requests_make_a_batch(batcher):
    begin = time.monotonic()
    assert sizes(together(batcher, ('a b', {}), ('c d', {}))) == [[4, 4], [4, 4]]
    assert time.monotonic() - begin < 2, 'nobody waited for the timeout'


def test_e30_a_large_request_is_split(batcher):
    [answer] = together(batcher, ('0 1 2 3 4 5 6 7 8 9', {}))
    assert answer == ['0 1 2 3'] * 4 + ['4 5 6 7'] * 4 + ['8 9'] * 2


def test_e31_batches_reach_across_requests(batcher):
    answers = sizes(together(batcher, ('a b c', {}), ('d e f', {})))
    assert sorted(answers) == [[4, 2, 2], [4, 4, 4]]


def test_e33_e34_parameters_are_kept_apart(batcher):
    first, other, second = together(batcher, ('a b', {'x': 1}), ('c', {'x': 2}), ('d e', {'x': 1.0}))
    assert sizes([first, second]) == [[4, 4], [4, 4]]
    assert other == ['c']


def test_e35_an_error_fails_the_requests_of_its_call(stage, language):
    # One of its own: a timer that an earlier batch left would make Python answer the first request alone.
    port = executor(stage, language).port
    answers = together(port, ('bad b c', {}), ('d e f', {}))
    assert all(isinstance(answer, str) and 'bad' in answer.lower() for answer in answers), answers


def test_e32_flush_all(stage, language):
    port = executor(stage, language, preferred_batch_size=4, flush_all=True).port
    assert sizes(together(port, ('0 1 2 3 4 5 6 7 8 9', {}))) == [[10] * 10]


def test_e41_options_are_overridden_one_by_one(stage, language):
    port = executor(stage, language, preferred_batch_size=2).port
    assert sizes(together(port, ('a b c d e', {}))) == [[2, 2, 2, 2, 1]]
    port = executor(stage, language, use_dynamic_batching=False).port
    assert sizes(together(port, ('a b c d e', {}))) == [[5] * 5]


def test_e42_a_file_says_how(stage, language):
    port = executor(stage, language, 'batcher-by-two.yml').port
    assert together(port, ('a b c d e', {})) == [['a b', 'a b', 'c d', 'c d', 'e']]


def test_e29_a_document_waits_no_longer_than_the_timeout(stage, language):
    port = executor(stage, language, timeout=700).port
    begin = time.monotonic()
    assert together(port, ('a', {})) == [['a']]
    assert time.monotonic() - begin >= 0.7


@pytest.mark.parametrize('ours', ['rust', 'workers'])
def test_e38_a_request_without_documents_is_answered(stage, ours):
    caller = client(executor(stage, ours))
    assert len(caller.post('/batch', DocList[Text](), return_type=DocList[Text])) == 0


@pytest.mark.parametrize('ours', ['rust', 'workers'])
def test_e43_what_waits_is_answered_when_the_process_ends(stage, ours):
    started = executor(stage, ours, timeout=60_000)

    async def post():
        caller = Client(host='127.0.0.1', port=started.port, protocol='grpc', asyncio=True)
        docs = DocList[Text]([Text(text='a')])
        posted = caller.post('/batch', docs, return_type=DocList[Text])
        answered = asyncio.ensure_future(posted.__anext__())
        await asyncio.sleep(1)  # Nothing tells from outside that it waits.
        assert not answered.done()
        started.terminate()
        return await asyncio.wait_for(answered, 30)

    [doc] = asyncio.run(post())
    assert doc.text == 'a'
    assert started.wait(30) == 0, started.said()


def runaway(stage, *options):
    """An executor that does not behave, and its client."""
    port = free_port()
    program = [BINARIES / 'interop-executor', '--uses', 'Runaway', '--host', '127.0.0.1', '--port', port]
    started = stage.start('runaway', port, *program, *options).wait_serving()
    return started, client(started)


def upper(caller) -> str:
    """What a call that behaves gives."""
    return caller.post('/upper', DocList[Text]([Text(text='a')]), return_type=DocList[Text])[0].text


def test_code_that_loops_is_given_up_and_the_process_goes_on(stage):
    started, caller = runaway(stage, '--max-call-time', '300ms')
    for _ in range(2):
        with pytest.raises(Exception, match='did not come back within 300 ms'):
            caller.post('/loop', DocList[Text]([Text(text='a')]), return_type=DocList[Text])
        assert upper(caller) == 'A'
    started.terminate()
    assert started.wait(30) == 0, started.said()


def test_code_that_allocates_without_end_is_stopped_and_the_process_goes_on(stage):
    started, caller = runaway(stage, '--memory-limit', '256MiB')
    with pytest.raises(Exception, match='uses more memory than it may'):
        caller.post('/grow', DocList[Text]([Text(text='a')]), return_type=DocList[Text])

    def serves():
        try:
            return upper(caller) == 'A'
        except Exception:
            return False

    until(serves, 'the memory is free again')
    assert started.popen.poll() is None


def test_code_that_cannot_be_stopped_ends_the_process(stage):
    started, caller = runaway(stage, '--memory-limit', '128MiB')
    with pytest.raises(Exception, match='uses more memory than it may'):
        caller.post('/grow_on', DocList[Text]([Text(text='a')]), return_type=DocList[Text])
    assert started.wait(60) != 0

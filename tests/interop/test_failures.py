"""Executors that go and come back, and a gateway that is told to end."""

import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from docarray import DocList

from conftest import client, texts
from executors import Text
from processes import until


def upper(to) -> list:
    """Has one text written in capitals."""
    return to.post('/upper', inputs=texts('a'), return_type=DocList[Text]).text


def test_an_executor_that_is_down_is_an_error_at_once_and_used_again_when_it_is_back(stage, language):
    executor = stage.executor(language, 'Tools').wait_serving()
    gateway = stage.gateway('rust', executor).wait_serving()
    caller = client(gateway)
    assert upper(caller) == ['A']

    executor.kill()
    for _ in range(3):
        begin = time.monotonic()
        with pytest.raises(ConnectionError, match='executor0'):
            upper(caller)
        assert time.monotonic() - begin < 5
    assert gateway.popen.poll() is None

    stage.executor(language, 'Tools', executor.port).wait_serving()

    def answered():
        try:
            return upper(caller)
        except ConnectionError:
            return None

    assert until(answered, 'the executor is used again', patience=20) == ['A']


def test_a_gateway_becomes_ready_when_its_executor_does(stage):
    executor = stage.executor('rust', 'Tools').wait_serving()
    executor.kill()
    gateway = stage.gateway('rust', executor)
    stage.executor('rust', 'Tools', executor.port).wait_serving()
    gateway.wait_serving()
    assert upper(client(gateway)) == ['A']


@pytest.mark.parametrize('stream', [True, False])
@pytest.mark.parametrize('which', ['gateway', 'executor'])
def test_sigterm_under_load_finishes_calls_in_flight_and_refuses_new_ones(stage, tmp_path, which, stream):
    executor = stage.executor('rust', 'Tools').wait_serving()
    gateway = stage.gateway('rust', executor).wait_serving()
    ending = gateway if which == 'gateway' else executor
    docs = texts(*['held'] * 30)
    held = tmp_path / 'held'
    held.mkdir()

    def call():
        caller = client(gateway)
        parameters = {'directory': str(held)}
        return caller.post(
            '/hold', docs, parameters=parameters, request_size=1, stream=stream, return_type=DocList[Text]
        )

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(call)
        until(lambda: len(list(held.iterdir())) == len(docs), 'the executor has all calls')
        ending.terminate()
        until(lambda: refuses(ending.port), 'new calls are refused')
        assert ending.popen.poll() is None
        assert not answer.done()
        (held / 'release').touch()
        assert sorted(answer.result(30).id) == sorted(docs.id)
    assert ending.wait(10) == 0, ending.said()


def refuses(port: int) -> bool:
    """Whether a new call is refused as clients expect."""
    with grpc.insecure_channel(f'127.0.0.1:{port}') as channel:
        call = channel.unary_unary('/jina.JinaSingleDataRequestRPC/process_single_data')
        try:
            call(b'', timeout=5)
        except grpc.RpcError as error:
            return error.code() == grpc.StatusCode.UNAVAILABLE
    return False

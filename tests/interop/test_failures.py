"""Executors that go and come back, and a gateway that is told to end."""

import threading
import time

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


@pytest.mark.parametrize('which', ['gateway', 'executor'])
def test_sigterm_under_load_finishes_calls_in_flight_and_refuses_new_ones(stage, which):
    executor = stage.executor('rust', 'Tools').wait_serving()
    gateway = stage.gateway('rust', executor).wait_serving()
    ending = gateway if which == 'gateway' else executor
    n_callers = 20
    answers = []
    entered = threading.Barrier(n_callers + 1)

    def call():
        caller = client(gateway)
        # Warm, so that the slow call is under way as soon as it is made.
        upper(caller)
        entered.wait(30)
        try:
            slow = caller.post(
                '/slow', inputs=texts('a'), parameters={'seconds': 3}, return_type=DocList[Text], stream=False
            )
            answers.append(slow.text)
        except Exception as error:
            answers.append(error)

    callers = [threading.Thread(target=call) for _ in range(n_callers)]
    for caller in callers:
        caller.start()
    entered.wait(30)
    # All calls are under way when the executor has them; it answers none for three seconds.
    time.sleep(1)
    ending.terminate()
    if which == 'gateway':
        until(lambda: refused(gateway), 'new calls are refused', patience=2)
    for caller in callers:
        caller.join(30)
    assert answers == [['a']] * n_callers
    assert ending.wait(10) == 0, ending.said()


def refused(gateway) -> bool:
    """Whether a new call is refused with the error that clients expect."""
    try:
        upper(client(gateway))
    except ConnectionError:
        return True
    return False

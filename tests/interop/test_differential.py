"""Our gateway and Jina's before the same executors, asked the same."""

import json

import pytest

from answers import Answer, ask, delays, in_order, message, records
from graphs import Case, Post, generate
from processes import BINARIES, Nursery, free_port

CASES = [generate(seed) for seed in range(54)]


@pytest.fixture(scope='module')
def nursery(tmp_path_factory):
    """Where Jina's programs come from."""
    nursery = Nursery(tmp_path_factory.mktemp('nursery'))
    yield nursery
    nursery.close()


@pytest.fixture(scope='module')
def workers(nursery):
    """The addresses of all executors."""
    names = {'anything': 'Anything', 'other': 'Anything', 'both': 'Both', 'twin': 'Both', 'work': 'Work', 'extra': 'Extra'}
    executors = {name: nursery.executor(name, uses) for name, uses in names.items()}
    for executor in executors.values():
        executor.wait_serving()
    return {name: [f'grpc://127.0.0.1:{executor.port}'] for name, executor in executors.items()}


@pytest.fixture
def gateways(nursery, workers, stage):
    """Starts both gateways."""
    started = []

    def start(case: Case):
        names = [name for name in case.order() if name in workers]
        arguments = [
            *('--protocol', 'GRPC'),
            *('--graph-description', json.dumps(case.graph)),
            *('--deployments-addresses', json.dumps({name: workers[name] for name in names})),
            *('--graph-conditions', json.dumps(case.conditions)),
            *('--deployments-no-reduce', json.dumps(case.no_reduce)),
        ]
        started.append(nursery.gateway(*arguments))
        port = free_port()
        ours = stage.start('gateway', port, BINARIES / 'gateway', '--host', '127.0.0.1', '--port', port, *arguments)
        return started[0].wait_serving().port, ours.wait_serving().port

    yield start
    for gateway in started:
        gateway.stop()


def both(ports, case: Case, post: Post) -> tuple:
    """What Jina's gateway and ours answer; if they can, the parts of joins come in the order of the graph."""
    for step in [0.02, 0.1, 0.4]:
        slow = {'delays': delays(case, post, step)} if case.joins() else {}
        request = message(post, {**post.parameters, **slow}, records())
        theirs, ours = (ask(port, request) for port in ports)
        if theirs.code != 'OK' or in_order(case, theirs):
            break
    return theirs, ours


@pytest.mark.parametrize('case', [case for _, case in CASES], ids=[name for name, _ in CASES])
def test_both_answer_the_same(gateways, case):
    ports = gateways(case)
    bad = []
    for post in case.posts:
        theirs, ours = both(ports, case, post)
        diff = theirs.differences(ours)
        if diff:
            bad.append((post, in_order(case, theirs) if theirs.code == 'OK' else None, theirs.details, diff))
    if bad:
        print(json.dumps(case.__dict__, default=lambda p: p.__dict__)[:600])
        for post, order, details, diff in bad:
            print(post, 'ORDER', order, 'DETAILS', details)
            for key, (a, b) in diff.items():
                print('   ', key)
                print('       jina', a)
                print('       ours', b)
    assert not bad

"""Executors in shards behind a head: Jina's gateway and ours, before Jina's head and ours, before Python shards.

All four pairs must answer alike; so must a Flow file whose shards our gateway asks itself, with no head between.
"""

import json

import grpc
import pytest
from docarray import DocList
from jina.proto import jina_pb2

from answers import message
from conftest import client
from graphs import Post
from processes import BINARIES, HERE, JINA, free_port, until
from workers import Record

POLLING = {'/any': 'ANY', '/all': 'ALL'}
N_SHARDS = 3


def shard(n: int) -> str:
    """The name of a shard, as executors are named that stand behind a head."""
    return f's/shard-{n}/rep-0'


@pytest.fixture(scope='module')
def shards(nursery):
    """Python executors, one for each shard."""
    started = [nursery.executor(shard(n), 'Anything') for n in range(N_SHARDS)]
    yield [executor.wait_serving() for executor in started]
    for executor in started:
        executor.stop()


class Before:
    """Starts a head and a gateway of either kind before shards."""

    def __init__(self, nursery, stage, gateway: str, head: str):
        self.nursery = nursery
        self.stage = stage
        self.kinds = gateway, head
        self.forked = []

    def head(self, ports, polling=None, **around):
        """The head; `around` gives the ports of what stands before and after the shards."""
        listed = {str(n): [f'127.0.0.1:{port}'] for n, port in enumerate(ports)}
        port = free_port()
        arguments = [
            *('executor', '--name', 's/head', '--pod-role', 'HEAD', '--runtime-cls', 'HeadRuntime'),
            *('--host', '127.0.0.1', '--port', port, '--shards', len(ports), '--native'),
            *('--connection-list', json.dumps(listed)),
        ]
        if polling:
            arguments += ['--polling', json.dumps(polling)]
        for name, of in around.items():
            arguments += [f'--{name.replace("_", "-")}-address', f'127.0.0.1:{of}']
        return self.start(self.kinds[1], 'head', port, arguments).wait_serving()

    def gateway(self, head):
        """A gateway that knows the head only."""
        port = free_port()
        arguments = [
            *('gateway', '--host', '127.0.0.1', '--port', port, '--protocol', 'GRPC'),
            *('--graph-description', json.dumps({'start-gateway': ['s'], 's': ['end-gateway']})),
            *('--deployments-addresses', json.dumps({'s': [f'grpc://127.0.0.1:{head.port}']})),
        ]
        return self.start(self.kinds[0], 'gateway', port, arguments).wait_serving()

    def start(self, kind, name, port, arguments):
        if kind == 'rust':
            return self.stage.start(name, port, BINARIES / 'flowgate', *arguments)
        self.forked.append(self.nursery.start(name, port, *arguments))
        return self.forked[-1]

    def close(self):
        """Ends those of Jina; the stage ends ours."""
        for process in reversed(self.forked):
            process.stop()


@pytest.fixture(params=['rust rust', 'python rust', 'rust python', 'python python'])
def before(request, nursery, stage):
    """Each kind of gateway before each kind of head."""
    before = Before(nursery, stage, *request.param.split())
    yield before
    before.close()


@pytest.fixture
def called(before, shards):
    """A client of a gateway before a head before all shards."""
    head = before.head([executor.port for executor in shards], POLLING)
    return client(before.gateway(head))


def records(n: int = 2) -> DocList[Record]:
    """Documents that say nothing yet."""
    return DocList[Record](Record(id=str(n)) for n in range(n))


def post(caller, endpoint, parameters=None, docs=None, **options):
    """The documents of the answer."""
    docs = records() if docs is None else docs
    return caller.post(endpoint, docs, parameters=parameters or {}, return_type=DocList[Record], **options)


def signed(docs) -> list:
    """Who was asked, by the signs on each document."""
    return [sorted(doc.counts) for doc in docs]


def test_r47_shards_take_turns(called):
    asked = []
    for _ in range(2 * N_SHARDS):
        [first, second] = signed(post(called, '/any'))
        assert first == second
        asked += first
    turns = asked[:N_SHARDS]
    assert set(turns) == {shard(n) for n in range(N_SHARDS)}
    assert asked == turns * 2


def test_r48_all_shards_are_merged(called):
    docs = post(called, '/all', {'mark': True, 'add': 1})
    added = [f'{shard(n)}-1' for n in range(N_SHARDS)]
    assert sorted(docs.id) == sorted(['0', '1', *added])
    for doc in docs:
        if doc.id in '01':
            assert set(doc.counts) == {shard(n) for n in range(N_SHARDS)}
            assert doc.other == shard(N_SHARDS - 1)


@pytest.mark.parametrize('endpoint, n', [('/search', N_SHARDS), ('/index', 1), ('/other', 1)])
def test_r49_some_endpoints_ask_all_shards_if_nobody_says_otherwise(before, shards, endpoint, n):
    head = before.head([executor.port for executor in shards])
    [first, second] = signed(post(client(before.gateway(head)), endpoint))
    assert (len(first), second) == (n, first)


def test_r50_each_shard_tells_its_result(called):
    answers = []
    called.post('/all', records(), parameters={'tell': True}, on_always=answers.append, return_type=DocList[Record])
    [answer] = answers
    assert answer.parameters['__results__'] == {shard(n): {'docs': 2, 'name': shard(n)} for n in range(N_SHARDS)}


def trailers(port: int, endpoint: str) -> dict:
    """What a head says after an answer."""
    with grpc.insecure_channel(f'127.0.0.1:{port}') as channel:
        call = channel.unary_unary(
            '/jina.JinaSingleDataRequestRPC/process_single_data',
            request_serializer=jina_pb2.DataRequestProto.SerializeToString,
            response_deserializer=jina_pb2.DataRequestProto.FromString,
        )
        request = message(Post(endpoint), {}, records())
        _, call = call.with_call(request, timeout=30, metadata=[('endpoint', endpoint)])
        return dict(call.trailing_metadata())


def test_r51_a_shard_that_is_gone_is_left_out(before, shards):
    head = before.head([shards[0].port, free_port()], POLLING)
    docs = post(client(before.gateway(head)), '/all')
    assert signed(docs) == [[shard(0)]] * 2
    said = trailers(head.port, '/all')
    assert (said['total_shards'], said['failed_shards']) == ('2', '1')


def test_r52_no_shard_is_there(before, nursery):
    started = [nursery.executor(shard(n), 'Anything') for n in range(2)]
    head = before.head([executor.wait_serving().port for executor in started], POLLING)
    caller = client(before.gateway(head))
    for executor in started:
        executor.stop()
        executor.wait_ended()
    with pytest.raises(ConnectionError) as raised:
        post(caller, '/all')
    said = str(raised.value)
    assert '|Head:' in said and '|Gateway:' in said, said


def test_r53_one_before_and_one_after_the_shards(before, shards, nursery):
    around = {name: nursery.executor(name, 'Anything') for name in ['uses_before', 'uses_after']}
    try:
        ports = {name: executor.wait_serving().port for name, executor in around.items()}
        head = before.head([executor.port for executor in shards], POLLING, **ports)
        docs = post(client(before.gateway(head)), '/all')
    finally:
        for executor in around.values():
            executor.stop()
    for doc in docs:
        assert 'uses_before parts' not in doc.seen
        assert json.loads(doc.seen['uses_after parts']) == [['0', '1']] * N_SHARDS
        assert (doc.words[0], doc.words[-1]) == ('uses_before', 'uses_after')


def test_a_shard_that_raises_is_not_taken_for_success(nursery, stage, shards):
    before = Before(nursery, stage, 'rust', 'rust')
    caller = client(before.gateway(before.head([executor.port for executor in shards], POLLING)))
    failed = []
    caller.post('/all', records(), parameters={'fail': True}, on_error=failed.append, return_type=DocList[Record])
    [answer] = failed
    assert 'fails' in answer.status.description
    assert answer.status.exception.name == 'ValueError'


FLOW = """
jtype: Flow
with:
  py_modules: workers.py
gateway:
  host: 127.0.0.1
  port: PORT
executors:
  - name: s
    uses: Anything
    shards: 3
    polling: {/any: ANY, /all: ALL}
    uses_after: after.yml
  - name: last
    uses: Both
"""


AFTER = """
jtype: Anything
py_modules: [workers.py]
"""


@pytest.mark.parametrize('kind', ['rust', 'python'])
def test_a_flow_file_with_shards_needs_no_head_of_ours(kind, stage, tmp_path):
    port = free_port()
    (tmp_path / 'workers.py').write_text((HERE / 'workers.py').read_text())
    (tmp_path / 'after.yml').write_text(AFTER)
    file = tmp_path / 'flow.yml'
    file.write_text(FLOW.replace('PORT', str(port)))
    program = [JINA] if kind == 'python' else [BINARIES / 'flowgate']
    environment = ['env', f'PATH={JINA.parent}:/usr/bin:/bin']
    flow = stage.start('flow', port, *environment, *program, 'flow', '--uses', file).wait_serving()
    caller = client(flow)
    until(caller.is_flow_ready, 'the Flow is ready')
    docs = post(caller, '/all', {'add': 1})
    mine = {shard(n) for n in range(N_SHARDS)}
    assert mine < set().union(*(doc.counts for doc in docs))
    for doc in (doc for doc in docs if doc.id in '01'):
        assert doc.words[-1].startswith('last')
        [parts] = [json.loads(part) for name, part in doc.seen.items() if name.endswith(' parts')]
        assert parts == [['0', '1', f'{shard(n)}-1'] for n in range(N_SHARDS)]
    assert {f'{name}-1' for name in mine} < set(docs.id)
    [first, _, *_] = signed(post(caller, '/any'))
    assert len(mine & set(first)) == 1

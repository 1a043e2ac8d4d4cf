"""What Jina's users rely on, row by row: the Python client, our gateway, Python executors.

Each row stands in one place only. Where it is not here:

| rows | what | where |
|---|---|---|
| R2, R3, R5, R20, R21 | chains, joins, routes, executors passed by | test_differential.py; crates/routing: dispatch/tests/ways.rs |
| R4 | branches run at the same time | crates/routing: dispatch/tests/ways.rs, without a clock |
| R6 to R9 | merging | test_differential.py; crates/routing: dispatch/tests/joins.rs |
| R10 | merging nested documents | crates/docarray: merge/tests.rs |
| R11 | joins that are not merged | test_differential.py; tests/it/golden.rs |
| R12 to R15 | conditions, each operator | test_differential.py; crates/docarray: filter/tests.rs |
| R16, R24, R65 | what Jina does wrong | test_differential.py |
| R19, R41, R42 | what executors see | tests/it/golden.rs, tests/it/requests.rs |
| R22, R23, R25 | parameters, results | test_differential.py; crates/routing: dispatch/tests/parameters.rs |
| R26 to R29 | floating executors | crates/routing: dispatch/tests/floating.rs; tests/it/golden.rs |
| R30, R32 | executors that raise | test_differential.py; crates/routing: dispatch/tests/errors.rs |
| R33 | turns | crates/executor-client: tests/replicas.rs |
| R34, R35 | replicas that are killed | test_replicas.py |
| R36 to R40 | tries and deadlines, which differ on purpose | crates/executor-client: tests/calls.rs, tests/replicas.rs |
| R43, R44 | closed until ready, executors that do not fit | tests/it/life.rs |
| R45 | prefetch | tests/it/streams.rs |
| R46 | order of answers | test_client.py; tests/it/streams.rs |
| R47 to R53 | shards, heads | test_heads.py |
| R57 | dry run | test_client.py, test_acceptance_http.py; tests/it/readiness.rs |
| R54 over HTTP, R59, R60, R63, R64 | HTTP | test_acceptance_http.py |
"""

import asyncio

import grpc
import pytest
from docarray import DocList
from google.protobuf import empty_pb2
from jina import Client
from jina.proto import jina_pb2, jina_pb2_grpc

from answers import records
from conftest import client
from graphs import Case, edges
from workers import Record


def served(gateways, *chains: str, **addresses):
    """Our gateway with this graph; an executor may stand in it under another name."""
    gateways.addresses = {**gateways.addresses, **{name: gateways.addresses[of] for name, of in addresses.items()}}
    return gateways.ours(Case(edges(*chains))).wait_serving()


def called(docs) -> set:
    """The executors that left their sign."""
    return set().union(*(doc.counts for doc in docs)) - {'k'}


def test_r1_an_empty_graph_echoes(gateways):
    responses = []
    caller = client(gateways.ours(Case({})).wait_serving())
    caller.post('/', records(), parameters={'k': 5}, on_always=responses.append, return_type=DocList[Record])
    [response] = responses
    assert [doc.id for doc in response.docs] == records().id
    assert response.parameters['k'] == 5
    assert [route.executor for route in response.routes] == ['gateway']


@pytest.mark.parametrize(
    'target, who', [('foo', {'both', 'twin'}), ('foo$', {'both'}), ('zzz', set()), ('', {'both', 'twin', 'work'})]
)
def test_r17_r18_targets_are_beginnings_of_names(gateways, target, who):
    gateway = served(gateways, 'start foo foo2 bar end', foo='both', foo2='twin', bar='work')
    docs = client(gateway).post('/work', records(), target_executor=target, return_type=DocList[Record])
    assert called(docs) == who
    assert docs.id == records().id


@pytest.mark.parametrize('stream', [True, False])
def test_r31_one_request_that_fails_does_not_end_the_others(gateways, stream):
    done, failed = [], []
    docs = DocList[Record](Record(id=str(n)) for n in range(6))
    client(served(gateways, 'start both end')).post(
        '/work',
        docs,
        request_size=1,
        parameters={'fail_on': '3'},
        on_done=done.append,
        on_error=failed.append,
        stream=stream,
        return_type=DocList[Record],
    )
    assert (len(done), len(failed)) == (5, 1)
    assert [doc.id for doc in failed[0].docs] == ['3']
    assert 'both fails' in failed[0].status.description


def streamed(gateway, file) -> list:
    """What comes back for one document; `file` lets the executor go on once the first is here."""

    async def stream():
        caller = Client(host='127.0.0.1', port=gateway.port, protocol='grpc', asyncio=True)
        got = []
        async for doc in caller.stream_doc('/stream', Record(id='0', text=str(file)), return_type=Record):
            file.touch()
            got.append((doc.id, doc.text))
        return got

    return asyncio.run(asyncio.wait_for(stream(), 30))


def test_r54_documents_of_a_stream_come_one_by_one(gateways, tmp_path):
    gateway = served(gateways, 'start streamer end')
    assert streamed(gateway, tmp_path / 'go-on') == [('first', 'streamer'), ('second', 'streamer')]


def test_r55_a_stream_is_the_first_executors_alone(gateways, tmp_path):
    gateway = served(gateways, 'start streamer anything end')
    assert streamed(gateway, tmp_path / 'go-on') == [('first', 'streamer'), ('second', 'streamer')]


def test_r56_the_process_is_healthy_without_its_executors(stage):
    executor = stage.executor('rust', 'Tools').wait_serving()
    gateway = stage.gateway('rust', executor).wait_serving()
    caller = client(gateway)
    assert caller.is_flow_ready()
    executor.kill()
    assert not caller.is_flow_ready()
    gateway.wait_serving()


def test_r58_sigterm_is_a_clean_end(gateways):
    gateway = served(gateways, 'start both end')
    # Between calls the synchronous client does not answer the ping that says goodbye.
    with grpc.insecure_channel(f'127.0.0.1:{gateway.port}') as channel:
        verdict = jina_pb2_grpc.JinaGatewayDryRunRPCStub(channel).dry_run(empty_pb2.Empty())
        assert verdict.code == jina_pb2.StatusProto.SUCCESS
        gateway.terminate()
        assert gateway.wait(5) == 0, gateway.said()


@pytest.mark.parametrize('compression', [None, 'Gzip'])
def test_r61_large_documents_pass(gateways, compression):
    gateways.options = ['--compression', compression] if compression else []
    caller = client(served(gateways, 'start both end'), compression=compression)
    text = 'x' * 30_000_000
    [doc] = caller.post('/work', DocList[Record]([Record(text=text)]), return_type=DocList[Record])
    assert len(doc.text) == len(text) + len(' both')
    assert doc.text.endswith('x both')


@pytest.mark.parametrize('inner', ['jina', 'ours'])
def test_r62_a_gateway_can_be_an_executor(gateways, inner):
    inside = getattr(gateways, inner)(Case(edges('start both twin end'))).wait_serving()
    gateways.addresses = {**gateways.addresses, 'external': [f'grpc://127.0.0.1:{inside.port}']}
    gateway = gateways.ours(Case(edges('start spare external end'))).wait_serving()
    docs = client(gateway).post('/work', records(), return_type=DocList[Record])
    assert docs.text[0] == 'zero spare both twin'

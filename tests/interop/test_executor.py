"""What executors owe to those who call them, row by row, the same code in Python and in Rust.

The Python client asks the executor itself, through our gateway and through Jina's. Where a row is not here:

| rows | what | where |
|---|---|---|
| E2 | no match passes through | crates/executor-runtime: service/tests.rs |
| E5 | inheritance | a matter of Python: test_python_workers.py |
| E7, E8, E26, E27 | keywords, parts, matrix | crates/executor: tests.rs against recordings; test_e7 here |
| E12, E16 | wrong returns, overridden schemas | a type error in Rust: crates/executor-runtime: tests/compile_errors; in Python: test_python_workers.py, test_python_rows.py |
| E18, E19, E25, E63 | raw calls | crates/executor: tests.rs against recordings |
| E20 to E22 | what runs at the same time | crates/executor-runtime: service/tests.rs |
| E28 to E43 | dynamic batching | test_batching.py; crates/executor-runtime: batch/tests.rs |
| E45, E46 | generators that are not async, wrong classes | streams in Rust are one kind, and typed; in Python: test_python_workers.py, test_python_rows.py |
| E47 | no generator | crates/executor-runtime: service/tests.rs; test_python_rows.py |
| E54 | devices | test_flow.py; crates/flow: devices/tests.rs |
| E56 | port in use | crates/executor: tests.rs |
| E60 | stateful | test_stateful.py |
| E61 | reload | test_python_workers.py |
| E62 | metrics | the tests of metrics |
"""

import asyncio
import json
import subprocess
from pathlib import Path

import grpc
import pytest
from docarray import DocList
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from jina import Client
from jina.excepts import BadServer
from jina.proto import jina_pb2, jina_pb2_grpc

from conftest import client
from processes import BINARIES, free_port, is_healthy, until
from rows import Line

DOORS = ['direct', 'ours', 'jina']


@pytest.fixture(scope='module')
def executor(shared, language):
    """Rows, as what both gateways stand before."""
    port = free_port()
    return shared.executor(language, 'Rows', port, '--name', 'rows/rep-0').wait_serving()


@pytest.fixture(scope='module', params=DOORS)
def caller(shared, executor, language, request):
    """A client of the executor, itself or through a gateway."""
    if request.param == 'direct':
        return client(executor)
    kind = {'ours': 'rust', 'jina': 'python'}[request.param]
    return client(shared.gateway(kind, executor).wait_serving())


def lines(*texts: str) -> DocList[Line]:
    return DocList[Line]([Line(id=str(n), text=text) for n, text in enumerate(texts)])


def post(caller, endpoint: str, *texts: str, **options) -> DocList[Line]:
    return caller.post(endpoint, lines(*texts), return_type=DocList[Line], **options)


def test_e1_the_exact_endpoint_then_the_default(caller):
    assert post(caller, '/b', 'x').text == ['several']
    assert post(caller, '/zzz', 'x').text == ['default']


def test_e3_e4_names_are_taken_as_they_are(caller):
    assert post(caller, '/c', 'x').text == ['several']
    assert post(caller, 'noslash', 'x').text == ['noslash']
    assert post(caller, '/noslash', 'x').text == ['default']


def test_e7_functions_are_told_of_parts(caller):
    [told] = set(post(caller, '/parts', 'x', 'y').text)
    matrix, names = json.loads(told)
    assert matrix == [['0', '1']]
    assert len(names) == 1


def test_e9_e10_documents_in_place_or_others(caller):
    assert post(caller, '/greet', 'x').text == ['hello']
    docs = post(caller, '/new', 'x', 'y')
    assert (docs.id, docs.text) == (['new-0', 'new-1', 'new-2'], ['new'] * 3)


def test_e11_results_stand_beside_the_documents(caller):
    [response] = caller.post('/results', lines('x', 'y'), return_responses=True)
    response.document_array_cls = DocList[Line]
    results = response.parameters['__results__']
    assert list(results.values()) == [{'n': 2.0}]
    assert response.docs.text == ['counted', 'counted']
    assert list(results) == ['rows/rep-0']


def test_e13_one_document_at_a_time(caller):
    docs = post(caller, '/single', 'x', 'keep')
    assert (docs.id, docs.text) == (['new-0', '1'], ['new', 'kept'])


def test_e14_parameters_have_a_type(caller):
    assert post(caller, '/params', 'x', parameters={'top_k': 3}).text == ['3 en']
    assert post(caller, '/params', 'x', parameters={'top_k': 3, 'lang': 'de', 'z': 1}).text == ['3 de']
    with pytest.raises(BadServer) as caught:
        post(caller, '/params', 'x', parameters={'lang': 'de'})
    status = caught.value.args[0].status
    assert status.exception.name == 'ValidationError'
    assert 'top_k' in status.description


def test_e15_parameters_of_this_executor_alone(caller):
    assert post(caller, '/own', 'x', parameters={'k': 1, 'Rows': {'k': 2}}).text == ['2']


def test_e17_an_exception_is_told_as_it_was_raised(caller):
    with pytest.raises(BadServer) as caught:
        post(caller, '/fail', 'x')
    status = caught.value.args[0].status
    assert status.code == jina_pb2.StatusProto.ERROR
    assert status.description == "ValueError('boom', 1)"
    exception = status.exception
    assert (exception.name, list(exception.args), exception.executor) == ('ValueError', ['boom', '1'], 'Rows')
    assert exception.stacks[0].startswith('Traceback') and exception.stacks[-1].startswith('ValueError: ')


def test_e23_endpoints_and_schemas_are_told(executor):
    with grpc.insecure_channel(f'127.0.0.1:{executor.port}') as channel:
        told = jina_pb2_grpc.JinaDiscoverEndpointsRPCStub(channel).endpoint_discovery(Empty())
    assert {'/default', '/b', '/c', 'noslash', '/params', '_jina_dry_run_'} <= set(told.endpoints)
    assert list(told.write_endpoints) == ['/set']
    schemas = MessageToDict(told.schemas)
    assert schemas['/b']['input']['name'] == 'Line'
    assert schemas['/stream']['is_generator'] is True
    parameters = bare(schemas['/params']['parameters'])
    want = {
        'properties': {
            'top_k': {'title': 'Top K', 'type': 'integer'},
            'lang': {'default': 'en', 'title': 'Lang', 'type': 'string'},
        },
        'required': ['top_k'],
        'title': 'Search',
        'type': 'object',
    }
    assert parameters == {'name': 'Search', 'model': want}


def test_e24_reflection_lists_the_eight_services(executor):
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    with grpc.insecure_channel(f'127.0.0.1:{executor.port}') as channel:
        listed = ProtoReflectionDescriptorDatabase(channel).get_services()
    assert 'jina.JinaSingleDataRequestRPC' in listed and 'jina.JinaGatewayDryRunRPC' in listed
    assert len(listed) == 8


def test_e44_documents_of_a_stream_come_one_by_one(caller, tmp_path):
    file = tmp_path / 'go-on'
    options = {'host': '127.0.0.1', 'port': caller.args.port, 'asyncio': True}

    async def stream():
        got = []
        async for doc in Client(**options).stream_doc('/stream', Line(text=str(file)), return_type=Line):
            file.touch()
            got.append((doc.id, doc.text))
        return got

    assert asyncio.run(asyncio.wait_for(stream(), 30)) == [('first', 'hello'), ('second', 'hello')]


def test_e59_an_executor_goes_back_to_a_snapshot(executor, language):
    caller = client(executor)
    post(caller, '/set', 'A')
    with grpc.insecure_channel(f'127.0.0.1:{executor.port}') as channel:
        begun = jina_pb2_grpc.JinaExecutorSnapshotStub(channel).snapshot(Empty())
        progress = jina_pb2_grpc.JinaExecutorSnapshotProgressStub(channel)
        wait(lambda: progress.snapshot_status(begun.id).status, jina_pb2.SnapshotStatusProto)
        assert Path(begun.snapshot_file).name == 'state.bin'
        post(caller, '/set', 'B')
        command = jina_pb2.RestoreSnapshotCommand(snapshot_file=begun.snapshot_file)
        restoring = jina_pb2_grpc.JinaExecutorRestoreStub(channel).restore(command)
        progress = jina_pb2_grpc.JinaExecutorRestoreProgressStub(channel)
        wait(lambda: progress.restore_status(restoring.id).status, jina_pb2.RestoreSnapshotStatusProto)
    assert post(caller, '/get', 'x').text == ['A']
    assert not Path(begun.snapshot_file).exists()


def wait(status, of):
    """Waits until it has succeeded. It is not asked again afterwards, which Jina answers with an error."""

    def done():
        now = status()
        assert now in (of.RUNNING, of.SUCCEEDED), now
        return now == of.SUCCEEDED

    until(done, 'it has succeeded')


@pytest.fixture(scope='module')
def over_http(shared, language):
    """Rows with HTTP of its own."""
    port = free_port()
    executor = shared.executor(language, 'Rows', port, '--protocol', 'HTTP')
    return client(executor.wait_serving(is_healthy), protocol='http')


def test_e48_executors_answer_over_http(over_http):
    assert post(over_http, '/b', 'x').text == ['several']
    assert post(over_http, '/params', 'x', parameters={'top_k': 3}).text == ['3 en']
    with pytest.raises(ValueError, match='boom'):
        post(over_http, '/fail', 'x')


def test_e49_executors_stream_over_http(over_http, tmp_path):
    (tmp_path / 'go-on').touch()
    options = {'host': '127.0.0.1', 'port': over_http.args.port, 'protocol': 'http', 'asyncio': True}

    async def stream():
        line = Line(id='0', text=str(tmp_path / 'go-on'))
        return [doc.id async for doc in Client(**options).stream_doc('/stream', line, return_type=Line)]

    assert asyncio.run(asyncio.wait_for(stream(), 30)) == ['first', 'second']


FILE = """
jtype: Rows
py_modules: {modules}
with:
  greeting: ${{{{ ENV.GREETING }}}}
metas:
  name: named
requests:
  /other: several
"""


@pytest.fixture(scope='module')
def configured(shared, language, tmp_path_factory):
    """Rows as a file and the command line over it say."""
    folder = tmp_path_factory.mktemp('configured')
    modules = json.dumps(str(Path(__file__).with_name('rows.py')))
    file = folder / 'rows.yml'
    file.write_text(FILE.format(modules=modules))
    port = free_port()
    arguments = ['--workspace', folder, '--shard-id', '3', '--uses-requests', json.dumps({'/mapped': 'noslash'})]
    program = [BINARIES / 'interop-executor'] if language == 'rust' else [*jina_executor()]
    process = shared.start(
        'configured',
        port,
        *('env', 'GREETING=welcome', *program, '--uses', file, '--host', '127.0.0.1', '--port', port, *arguments),
    )
    return client(process.wait_serving()), folder


def jina_executor():
    from processes import JINA

    return [JINA, 'executor', '--native']


def test_e50_e51_files_and_what_is_laid_over_them(configured):
    caller, _ = configured
    assert post(caller, '/greet', 'x').text == ['welcome']
    assert post(caller, '/other', 'x').text == ['several']


def test_e6_functions_are_bound_elsewhere(configured):
    caller, _ = configured
    assert post(caller, '/mapped', 'x').text == ['noslash']
    assert post(caller, 'noslash', 'x').text == ['default']


def test_e52_the_workspace_is_the_shards(configured):
    caller, folder = configured
    assert post(caller, '/workspace', 'x').text == [str(folder / 'named' / '3')]


def test_e53_the_environment_is_seen(configured):
    caller, _ = configured
    assert post(caller, '/env', 'GREETING').text == ['welcome']


def test_e55_a_failed_start_is_told_and_has_a_code():
    program = [BINARIES / 'interop-executor', '--uses', 'Rows', '--uses-with', '{"greeting": 7}']
    ended = subprocess.run([*program, '--port', str(free_port())], capture_output=True, text=True, timeout=30)
    assert ended.returncode == 1
    assert 'greeting' in ended.stderr or 'invalid type' in ended.stderr


def test_e57_sigterm_is_a_clean_end(stage):
    executor = stage.executor('rust', 'Rows').wait_serving()
    executor.terminate()
    assert executor.wait(10) == 0, executor.said()


def test_e58_an_error_that_ends_the_process_is_answered_first(stage):
    port = free_port()
    executor = stage.executor('rust', 'Rows', port, '--exit-on-exceptions', 'ValueError').wait_serving()
    with pytest.raises(BadServer, match='boom'):
        post(client(executor), '/fail', 'x')
    assert executor.wait(10) == 0, executor.said()


def test_e64_what_is_not_understood_is_warned_about(stage):
    port = free_port()
    executor = stage.executor('rust', 'Rows', port, '--uses-with', '{"unknown": 1}').wait_serving()
    assert post(client(executor), '/greet', 'x').text == ['hello']
    assert 'unknown' in executor.said()


def bare(value, of_names=False):
    """A schema without prose, and without what ours repeats for gateways in Python."""
    if isinstance(value, dict):
        prose = ('description', 'example', 'definitions')
        kept = {key: entry for key, entry in value.items() if of_names or key not in prose}
        return {key: bare(entry, key in ('properties', '$defs')) for key, entry in kept.items()}
    if isinstance(value, list):
        return [bare(item) for item in value]
    return value


def test_predefined_documents_are_told_as_python_tells_them(shared):
    told = {}
    for language in ('python', 'rust'):
        executor = shared.executor(language, 'Predefined').wait_serving()
        with grpc.insecure_channel(f'127.0.0.1:{executor.port}') as channel:
            answer = jina_pb2_grpc.JinaDiscoverEndpointsRPCStub(channel).endpoint_discovery(Empty())
        told[language] = bare(MessageToDict(answer.schemas))
    # There an example became the default.
    for side in ('input', 'output'):
        told['python']['/mesh'][side]['model']['properties']['embedding']['default'] = None
    assert told['python'].keys() == told['rust'].keys()
    for endpoint, schemas in told['python'].items():
        assert told['rust'][endpoint] == schemas, endpoint

"""A user's class under `jina executor` and under `executor --python`: equal answers; and what only the latter does."""

import asyncio
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from docarray import BaseDoc, DocList
from docarray.documents import TextDoc
from google.protobuf.json_format import MessageToDict
from jina import Client

from conftest import client, texts
from executors import Text
from generic import Generic
from processes import BINARIES, HERE, JINA, free_port, is_serving, until
from snakes import Item

ZOO = HERE / 'zoo.yml'


def workers(stage, *arguments, uses=ZOO, python=sys.executable):
    """Our executor with this class."""
    port = free_port()
    program = [BINARIES / 'executor', '--python', uses, '--python-interpreter', python]
    return stage.start('python-workers', port, *program, '--host', '127.0.0.1', '--port', port, *arguments)


@pytest.fixture(scope='module')
def both(shared):
    """Jina's executor and ours, of one class and one name."""
    port = free_port()
    same = ['--name', 'zoo/rep-0', '--workspace', shared.directory / 'space']
    program = [JINA, 'executor', '--native', '--uses', ZOO, '--host', '127.0.0.1', '--port', port]
    return shared.start('jina-zoo', port, *program, *same).wait_serving(), workers(shared, *same).wait_serving()


@pytest.fixture(scope='module', params=['direct', 'rust'])
def callers(request, both, shared):
    """Clients of the two, directly or through our gateway before each."""
    if request.param == 'direct':
        return [client(executor) for executor in both]
    gateways = [shared.gateway('rust', executor) for executor in both]
    return [client(gateway.wait_serving()) for gateway in gateways]


def items(n=2):
    return DocList[Item]([Item(id=str(k), text=f't{k}') for k in range(n)])


def answer(caller, endpoint, docs=None, parameters=None, of=Item):
    """What a caller sees, comparable."""
    responses = []
    docs = items() if docs is None else docs
    options = {'parameters': parameters} if parameters else {}
    caller.post(endpoint, docs, return_type=DocList[of], on_done=responses.append, on_error=responses.append, **options)
    [response] = responses
    status = response.header.status
    header = {
        'code': status.code,
        'description': status.description,
        'exception': (status.exception.name, list(status.exception.args), status.exception.executor),
    }
    stacks = list(status.exception.stacks)
    response.document_array_cls = DocList[of]
    seen = [doc.dict() for doc in response.docs]
    routes = [route.executor for route in response.routes]
    return header, seen, response.parameters, routes, (stacks[:1], stacks[-1:])


def plain(value):
    """Arrays as lists, so that `==` means equal."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


LARGE = DocList[Item](Item(id=str(n), text='x' * size) for n, size in enumerate([10, 40_000, 300_000, 3_000_000]))

CASES = {
    'text in place': ('/base', {}),
    'the own endpoint wins': ('/over', {}),
    'several names': ('/b', {}),
    'another of several names': ('/c', {}),
    'a name without a slash': ('noslash', {}),
    'the default endpoint': ('/zzz', {}),
    'what the executor knows of itself': ('/about', {}),
    'arguments and parameters': ('/kwargs', {'parameters': {'k': 1, 'l': [1, 'x'], 'animals': {'k': 2}}}),
    'arrays and nested documents': ('/vectors', {}),
    'arrays that came': ('/vectors', {'docs': DocList[Item]([Item(id='v', vector=np.array([1.5, 2, 3]))])}),
    'other documents than came': ('/new', {'of': TextDoc}),
    'results': ('/dict', {}),
    'a wrong answer': ('/bad', {}),
    'one at a time': ('/single', {}),
    'typed parameters': ('/model', {'parameters': {'times': 3}}),
    'parameters of the wrong type': ('/model', {'parameters': {'times': 'x'}}),
    'an exception': ('/raise', {}),
    'an exception of a coroutine': ('/araise', {}),
    'batches': ('/batched', {'docs': items(10)}),
    'a batch answered by fewer': ('/short-batch', {'docs': items(4)}),
    'a batch answered by results': ('/dict-batch', {'docs': items(4)}),
    'batches by a metric': ('/weighed', {'docs': DocList[Item](Item(id=str(n), text='x' * n) for n in (6, 3, 13, 1))}),
    'a large document': ('/base', {'docs': LARGE}),
    'large documents of a coroutine': ('/b', {'docs': LARGE}),
    'the dry run': ('_jina_dry_run_', {}),
}


@pytest.mark.parametrize('case', CASES)
def test_answers_are_equal(callers, case):
    endpoint, options = CASES[case]
    jina, ours = [plain(answer(caller, endpoint, **options)) for caller in callers]
    assert ours == jina


def streamed(caller, endpoint):
    async def collect():
        docs = []
        async for doc in asynchronous(caller).stream_doc(endpoint, inputs=Item(id='s', text='x'), return_type=Item):
            docs.append((doc.id, doc.text))
        return docs

    return asyncio.run(collect())


def asynchronous(caller):
    return Client(host='127.0.0.1', port=caller.args.port, protocol='grpc', asyncio=True)


def test_streams_are_equal(callers):
    jina, ours = [streamed(caller, '/stream') for caller in callers]
    assert ours == jina == [('0', 'x 0'), ('1', 'x 1'), ('2', 'x 2')]


def test_generators_that_are_no_coroutines_stream_too(both):
    assert streamed(client(both[1]), '/sync-stream') == [('0', 'x 0'), ('1', 'x 1'), ('2', 'x 2')]


def test_a_generator_is_not_called_by_post(both):
    assert [fails(executor, '/stream')[0] for executor in both] == ['TypeError'] * 2


def without_examples(schema):
    """Examples of ids are made anew by each process."""
    if isinstance(schema, dict):
        return {key: without_examples(value) for key, value in schema.items() if key != 'example'}
    return schema


def test_discovery_is_equal(both):
    found = []
    for executor in both:
        proto = Generic(executor.port).call('jina.JinaDiscoverEndpointsRPC', 'endpoint_discovery')
        found.append(MessageToDict(proto))
    jina, ours = [without_examples(said) for said in found]
    assert sorted(ours['endpoints']) == sorted(jina['endpoints'])
    for endpoint, schema in jina['schemas'].items():
        assert ours['schemas'][endpoint] == schema, endpoint


def test_a_python_gateway_calls_it(stage):
    executor = workers(stage, uses=HERE / 'foo.yml').wait_serving()
    gateway = stage.gateway('python', executor).wait_serving()
    answers = client(gateway).post('/', texts('a', 'b', 'c'), request_size=1, return_type=DocList[Text])
    assert answers.text == ['foo was called'] * 3


def many(executor, endpoint, n):
    async def calls():
        caller = asynchronous(client(executor))

        async def one():
            async for docs in caller.post(endpoint, items(1), return_type=DocList[Item]):
                return docs[0]

        return await asyncio.gather(*[one() for _ in range(n)], return_exceptions=True)

    return asyncio.run(calls())


def test_an_empty_request_is_not_kept_waiting_for_a_batch(stage):
    # Jina's own batches never answer it.
    caller = client(workers(stage).wait_serving())
    responses = []
    caller.post('/batched', DocList[Item](), on_always=responses.append)
    assert [len(response.docs) for response in responses] == [0]


class Odd(BaseDoc):
    """No `Item`: its number is none."""

    pid: str = 'odd'


def test_batches_are_of_requests_to_all_workers(stage):
    # Requests wait for company however busy the machine is.
    patient = '{"/batched": {"preferred_batch_size": 4, "timeout": 60000}}'
    arguments = ['--python-workers', '2', '--uses-dynamic-batching', patient]
    executor = workers(stage, *arguments).wait_serving()
    assert [doc.text for doc in many(executor, '/batched', 8)] == ['4 at once'] * 8


def test_documents_of_a_wrong_type_fail_their_own_request_only(stage):
    executor = workers(stage).wait_serving()

    async def both():
        def post(docs, of):
            caller = Client(host='127.0.0.1', port=executor.port, protocol='grpc', asyncio=True)
            return caller.post('/batched', docs, return_type=DocList[of]).__anext__()

        return await asyncio.gather(
            post(items(2), Item), post(DocList[Odd]([Odd(), Odd()]), Odd), return_exceptions=True
        )

    good, bad = asyncio.run(both())
    assert [doc.text for doc in good] == ['2 at once'] * 2
    assert isinstance(bad, Exception) and 'validation error' in str(bad), bad


def test_functions_run_one_at_a_time_and_coroutines_together(stage):
    executor = workers(stage).wait_serving()
    many(executor, '/sync', 10)
    assert client(executor).post('/most', items(1), return_type=DocList[Item])[0].pid == 1
    many(executor, '/async', 10)
    assert client(executor).post('/most', items(1), return_type=DocList[Item])[0].pid == 10


def pids(executor, n=40):
    return {doc.pid for doc in many(executor, '/pid', n) if isinstance(doc, Item)}


def test_two_workers_are_two_processes(stage):
    executor = workers(stage, '--python-workers', 2).wait_serving()
    both = until(lambda: len(found := pids(executor)) == 2 and found, 'two processes answer')
    assert executor.popen.pid not in both


def fails(executor, endpoint):
    """The name of the exception that a call ends with, and what is said of it."""
    responses = []
    client(executor).post(endpoint, items(1), return_type=DocList[Item], on_error=responses.append)
    [response] = responses
    return response.header.status.exception.name, response.header.status.description


def test_a_worker_that_dies_fails_its_call_only_and_is_started_again(stage):
    executor = workers(stage, '--python-workers', 2, '--name', 'zoo/rep-0').wait_serving()
    before = until(lambda: len(found := pids(executor)) == 2 and found, 'two processes answer')
    name, said = fails(executor, '/die')
    assert name == 'WorkerLost'
    assert 'zoo/rep-0' in said and 'SIGKILL' in said
    assert pids(executor) <= before, 'the other one goes on'
    after = until(lambda: len(found := pids(executor)) == 2 and found, 'there are two again')
    assert len(after & before) == 1


def test_without_workers_it_is_not_ready_and_says_so_until_they_are_back(stage):
    executor = workers(stage, '--name', 'zoo/rep-0').wait_serving()
    [worker] = pids(executor)
    os.kill(worker, signal.SIGKILL)
    # Loading Jina alone takes longer than asking for health.
    until(lambda: not is_serving(executor.port), 'it is not ready')
    assert 'is started again' in executor.said()
    executor.wait_serving()
    assert pids(executor) - {worker}


def test_a_worker_killed_under_load_loses_its_own_calls_only(stage):
    executor = workers(stage, '--python-workers', 2).wait_serving()
    victim, _ = until(lambda: len(found := pids(executor)) == 2 and found, 'two processes answer')

    async def load():
        caller = asynchronous(client(executor))
        ended = []

        async def one():
            try:
                async for docs in caller.post('/async', items(1), return_type=DocList[Item]):
                    ended.append(docs[0].id)
            except Exception as error:
                ended.append(error)

        calls = [asyncio.create_task(one()) for _ in range(40)]
        await asyncio.sleep(0.1)
        os.kill(victim, signal.SIGKILL)
        await asyncio.gather(*calls)
        return ended

    ended = asyncio.run(load())
    lost = [error for error in ended if isinstance(error, Exception)]
    assert len(ended) == 40 and len(lost) <= 20, lost
    assert all('WorkerLost' in str(error) for error in lost), lost
    until(lambda: len(pids(executor)) == 2, 'there are two again')


def test_calls_that_wait_in_a_worker_that_dies_are_given_to_the_other(stage):
    executor = workers(stage, '--python-workers', 2).wait_serving()
    until(lambda: len(pids(executor)) == 2, 'two processes answer')

    async def load():
        caller = asynchronous(client(executor))

        async def one(endpoint):
            try:
                async for docs in caller.post(endpoint, items(1), return_type=DocList[Item]):
                    return docs[0].id
            except Exception as error:
                return error

        calls = [one('/sync') for _ in range(4)] + [one('/die')] + [one('/sync') for _ in range(12)]
        return await asyncio.gather(*calls)

    ended = asyncio.run(load())
    lost = [error for error in ended if isinstance(error, Exception)]
    assert len(lost) == 1 and 'WorkerLost' in str(lost[0]), lost


def test_a_call_that_never_ends_is_ended(stage):
    executor = workers(stage, '--max-call-time', '500ms').wait_serving()
    name, said = fails(executor, '/hang')
    assert name == 'CallTooLong' and '500ms' in said
    executor.wait_serving()
    until(lambda: pids(executor, 1), 'it answers again')


def test_memory_is_limited(stage):
    executor = workers(stage, '--python-memory-limit', '2GiB').wait_serving()
    name, _ = fails(executor, '/hog')
    assert name == 'MemoryError'
    assert pids(executor, 1)


def test_it_closes_the_executor_and_exits_with_0(stage):
    executor = workers(stage, '--python-workers', 2).wait_serving()
    executor.terminate()
    assert executor.wait(20) == 0
    assert executor.said().count('hi, closed') == 2


def test_workers_end_with_their_parent(stage):
    executor = workers(stage).wait_serving()
    [worker] = pids(executor)
    executor.kill()

    def gone():
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return True
        return False

    until(gone, 'the worker ends')


def refused(*arguments, **variables):
    """How our executor ends, and what it says."""
    environment = {**os.environ, 'JINA_OPTOUT_TELEMETRY': '1', **variables}
    command = [str(word) for word in [BINARIES / 'executor', *arguments]]
    ended = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stderr


def test_what_is_missing_is_said(tmp_path):
    code, said = refused('--python', ZOO, '--python-interpreter', '/nowhere/python')
    assert code == 2 and '/nowhere/python' in said and '--python-interpreter' in said
    subprocess.run([sys.executable, '-m', 'venv', '--without-pip', tmp_path / 'bare'], check=True)
    bare = tmp_path / 'bare' / 'bin' / 'python'
    code, said = refused('--python', ZOO, JINA_PYTHON=str(bare))
    assert code == 2 and str(bare) in said, said
    assert "No module named 'docarray'" in said and '-m pip install jina' in said
    code, said = refused('--python', tmp_path / 'none.yml', JINA_PYTHON=sys.executable)
    assert code == 2 and '--python' in said and 'none.yml' in said


def test_a_class_that_is_not_there_or_cannot_be_made_is_said(tmp_path):
    nothing = tmp_path / 'nothing.yml'
    nothing.write_text(f'jtype: Nothing\npy_modules:\n  - {HERE / "snakes.py"}\n')
    code, said = refused('--python', nothing, JINA_PYTHON=sys.executable)
    assert code == 2 and 'Nothing' in said, said
    broken = tmp_path / 'broken.yml'
    broken.write_text(f'jtype: Broken\npy_modules:\n  - {HERE / "snakes.py"}\n')
    code, said = refused('--python', broken, JINA_PYTHON=sys.executable)
    assert code == 1 and 'no luck' in said, said


def test_a_flow_runs_a_class_in_workers(stage, tmp_path):
    port = free_port()
    flow = tmp_path / 'flow.yml'
    flow.write_text(
        f"""jtype: Flow
with:
  port: {port}
executors:
  - name: zoo
    uses: {ZOO}
    python_workers: 2
    python_interpreter: {sys.executable}
    uses_with:
      greeting: servus
    env:
      NOBODY: reads
"""
    )
    running = stage.start('flow', port, BINARIES / 'flowgate', 'flow', '--uses', flow).wait_serving()
    [about] = client(running).post('/about', items(1), return_type=DocList[Item])
    assert (about.tags['greeting'], about.tags['name']) == ('servus', 'zoo/rep-0')
    running.terminate()
    assert running.wait(30) == 0


RELOADED = """
from docarray.documents import TextDoc
from docarray import DocList
from jina import Executor, requests
from reloaded_words import WORD


class Reloaded(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.calls = 0

    @requests(on='/say')
    {kind} say(self, docs: DocList[TextDoc], **kwargs) -> DocList[TextDoc]:
        self.calls += 1
        return DocList[TextDoc]([TextDoc(text=f'{phrase} {{WORD}} {{self.calls}}')])
"""


@pytest.mark.parametrize('kind', ['def', 'async def'])
def test_e61_new_code_is_taken_and_what_the_executor_holds_stays(stage, kind, tmp_path):
    def write(name, text):
        # As editors do: the file is never there in part.
        (tmp_path / 'new').write_text(text)
        (tmp_path / 'new').rename(tmp_path / name)

    def code(phrase):
        return RELOADED.replace('{kind}', kind).replace('{phrase}', phrase).replace('{{', '{').replace('}}', '}')

    def said():
        return client(executor).post('/say', texts('x'), return_type=DocList[TextDoc])[0].text.rsplit(' ', 1)

    write('reloaded_words.py', "WORD = 'one'")
    write('reloaded.py', code('old'))
    write('reloaded.yml', 'jtype: Reloaded\npy_modules: [reloaded_words.py, reloaded.py]\n')
    executor = workers(stage, '--reload', uses=tmp_path / 'reloaded.yml').wait_serving()
    assert said() == ['old one', '1']
    write('reloaded.py', code('new'))
    until(lambda: said()[0] == 'new one', 'new code')
    write('reloaded_words.py', "WORD = 'two'")
    until(lambda: said()[0] == 'new two', 'new code of a module that it imports')
    calls = int(said()[1])
    assert calls > 3
    write('reloaded.py', 'this is no Python')
    until(lambda: 'goes on with its old code' in executor.said(), 'a complaint')
    assert said() == ['new two', str(calls + 1)]
    write('reloaded.py', code('right'))
    until(lambda: said()[0] == 'right two', 'the code that is right again')

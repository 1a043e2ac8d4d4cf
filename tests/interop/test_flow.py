"""Flow files: ours runs Python executors as its children, and answers what Jina answers for the same file."""

import subprocess
import sys
from pathlib import Path
from typing import Optional

import grpc
import pytest
from docarray import BaseDoc, DocList
from google.protobuf import empty_pb2
from jina import Client
from jina.proto import jina_pb2_grpc

from conftest import client
from processes import BINARIES, HERE, JINA, children, free_port, until
from rows import Line

EXECUTORS = '''
from typing import Optional

from docarray import BaseDoc, DocList
from jina import Executor, requests


class Side(BaseDoc):
    text: Optional[str] = None
    left: Optional[str] = None
    right: Optional[str] = None


class Add(Executor):
    """Adds a text to one field of each document."""

    def __init__(self, add: str, to: str = 'text', **kwargs):
        super().__init__(**kwargs)
        self.add, self.to = add, to

    @requests
    def on_all(self, docs: DocList[Side], **kwargs) -> DocList[Side]:
        for doc in docs:
            setattr(doc, self.to, (getattr(doc, self.to) or '') + self.add)
'''

FLOW = """
jtype: Flow
with:
  py_modules: executors.py
gateway:
  host: 127.0.0.1
  port: PORT
executors:
  - name: first
    uses: Add
    uses_with: {add: f}
    replicas: 2
  - name: left
    uses: Add
    uses_with: {add: l, to: left}
  - name: right
    uses: Add
    uses_with: {add: r, to: right}
    needs: first
  - name: joined
    uses: add.yml
    needs: [left, right]
  - name: last
    uses: Add
    uses_with: {add: '!'}
    when:
      text:
        $regex: keep
"""

# Its first executor alone.
SMALL = FLOW[: FLOW.index('  - name: left')]

ADD_FILE = """
jtype: Add
with:
  add: j
py_modules:
  - executors.py
"""


class Side(BaseDoc):
    """As in EXECUTORS."""

    text: Optional[str] = None
    left: Optional[str] = None
    right: Optional[str] = None


@pytest.fixture(autouse=True)
def python(monkeypatch):
    """Ours finds this Python's jina."""
    monkeypatch.setenv('JINA_PYTHON', sys.executable)


def start(stage, program, text: str = FLOW):
    """A process that runs a Flow file."""
    port = free_port()
    directory = stage.directory / str(port)
    directory.mkdir()
    (directory / 'executors.py').write_text(EXECUTORS)
    (directory / 'add.yml').write_text(ADD_FILE)
    file = directory / 'flow.yml'
    file.write_text(text.replace('PORT', str(port)))
    return stage.start('flow', port, program, 'flow', '--uses', file)


def ours(stage, text: str = FLOW):
    """A Flow of ours that serves."""
    return start(stage, BINARIES / 'flowgate', text).wait_serving()


def is_running(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return ') Z ' not in Path(f'/proc/{pid}/stat').read_text()
    except FileNotFoundError:
        return False


def test_one_file_gives_the_same_answers_with_both(stage):
    flows = [ours(stage), start(stage, JINA).wait_serving()]
    sent = DocList[Side]([Side(id='a', text='keep'), Side(id='b', text='drop'), Side(id='c', text='keep')])
    answers = [client(flow).post('/', inputs=sent, return_type=DocList[Side]) for flow in flows]
    assert answers[0] == answers[1]
    assert answers[0].id == ['a', 'c']
    assert answers[0].text == ['keepfj!', 'keepfj!']
    assert (answers[0].left, answers[0].right) == (['l', 'l'], ['r', 'r'])


def test_it_ends_with_its_children(stage):
    flow = ours(stage, SMALL)
    started = children(flow)
    assert len(started) == 2
    flow.terminate()
    assert flow.wait() == 0
    assert not any(is_running(pid) for pid in started)


def test_its_children_do_not_outlive_it_when_it_is_killed(stage):
    flow = ours(stage, SMALL)
    started = children(flow)
    assert len(started) == 2
    flow.kill()
    until(lambda: not any(is_running(pid) for pid in started), 'its children have ended')


def test_an_executor_that_does_not_start_ends_the_start(stage):
    flow = start(stage, BINARIES / 'flowgate', SMALL.replace('uses: Add', 'uses: NoSuchExecutor'))
    assert flow.wait() == 1
    assert 'ended before the Flow was ready' in flow.said()


def test_without_jina_it_says_what_is_missing(stage, monkeypatch):
    monkeypatch.setenv('JINA_PYTHON', '/no/such/python')
    flow = start(stage, BINARIES / 'flowgate')
    assert flow.wait() == 1
    for word in ['first, left, right, joined, last', '/no/such/python', 'JINA_PYTHON']:
        assert word in flow.said()


def test_check_shows_the_graph(tmp_path):
    file = tmp_path / 'flow.yml'
    file.write_text(FLOW.replace('PORT', '0').replace('add.yml', 'Add'))
    checked = subprocess.run([BINARIES / 'flowgate', 'check', file], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith('first > left+right > joined > last\n')
    assert 'first: Add, in Python, ready within 600s, 2 replicas\n' in checked.stdout
    assert 'last: Add, in Python, ready within 600s, when {"text":{"$regex":"keep"}}\n' in checked.stdout


def test_check_asks_executors_that_run(stage, tmp_path):
    rust = stage.executor('rust', 'FooExecutor').wait_serving()
    python = stage.executor('python', 'Tools').wait_serving()

    def check(file: str):
        """The exit code, and what is said."""
        path = tmp_path / 'flow.yml'
        path.write_text(file)
        words = [BINARIES / 'flowgate', 'check', path, '--live', '--timeout', '3s']
        checked = subprocess.run(words, capture_output=True, text=True, timeout=60)
        return checked.returncode, checked.stdout, checked.stderr

    external = '  - {name: NAME, external: true, host: 127.0.0.1, port: PORT}\n'
    foo = external.replace('NAME', 'foo').replace('PORT', str(rust.port))
    own = f'  - {{name: tools, uses: Tools, port: {python.port}}}\n'
    code, out, complaints = check(f'jtype: Flow\nexecutors:\n{foo}{own}')
    assert (code, 'executor' in complaints) == (0, False), out + complaints
    assert 'foo: runs, with the endpoints /default, _jina_dry_run_\n' in out
    assert 'tools: runs, with the endpoints /upper, /fail' in out

    typed = stage.executor('rust', 'Typed').wait_serving()
    typed = external.replace('NAME', 'typed').replace('PORT', str(typed.port))
    rows = stage.executor('python', 'Rows').wait_serving()
    rows = f'  - {{name: rows, uses: Rows, port: {rows.port}}}\n'
    gone = external.replace('NAME', 'gone').replace('PORT', str(free_port()))
    code, out, complaints = check(f'jtype: Flow\nexecutors:\n{foo}{gone}')
    assert (code, 'executor `gone` has not answered' in complaints) == (1, True), complaints
    assert 'foo: runs' in out
    code, out, complaints = check(f'jtype: Flow\nexecutors:\n{typed}{rows}{gone}')
    assert code == 2, complaints
    assert 'typed -> rows: field `title` unknown at `/results`' in complaints and 'executor `gone` has not answered' in complaints


DEPLOYMENT = """
jtype: Deployment
with:
  uses: Add
  uses_with: {add: '!'}
  name: add
  py_modules: executors.py
  include_gateway: false
  host: 127.0.0.1
  port: [PORT, HTTP]
  protocol: [GRPC, HTTP]
"""


def test_a_deployment_without_a_gateway_is_served_by_its_executor(stage):
    http = free_port()
    deployment = ours(stage, DEPLOYMENT.replace('HTTP]', f'{http}]', 1))
    sent = DocList[Side]([Side(id='a', text='x')])
    for protocol, port in [('grpc', deployment.port), ('http', http)]:
        caller = Client(host='127.0.0.1', port=port, protocol=protocol)
        assert caller.post('/', sent, return_type=DocList[Side]).text == ['x!'], protocol
    # An executor has no dry run.
    with grpc.insecure_channel(f'127.0.0.1:{deployment.port}') as channel, pytest.raises(grpc.RpcError) as refused:
        jina_pb2_grpc.JinaGatewayDryRunRPCStub(channel).dry_run(empty_pb2.Empty())
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert len(children(deployment)) == 1
    deployment.terminate()
    assert deployment.wait() == 0


TURNS = """
jtype: Flow
gateway:
  host: 127.0.0.1
  port: PORT
executors:
  - name: rows
    uses: ROWS
    replicas: 2
    env: {CUDA_VISIBLE_DEVICES: 'RR'}
"""


def test_e54_replicas_take_turns_at_the_devices(stage, monkeypatch):
    monkeypatch.setenv('CUDA_TOTAL_DEVICES', '2')
    flow = ours(stage, TURNS.replace('ROWS', str(HERE / 'rows.yml')))
    asked = DocList[Line](Line(text='CUDA_VISIBLE_DEVICES') for _ in range(12))
    seen = set()

    def several() -> bool:
        """The Flow serves as soon as one replica does."""
        seen.update(client(flow).post('/env', asked, request_size=1, return_type=DocList[Line]).text)
        return len(seen) > 1

    until(several, 'several replicas answer')
    assert seen == {'0', '1'}

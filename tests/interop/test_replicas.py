"""Replicas that are killed, come back, or hang, while a steady load of requests goes on."""

import json
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from jina.proto import jina_pb2

from processes import BINARIES, free_port, until

REQUESTS = 500
CALLERS = 8
CALL = '/jina.JinaSingleDataRequestRPC/process_single_data'


class Load:
    """Calls a gateway from several threads, each request under a name of its own."""

    def __init__(self, port: int):
        self.channel = grpc.insecure_channel(f'127.0.0.1:{port}')
        self.call = self.channel.unary_unary(
            CALL,
            request_serializer=jina_pb2.DataRequestProto.SerializeToString,
            response_deserializer=jina_pb2.DataRequestProto.FromString,
        )

    def ask(self, name: str = 'mine', timeout: float = 20) -> tuple:
        """Which request was answered, with which document, and how often that went through an executor."""
        request = jina_pb2.DataRequestProto()
        request.header.request_id = name
        request.header.exec_endpoint = '/upper'
        doc = request.data.docs.docs.add()
        doc.data['id'].text = name
        doc.data['text'].text = name
        answer = self.call(request, timeout=timeout)
        [doc] = answer.data.docs.docs
        return answer.header.request_id, doc.data['id'].text, doc.data['text'].text

    def failure(self) -> tuple:
        """How a request fails, and after how long."""
        begin = time.monotonic()
        with pytest.raises(grpc.RpcError) as failed:
            self.ask()
        return failed.value.code(), failed.value.details(), time.monotonic() - begin


class Replicas:
    """Three replicas that sign what they did, behind a gateway."""

    def __init__(self, stage, **options):
        self.stage = stage
        self.all = {}
        for name in ['first', 'second', 'third']:
            self.start(name, free_port())
        addresses = [f'grpc://127.0.0.1:{replica.port}' for replica in self.all.values()]
        arguments = [
            *('--graph-description', '{"start-gateway": ["replicated"], "replicated": ["end-gateway"]}'),
            *('--deployments-addresses', json.dumps({'replicated': addresses})),
        ]
        for option, value in options.items():
            arguments += [f'--{option.replace("_", "-")}', value]
        port = free_port()
        program = [BINARIES / 'gateway', '--host', '127.0.0.1', '--port', port, '--protocol', 'GRPC']
        self.gateway = stage.start('gateway', port, *program, *arguments).wait_serving()
        self.load = Load(self.gateway.port)

    def start(self, name: str, port: int):
        """Starts one, or starts it again."""
        program = [BINARIES / 'interop-executor', '--uses', 'Named', '--name', name, '--host', '127.0.0.1']
        self.all[name] = self.stage.start(name, port, *program, '--port', port).wait_serving()

    def shares(self) -> Counter:
        """Who answers how many of some requests."""
        return Counter(self.load.ask()[2] for _ in range(90))

    def wait_even(self, names: set, patience: float):
        """Waits until these share the load evenly, and no others have any."""

        def even():
            shares = self.shares()
            return {*shares} == names and max(shares.values()) - min(shares.values()) <= 9

        until(even, f'the load is even on {names}', patience)


@pytest.fixture
def replicas(stage):
    """Starts replicas."""
    started = []

    def start(**options):
        started.append(Replicas(stage, **options))
        return started[0]

    yield start
    for replicas in started:
        # A client that keeps a connection without a call answers no pings, and the gateway would wait for them.
        replicas.load.channel.close()


def test_no_request_is_lost_or_doubled_when_a_replica_is_killed_and_comes_back(replicas):
    replicas = replicas()
    under_way = threading.Semaphore(0)

    def ask(name):
        answer = replicas.load.ask(name)
        under_way.release()
        return answer

    with ThreadPoolExecutor(CALLERS) as callers:
        answers = [callers.submit(ask, str(n)) for n in range(REQUESTS)]
        for _ in range(REQUESTS // 5):
            assert under_way.acquire(timeout=30)
        replicas.all['second'].kill()
        answers = [answer.result(60) for answer in answers]
    assert [(request, doc) for request, doc, _ in answers] == [(str(n), str(n)) for n in range(REQUESTS)]
    assert {name for _, _, name in answers} == {'first', 'second', 'third'}
    replicas.wait_even({'first', 'third'}, 5)
    replicas.start('second', replicas.all['second'].port)
    replicas.wait_even({'first', 'second', 'third'}, 5)


def test_without_any_replica_callers_are_told_at_once_which_executor_is_gone(replicas):
    replicas = replicas()
    assert {*replicas.shares()} == {'first', 'second', 'third'}
    for replica in replicas.all.values():
        replica.kill()
    for _ in range(10):
        code, details, took = replicas.load.failure()
        assert code == grpc.StatusCode.UNAVAILABLE
        assert 'replicated' in details
        assert all(str(replica.port) in details for replica in replicas.all.values())
        # It would be longer if anything waited for a deadline.
        assert took < 5
    replicas.start('third', replicas.all['third'].port)

    def answered():
        try:
            return replicas.load.ask()[2]
        except grpc.RpcError:
            return None

    assert until(answered, 'the one that is back is used', 5) == 'third'


def test_a_replica_that_hangs_costs_its_calls_their_time_and_then_the_others_go_on(replicas):
    replicas = replicas(timeout_send='500')
    assert {*replicas.shares()} == {'first', 'second', 'third'}
    hanging = replicas.all['second'].popen
    hanging.send_signal(signal.SIGSTOP)
    late = 0
    try:
        for _ in range(60):
            try:
                assert replicas.load.ask()[2] in ('first', 'third')
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
                assert 'replicated' in error.details()
                late += 1
        assert 0 < late < 20
        replicas.wait_even({'first', 'third'}, 20)
    finally:
        hanging.send_signal(signal.SIGCONT)
    replicas.wait_even({'first', 'second', 'third'}, 20)

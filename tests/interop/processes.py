"""Gateways and executors as processes: ours from FLOWGATE_BINARIES, Jina's from this environment."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

HERE = Path(__file__).parent
BINARIES = Path(os.environ['FLOWGATE_BINARIES'])
JINA = Path(sys.executable).with_name('jina')
PATIENCE = 60


def free_port() -> int:
    """A port on the loopback interface that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        return taken.getsockname()[1]


def until(done, what: str, patience: float = PATIENCE):
    """Asks `done` until it gives something true, and returns that."""
    end = time.monotonic() + patience
    while True:
        result = done()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f'still not after {patience} s: {what}')
        time.sleep(0.05)


def is_serving(port: int) -> bool:
    """Whether the health service says so."""
    with grpc.insecure_channel(f'127.0.0.1:{port}') as channel:
        health = health_pb2_grpc.HealthStub(channel)
        try:
            answer = health.Check(health_pb2.HealthCheckRequest(), timeout=5)
        except grpc.RpcError:
            return False
        return answer.status == health_pb2.HealthCheckResponse.SERVING


def is_healthy(port: int) -> bool:
    """Whether it says so over HTTP."""
    try:
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/', timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


class Process:
    """One of them, running."""

    def __init__(self, log: Path, port: int, *argv: str):
        self.port = port
        self.ports = {}
        self.log = log
        env = {**os.environ, 'JINA_OPTOUT_TELEMETRY': '1', 'JINA_LOG_NO_COLOR': '1'}
        with log.open('ab') as out:
            self.popen = subprocess.Popen(
                [str(word) for word in argv],
                cwd=HERE,
                env=env,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors='replace')[-4000:]

    def wait_serving(self, asked=is_serving) -> 'Process':
        """Waits until it says that it serves."""

        def serving():
            status = self.popen.poll()
            assert status is None, f'{self.popen.args[0]} ended with {status}:\n{self.said()}'
            return asked(self.port)

        try:
            until(serving, f'{self.popen.args[0]} serves')
        except AssertionError as error:
            raise AssertionError(f'{error}\n{self.said()}') from None
        return self

    def terminate(self):
        """Asks it to end."""
        self.popen.send_signal(signal.SIGTERM)

    def wait(self, patience: float = PATIENCE) -> int:
        """How it ended."""
        return self.popen.wait(patience)

    def kill(self):
        """Ends it at once."""
        self.popen.kill()
        self.popen.wait()

    def stop(self):
        """Ends it one way or the other."""
        if self.popen.poll() is None:
            self.terminate()
            try:
                self.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
        # Jina's programs leave their children behind when they are told to end.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)


def children(process: Process) -> list[int]:
    """The processes that a process has started."""
    tasks = Path(f'/proc/{process.popen.pid}/task').glob('*/children')
    return [int(child) for task in tasks for child in task.read_text().split()]


class Forked:
    """One of Jina's programs, running as a child of the nursery."""

    def __init__(self, log: Path, port: int, pid: int):
        self.log = log
        self.port = port
        self.pid = pid

    def wait_serving(self) -> 'Forked':
        """Waits until its health service says that it serves."""

        def serving():
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                raise AssertionError(f'it ended:\n{self.log.read_text()[-4000:]}') from None
            return is_serving(self.port)

        until(serving, f'{self.log} tells of a program that serves')
        return self

    def wait_ended(self) -> str:
        """Waits until it has ended by itself, and returns its last words."""

        def ended():
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                return True
            return False

        until(ended, f'{self.log} tells of a program that ended')
        return self.log.read_text()[-4000:]

    def stop(self):
        """Ends it. Jina's gateways sometimes go on for ever, with a core to themselves, when they are told to end."""
        end = time.monotonic() + 5
        try:
            os.kill(self.pid, signal.SIGTERM)
            while time.monotonic() < end:
                os.kill(self.pid, 0)
                time.sleep(0.05)
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Nursery:
    """Many of Jina's programs for the price of one: see nursery.py."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.started = 0
        env = {**os.environ, 'JINA_OPTOUT_TELEMETRY': '1', 'JINA_LOG_NO_COLOR': '1'}
        self.popen = subprocess.Popen(
            [sys.executable, HERE / 'nursery.py'],
            cwd=HERE,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, name: str, port: int, *argv) -> Forked:
        """Runs `jina` with these arguments."""
        self.started += 1
        log = self.directory / f'{self.started}-{name.replace("/", "-")}.log'
        log.touch()
        print(json.dumps([str(word) for word in [log, *argv]]), file=self.popen.stdin, flush=True)
        return Forked(log, port, int(self.popen.stdout.readline()))

    def executor(self, name: str, uses: str) -> Forked:
        """An executor of workers.py."""
        port = free_port()
        arguments = ['--uses', uses, '--name', name, '--host', '127.0.0.1', '--port', port]
        return self.start(name, port, 'executor', '--native', *arguments)

    def gateway(self, *arguments) -> Forked:
        """A gateway."""
        port = free_port()
        return self.start('gateway', port, 'gateway', '--host', '127.0.0.1', '--port', port, *arguments)

    def close(self):
        """Ends all of them."""
        self.popen.stdin.close()
        self.popen.wait(PATIENCE)


class Stage:
    """Starts processes and ends them."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.processes = []

    def executor(self, language: str, uses: str, port: int = 0, *arguments: str) -> Process:
        """An executor of executors.py or rows.py, or its twin in Rust."""
        port = port or free_port()
        if language == 'python':
            files = {'FooExecutor': 'foo.yml', 'Tools': 'tools.yml', 'Rows': 'rows.yml', 'Predefined': 'predefined.yml'}
            program = [JINA, 'executor', '--uses', HERE / files[uses], '--native']
        else:
            program = [BINARIES / 'interop-executor', '--uses', uses]
        return self.start(uses.lower(), port, *program, '--host', '127.0.0.1', '--port', port, *arguments)

    def gateway(self, language: str, *executors: Process, protocol: str = 'GRPC', **options) -> Process:
        """A gateway before a chain of executors. It has a port for each protocol, or one if it is told so."""
        hosted = {f'executor{n}': executor.port for n, executor in enumerate(executors)}
        names = ['start-gateway', *hosted, 'end-gateway']
        graph = {a: [b] for a, b in zip(names, names[1:])}
        addresses = {name: [f'grpc://127.0.0.1:{port}'] for name, port in hosted.items()}
        program = [JINA, 'gateway'] if language == 'python' else [BINARIES / 'gateway']
        protocols = protocol.split()
        ports = [free_port() for _ in protocols[: 1 if options.get('single_port') else None]]
        arguments = [
            *('--host', '127.0.0.1', '--port', *ports, '--protocol', *protocols),
            *('--graph-description', json.dumps(graph)),
            *('--deployments-addresses', json.dumps(addresses)),
        ]
        for name, value in options.items():
            arguments += [f'--{name.replace("_", "-")}', *([] if value is True else [value])]
        process = self.start('gateway', ports[0], *program, *arguments)
        process.ports = dict(zip(protocols, ports if len(ports) > 1 else ports * len(protocols)))
        return process

    def start(self, name: str, port: int, *argv) -> Process:
        """Any process that listens on `port`."""
        process = Process(self.directory / f'{len(self.processes)}-{name}.log', port, *argv)
        self.processes.append(process)
        return process

    def close(self):
        """Ends all, the gateways, which came last, first."""
        for process in reversed(self.processes):
            process.stop()


class Gateways:
    """Starts Jina's gateway and ours before the same executors."""

    def __init__(self, nursery: Nursery, stage: Stage, addresses: dict):
        self.nursery = nursery
        self.stage = stage
        self.addresses = addresses
        self.options = []
        self.started = []

    def arguments(self, case) -> list:
        """What both are told."""
        addresses = {name: self.addresses[name] for name in case.names()}
        return [
            *('--protocol', 'GRPC'),
            *('--graph-description', json.dumps(case.graph)),
            *('--deployments-addresses', json.dumps(addresses)),
            *('--graph-conditions', json.dumps(case.conditions)),
            *('--deployments-no-reduce', json.dumps(case.no_reduce)),
            *self.options,
        ]

    def jina(self, case) -> Forked:
        """Jina's."""
        gateway = self.nursery.gateway(*self.arguments(case))
        self.started.append(gateway)
        return gateway

    def ours(self, case) -> Process:
        """Ours."""
        port = free_port()
        program = [BINARIES / 'gateway', '--host', '127.0.0.1', '--port', port]
        return self.stage.start('gateway', port, *program, *self.arguments(case))

    def close(self):
        """Ends Jina's; ours end with the stage."""
        for gateway in self.started:
            gateway.stop()

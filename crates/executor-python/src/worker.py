"""One worker process of an executor in Python: loads the user's class as Jina does, and answers calls that come
over a socket. The other end is `link.rs`; what goes over the socket is in `frame.rs`."""

import asyncio
import inspect
import json
import os
import platform
import select
import signal
import struct
import sys
import threading
import traceback

# Frames to this process.
CALL, STREAM, NEXT, CANCEL, CLOSE = 2, 3, 4, 5, 6
# Frames from this process.
HELLO, UNFIT, ANSWER, FAILURE, ITEM, ITEM_FAILURE, END, CLOSED = 1, 2, 3, 4, 5, 6, 7, 8
HEAD = struct.Struct('<IBQ')


def framed(kind, number, body):
    return HEAD.pack(9 + len(body), kind, number) + body


def sized(data):
    return struct.pack('<I', len(data)) + data


def unfit(stage, error, message=None):
    """Says why this process cannot be a worker, and ends it."""
    report = {
        'stage': stage,
        'error': message or f'{type(error).__name__}: {error}',
        'module': getattr(error, 'name', None) if isinstance(error, ImportError) else None,
        'traceback': '' if stage == 'environment' else ''.join(
            traceback.format_exception(type(error), error, error.__traceback__)
        ),
        'interpreter': sys.executable,
        'version': platform.python_version(),
    }
    connection.sendall(framed(UNFIT, 0, json.dumps(report).encode()))
    sys.stdout.flush()
    os._exit(0)


def watch_parent(connection):
    """Ends this process when the other end is gone, whatever the user's code does meanwhile."""
    gone = select.poll()
    gone.register(connection.fileno(), select.POLLRDHUP)
    gone.poll()
    os._exit(1)


def ignore_signals():
    """The parent says when it is time to end. Processes that the user's code forks are as they always are."""
    own = os.getpid()

    def received(number, _frame):
        if os.getpid() != own:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, received)
    signal.signal(signal.SIGINT, received)


def limit_memory(most):
    if most:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def import_jina():
    try:
        import docarray
        import jina
        from jina._docarray import docarray_v2
    except Exception as error:
        unfit('environment', error)
    if not docarray_v2:
        error = ImportError(f'docarray {docarray.__version__} is too old: 0.30 or later is needed', name='docarray')
        unfit('environment', error, str(error))


def is_of_init(error, base):
    """Whether the executor's own `__init__` raised it."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(
        frame.f_code.co_name == '__init__' and isinstance(frame.f_locals.get('self'), base) for frame, _ in frames
    )


def load(setup):
    """The request handler of Jina with the executor in it."""
    from jina.logging.logger import JinaLogger
    from jina.parsers import set_pod_parser
    from jina.serve.executors import BaseExecutor
    from jina.serve.runtimes.worker.request_handling import WorkerRequestHandler

    args = set_pod_parser().parse_args([])
    for name, value in setup['args'].items():
        setattr(args, name, value)
    try:
        return WorkerRequestHandler(args, JinaLogger(args.name), deployment_name=args.name.split('/')[0])
    except Exception as error:
        unfit('executor' if is_of_init(error, BaseExecutor) else 'configuration', error)


class Worker:
    """Answers calls until it is told to close."""

    def __init__(self, handler, loop):
        from jina.proto import jina_pb2
        from jina.types.request.data import DataRequest

        self.handler = handler
        self.executor = handler._executor
        self.loop = loop
        self.tasks = {}
        self.wanted = {}
        self.closing = loop.create_future()
        self.request = DataRequest
        self.list = jina_pb2.DataRequestListProto
        self.received = bytearray()
        self.unsent = bytearray()
        self.sent = asyncio.Event()
        self.turn = asyncio.Lock()
        self.in_turn = set()

    def hello(self):
        proto = self.loop.run_until_complete(self.handler.endpoint_discovery(None, None))
        endpoints = {}
        for name, function in self.executor.requests.items():
            # Batches are made of calls that are here at the same time.
            batched = name in self.handler._batchqueue_config
            concurrent = batched or inspect.iscoroutinefunction(function.fn)
            if not concurrent and not self.handler.args.allow_concurrent:
                self.in_turn.add(name)
            endpoints[name] = {'method': function.fn.__name__, 'concurrent': concurrent}
        about = {
            'class': type(self.executor).__name__,
            'meta_name': self.executor.metas.name,
            'python': platform.python_version(),
            'endpoints': endpoints,
        }
        self.send(HELLO, 0, sized(json.dumps(about).encode()), proto.SerializeToString())

    # === the socket ===

    def read(self):
        while True:
            try:
                data = connection.recv(1 << 18)
            except BlockingIOError:
                return
            if not data:
                os._exit(1)
            self.received += data
            self.take()
            if len(data) < 1 << 18:
                return

    def take(self):
        at = 0
        while len(self.received) - at >= HEAD.size:
            length, kind, number = HEAD.unpack_from(self.received, at)
            end = at + 4 + length
            if len(self.received) < end:
                break
            body = bytes(memoryview(self.received)[at + HEAD.size : end])
            at = end
            self.obey(kind, number, body)
        if at:
            del self.received[:at]

    def send(self, kind, number, *pieces):
        pieces = [HEAD.pack(9 + sum(map(len, pieces)), kind, number), *pieces]
        sent = 0
        if not self.unsent:
            try:
                sent = connection.sendmsg(pieces)
            except BlockingIOError:
                pass
            if sent == sum(map(len, pieces)):
                return
            self.sent.clear()
            self.loop.add_writer(connection, self.write)
        for piece in pieces:
            self.unsent += memoryview(piece)[sent:]
            sent = max(0, sent - len(piece))

    def write(self):
        try:
            del self.unsent[: connection.send(self.unsent)]
        except BlockingIOError:
            return
        if not self.unsent:
            self.loop.remove_writer(connection)
            self.sent.set()

    # === calls ===

    def obey(self, kind, number, body):
        if kind == CALL:
            self.start(number, self.call(number, body))
        elif kind == STREAM:
            self.wanted[number] = asyncio.Semaphore(1)
            self.start(number, self.stream(number, body))
        elif kind == NEXT:
            if number in self.wanted:
                self.wanted[number].release()
        elif kind == CANCEL:
            if number in self.tasks:
                self.tasks[number].cancel()
        elif kind == CLOSE:
            if not self.closing.done():
                self.closing.set_result(None)

    def start(self, number, work):
        self.tasks[number] = self.loop.create_task(work)

    def forget(self, number):
        self.tasks.pop(number, None)
        self.wanted.pop(number, None)

    def status(self, error):
        request = self.request()
        request.add_exception(error, self.executor)
        return request.header.status.SerializeToString()

    async def call(self, number, body):
        try:
            requests = [self.request(proto) for proto in self.list.FromString(body).requests]
            endpoint = requests[0].header.exec_endpoint
            if endpoint not in self.executor.requests:
                endpoint = '/default'
            if endpoint in self.handler._batchqueue_config and not requests[0].proto_with_data.data.docs.docs:
                # Jina's batches would never answer it.
                self.send(ANSWER, number, sized(b''), requests[0].proto_with_data.data.SerializeToString())
                return
            if endpoint not in self.in_turn:
                return await self.answer(number, requests)
            async with self.turn:
                # The other end takes the oldest call that is not answered for the only one that has begun.
                if self.unsent:
                    await self.sent.wait()
                await self.answer(number, requests)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self.send(FAILURE, number, self.status(error))
        finally:
            self.forget(number)

    async def answer(self, number, requests):
        name = self.handler.args.name
        try:
            before = requests[0].parameters.get('__results__', {}).get(name)
            answer = await self.handler.handle(requests)
            after = answer.parameters.get('__results__', {}).get(name)
            told = b'' if after is None or after == before else json.dumps(after).encode()
            data = answer.proto_with_data.data.SerializeToString()
            self.send(ANSWER, number, sized(told), data)
        except Exception as error:
            self.send(FAILURE, number, self.status(error))

    async def stream(self, number, body):
        try:
            requests = [self.request(proto) for proto in self.list.FromString(body).requests]
            endpoint = requests[0].header.exec_endpoint
            known = self.executor.requests
            schema = (known.get(endpoint) or known['/default']).response_schema
            items = await self.handler.handle_generator(requests)
            wanted = self.wanted[number]
            while True:
                await wanted.acquire()
                try:
                    doc = await self.next(items)
                except StopAsyncIteration:
                    break
                if isinstance(doc, schema):
                    self.send(ITEM, number, doc.to_protobuf().SerializeToString())
                else:
                    error = ValueError(
                        f'output document type {doc.__class__.__name__} does not match the endpoint output type '
                        f'{schema.__name__}'
                    )
                    self.send(ITEM_FAILURE, number, self.status(error))
            self.send(END, number)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self.send(FAILURE, number, self.status(error))
        finally:
            self.forget(number)

    async def next(self, items):
        if hasattr(items, '__anext__'):
            return await items.__anext__()
        end = object()
        item = await self.loop.run_in_executor(None, next, items, end)
        if item is end:
            raise StopAsyncIteration
        return item

    def run(self):
        """Serves; returns when it is told to close, and what was running has ended."""
        connection.setblocking(False)
        self.loop.add_reader(connection, self.read)
        self.loop.run_until_complete(self.closing)
        status = b''
        try:
            self.loop.run_until_complete(self.handler.close())
        except Exception as error:
            status = self.status(error)
        self.loop.remove_reader(connection)
        connection.setblocking(True)
        connection.sendall(bytes(self.unsent) + framed(CLOSED, 0, status))


def main():
    setup = json.loads(exactly(int.from_bytes(exactly(4), 'little')))
    ignore_signals()
    threading.Thread(target=watch_parent, args=(connection,), daemon=True).start()
    limit_memory(setup['memory_limit'])
    import_jina()
    from jina.helper import get_or_reuse_loop

    loop = get_or_reuse_loop()
    asyncio.set_event_loop(loop)

    async def loaded():
        return load(setup)

    worker = Worker(loop.run_until_complete(loaded()), loop)
    try:
        worker.hello()
    except Exception as error:
        unfit('configuration', error)
    worker.run()
    sys.stdout.flush()
    sys.stderr.flush()


main()

"""Answers calls that come over a socket. The other end is `link.rs`."""

import asyncio
import inspect
import json
import os
import platform
import socket
import sys
import threading
import traceback


class Worker:
    """Answers calls until it is told to close.

    Calls take the shortest way to the function and back; what they come to is that of Jina's `handle`. Where all
    functions run one at a time, one thread takes frames from the socket, calls and answers. Otherwise frames are
    taken by the event loop."""

    def __init__(self, handler, loop):
        from docarray import DocList
        from google.protobuf.json_format import MessageToDict
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
        content = jina_pb2.DataRequestProto.DataContentProto
        self.docs_tag = varint(content.DESCRIPTOR.fields_by_name['docs'].number << 3 | 2)
        self.docs_type = DocList
        self.to_dict = MessageToDict
        self.inbox = Inbox()
        self.unsent = bytearray()
        self.sent = asyncio.Event()
        self.turn = asyncio.Lock()
        self.in_turn = set()
        self.functions = {}
        self.batched = set()
        # One thread holds it while it makes a call.
        self.busy = threading.Lock()

    def batching(self):
        """How the endpoints are batched by the other end. A metric of the user's own is for Jina's queue, here."""
        told, config = {}, self.handler._batchqueue_config
        for name, options in list(config.items()):
            if options.get('use_custom_metric') and options.get('custom_metric') is not None:
                continue
            # The defaults are those of Jina's queue.
            told[name] = {
                'preferred_batch_size': options.get('preferred_batch_size', 4),
                'timeout': options.get('timeout', 10_000),
                'flush_all': bool(options.get('flush_all', False)),
            }
            del config[name]
        return told

    def hello(self):
        proto = self.loop.run_until_complete(self.handler.endpoint_discovery(None, None))
        batching, endpoints = self.batching(), {}
        self.batched = set(batching)
        for name, function in self.executor.requests.items():
            # Batches that Jina's queue makes are made of calls that are here at the same time.
            queued = name in self.handler._batchqueue_config
            concurrent = queued or inspect.iscoroutinefunction(function.fn)
            if not concurrent and not self.handler.args.allow_concurrent:
                self.in_turn.add(name)
            endpoints[name] = {
                'method': function.fn.__name__,
                'concurrent': concurrent,
                'batching': batching.get(name),
            }
        self.functions = self.current()
        about = {
            'class': type(self.executor).__name__,
            'meta_name': self.executor.metas.name,
            'python': platform.python_version(),
            'endpoints': endpoints,
        }
        self.send(0, HELLO, sized(json.dumps(about).encode()), proto.SerializeToString())

    def current(self):
        """The functions of the class, ready to be called."""
        requests = self.executor.requests.items()
        return {name: Function(self.executor, function, name in self.batched) for name, function in requests}

    def renew(self, changed):
        """Takes the code of files that have changed; with wrong code the functions stay those that they were."""
        logger = self.handler.logger
        try:
            reload_into(self.executor, changed)
            self.functions = self.current()
            logger.info(f'the executor runs the new code of {", ".join(changed)}')
        except Exception as error:
            logger.error(f'the executor goes on with its old code: {type(error).__name__}: {error}')

    def outdated(self, changed):
        """Told by another thread: takes the code between two calls."""
        if self.is_plain():
            with self.busy:
                self.renew(changed)
        else:
            self.loop.call_soon_threadsafe(self.renew, changed)

    def is_plain(self):
        """Whether one thread can do it all."""
        requests = self.executor.requests.items()
        return all(name in self.in_turn and not function.is_generator for name, function in requests)

    # === the socket ===

    def read(self):
        self.inbox.receive(socket.MSG_DONTWAIT)
        for kind, number, body in self.inbox.frames():
            self.obey(kind, number, body)

    def send(self, number, kind, *pieces):
        """Sends a frame, and waits until it is sent."""
        pieces = [HEAD.pack(9 + sum(map(len, pieces)), kind, number), *pieces]
        sent, size = connection.sendmsg(pieces), sum(map(len, pieces))
        if sent < size:
            connection.sendall(memoryview(b''.join(pieces))[sent:])

    def send_soon(self, number, kind, *pieces):
        """Sends a frame from the event loop, which waits for nothing."""
        pieces = [HEAD.pack(9 + sum(map(len, pieces)), kind, number), *pieces]
        sent = 0
        if not self.unsent:
            try:
                sent = connection.sendmsg(pieces, [], socket.MSG_DONTWAIT)
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
            del self.unsent[: connection.send(self.unsent, socket.MSG_DONTWAIT)]
        except BlockingIOError:
            return
        if not self.unsent:
            self.loop.remove_writer(connection)
            self.sent.set()

    # === a call and its answer ===

    def opened(self, requests):
        """The requests of a call, the function, and what it is called with."""
        first = requests[0]
        function = self.functions.get(first.header.exec_endpoint) or self.functions['/default']
        try:
            parameters = self.to_dict(first.parameters) if first.parameters.fields else {}
            given = {'parameters': self.handler._parse_params(parameters, self.executor.metas.name)}
            if len(requests) == 1 and first.data.WhichOneof('documents') != 'docs_bytes':
                docs = function.takes.from_protobuf(first.data.docs)
                matrix = [docs] if docs else None
                by_name = {first.routes[-1].executor if first.routes else None: docs}
            else:
                parts = [self.request(request) for request in requests]
                for part in parts:
                    part.document_array_cls = function.takes
                docs = self.handler.get_docs_from_request(parts)
                matrix, by_name = self.handler._get_docs_matrix_from_request(parts)
        except Exception as error:
            raise Unreadable from error
        given['docs'] = docs
        given['docs_matrix'] = None if function.batched else matrix
        if not function.batched:
            given['docs_map'] = by_name
        return first, function, given

    def answer(self, first, function, docs, returned):
        """The pieces of an answer."""
        told = b''
        if function.batched and not (returned is None or isinstance(returned, self.docs_type)):
            raise TypeError(
                'The return type must be DocList / `None` when using dynamic batching, ' f'but getting {returned!r}'
            )
        if isinstance(returned, self.docs_type):
            docs = returned
        elif isinstance(returned, dict):
            told = self.results(first, returned)
        elif returned is not None:
            raise TypeError(f'The return type must be DocList / Dict / `None`, but getting {returned!r}')
        data = docs.to_protobuf().SerializeToString()
        return sized(told) + self.docs_tag + varint(len(data)), data

    def results(self, first, returned):
        """What Jina makes of results on their way through the parameters, where they are new."""
        name, request = self.handler.args.name, self.request(first)
        before = request.parameters.get('__results__', {}).get(name)
        self.handler._set_result([request], returned, None)
        after = request.parameters.get('__results__', {}).get(name)
        return b'' if after is None or after == before else json.dumps(after).encode()

    def status(self, error):
        request = self.request()
        request.add_exception(error, self.executor)
        return request.header.status.SerializeToString()

    def failed(self, error):
        """The kind and the body of the frame that tells of it."""
        if isinstance(error, Unreadable):
            return UNREADABLE, self.status(error.__cause__)
        return FAILURE, self.status(error)

    def made(self, requests):
        """Makes a call on this thread; the kind and the pieces of the frame that answers it."""
        try:
            first, function, given = self.opened(requests)
            docs = given['docs']
            return ANSWER, *self.answer(first, function, docs, function.call(given))
        except Exception as error:
            return self.failed(error)

    # === one thread ===

    def serve(self):
        """Makes all calls in the order in which they came."""
        waiting, is_open = {}, True
        while is_open or waiting:
            if is_open:
                self.inbox.receive(socket.MSG_DONTWAIT if waiting else 0)
            for kind, number, body in self.inbox.frames():
                if kind == CALL:
                    waiting[number] = body
                elif kind == CANCEL:
                    waiting.pop(number, None)
                elif kind == CLOSE:
                    is_open = False
            if waiting:
                number = next(iter(waiting))
                # The other end takes the oldest call that is not answered for the only one that has begun.
                self.send(number, *self.answered(waiting.pop(number)))

    def answered(self, body):
        try:
            requests = self.list.FromString(body).requests
        except Exception as error:
            return FAILURE, self.status(error)
        with self.busy:
            return self.made(requests)

    def serve_and_close(self):
        try:
            self.serve()
        except SystemExit as end:
            self.end(end.code if isinstance(end.code, int) else end.code is not None)
        except BaseException:
            traceback.print_exc()
            self.end(1)
        self.loop.call_soon_threadsafe(self.close)

    def end(self, code):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

    def close(self):
        if not self.closing.done():
            self.closing.set_result(None)

    # === the event loop ===

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
            self.close()

    def start(self, number, work):
        self.tasks[number] = self.loop.create_task(work)

    def forget(self, number):
        self.tasks.pop(number, None)
        self.wanted.pop(number, None)

    async def call(self, number, body):
        try:
            requests = self.list.FromString(body).requests
            endpoint = requests[0].header.exec_endpoint
            endpoint = endpoint if endpoint in self.functions else '/default'
            if endpoint in self.in_turn:
                async with self.turn:
                    # The other end takes the oldest call that is not answered for the only one that has begun.
                    if self.unsent:
                        await self.sent.wait()
                    self.send_soon(number, *await self.in_a_thread(requests))
                return
            if endpoint in self.handler._batchqueue_config:
                frame = await self.queued(requests)
            elif self.functions[endpoint].is_coroutine:
                frame = await self.awaited(requests)
            else:
                frame = await self.in_a_thread(requests)
            self.send_soon(number, *frame)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self.send_soon(number, FAILURE, self.status(error))
        finally:
            self.forget(number)

    async def awaited(self, requests):
        try:
            first, function, given = self.opened(requests)
            docs = given['docs']
            return ANSWER, *self.answer(first, function, docs, await function.wait(given))
        except Exception as error:
            return self.failed(error)

    async def in_a_thread(self, requests):
        # Jina's queue takes the same lock.
        async with self.executor._lock:
            return await self.loop.run_in_executor(None, self.made, requests)

    async def queued(self, requests):
        """Through the queue of Jina."""
        data = requests[0].data
        # It would never answer a request without documents.
        if data.docs.docs:
            answer = await self.handler.handle([self.request(request) for request in requests])
            data = answer.proto_with_data.data
        return ANSWER, sized(b''), data.SerializeToString()

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
                    self.send_soon(number, ITEM, doc.to_protobuf().SerializeToString())
                else:
                    error = ValueError(
                        f'output document type {doc.__class__.__name__} does not match the endpoint output type '
                        f'{schema.__name__}'
                    )
                    self.send_soon(number, ITEM_FAILURE, self.status(error))
            self.send_soon(number, END)
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self.send_soon(number, FAILURE, self.status(error))
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
        if self.is_plain():
            threading.Thread(target=self.serve_and_close, daemon=True).start()
        else:
            self.loop.add_reader(connection, self.read)
        self.loop.run_until_complete(self.closing)
        status = b''
        try:
            self.loop.run_until_complete(self.handler.close())
        except Exception as error:
            status = self.status(error)
        self.loop.remove_reader(connection)
        self.loop.remove_writer(connection)
        # Event loops make it one that never waits.
        connection.setblocking(True)
        connection.sendall(bytes(self.unsent) + framed(CLOSED, 0, status))


def main():
    setup = json.loads(exactly(int.from_bytes(exactly(4), 'little')))
    ignore_signals()
    threading.Thread(target=watch_parent, args=(connection,), daemon=True).start()
    limit_memory(setup['memory_limit'])
    import_jina()
    memoise_types()
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
    if setup['reload']:
        Sources(worker.executor, setup['args'].get('py_modules')).watch(worker.outdated)
    worker.run()
    sys.stdout.flush()
    sys.stderr.flush()


main()

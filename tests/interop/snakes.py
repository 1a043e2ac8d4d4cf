"""Executors that run twice, once under `jina executor` and once under `executor --python`."""

import asyncio
import os
import threading
from typing import Dict, List, Optional

import numpy as np
from docarray import BaseDoc, DocList
from docarray.documents import TextDoc
from docarray.typing import NdArray
from jina import Executor, dynamic_batching, requests
from pydantic import BaseModel


class Inner(BaseDoc):
    """A document in a document."""

    text: str


class Item(BaseDoc):
    """Fields of several kinds."""

    text: str = ''
    pid: int = 0
    vector: Optional[NdArray] = None
    inner: Optional[Inner] = None
    inners: List[Inner] = []
    tags: Dict = {}


class Options(BaseModel):
    """Typed parameters."""

    times: int
    sign: str = '!'


class Base(Executor):
    """Its endpoints are inherited."""

    @requests(on='/base')
    def base(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        docs[0].text = 'base'

    @requests(on='/over')
    def over(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        docs[0].text = 'parent'


class Zoo(Base):
    """An endpoint for each thing that executors may do."""

    def __init__(self, greeting: str = 'hello', **kwargs):
        super().__init__(**kwargs)
        self.greeting = greeting
        self.running = self.most = self.closed = 0
        self.lock = threading.Lock()

    @requests
    def default(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        docs[0].text = 'default'

    @requests(on='/over')
    def overridden(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        docs[0].text = 'child'

    @requests(on=['/b', '/c', 'noslash'])
    async def several(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        docs[0].text = 'several'

    @requests(on='/about')
    def about(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        docs[0].tags = {
            'greeting': self.greeting,
            'meta': self.metas.name,
            'name': self.runtime_args.name,
            'shard': self.runtime_args.shard_id,
            'workspace': self.workspace,
        }

    @requests(on='/kwargs')
    def kwargs(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        matrix = kwargs['docs_matrix']
        docs[0].tags = {
            'names': sorted(kwargs),
            'parameters': {key: value for key, value in kwargs['parameters'].items() if key != '__results__'},
            'matrix': matrix and [len(docs) for docs in matrix],
            'map': list(kwargs['docs_map']),
        }

    @requests(on='/vectors')
    def vectors(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        for doc in docs:
            doc.vector = np.arange(3, dtype=np.float32) + (0 if doc.vector is None else doc.vector)
            doc.inner = Inner(id='in', text=doc.text)
            doc.inners.append(Inner(id='in2', text='more'))

    @requests(on='/new')
    def new(self, docs: DocList[Item], **kwargs) -> DocList[TextDoc]:
        return DocList[TextDoc]([TextDoc(id=f'new{n}', text=doc.text) for n, doc in enumerate([*docs, *docs])])

    @requests(on='/dict')
    def dict(self, docs: DocList[Item], **kwargs):
        return {'n': len(docs), 'deep': {'x': [1, 'a', None]}}

    @requests(on='/bad')
    def bad(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        return [1, 2]

    @requests(on='/single')
    def single(self, doc: Item, **kwargs) -> Item:
        if doc.id == '0':
            return Item(id='fresh', text='new')
        doc.text = 'changed'

    @requests(on='/model')
    def model(self, docs: DocList[Item], parameters: Options, **kwargs) -> DocList[Item]:
        docs[0].text = parameters.sign * parameters.times

    @requests(on='/raise')
    def raises(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        raise ValueError('boom', 1)

    @requests(on='/araise')
    async def araises(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        raise KeyError('missing')

    @requests(on='/stream')
    async def stream(self, doc: Item, **kwargs) -> Item:
        for n in range(3):
            await asyncio.sleep(0)
            yield Item(id=str(n), text=f'{doc.text} {n}')

    @requests(on='/sync-stream')
    def sync_stream(self, doc: Item, **kwargs) -> Item:
        for n in range(3):
            yield Item(id=str(n), text=f'{doc.text} {n}')

    @requests(on='/wrong-stream')
    async def wrong_stream(self, doc: Item, **kwargs) -> Item:
        yield Inner(id='x', text='wrong')
        yield Item(id='y', text='right')

    @requests(on='/pid')
    def pid(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        for doc in docs:
            doc.pid = os.getpid()

    @requests(on='/most')
    def most_running(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        docs[0].pid = self.most

    @requests(on='/sync')
    def sync(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        threading.Event().wait(0.02)
        with self.lock:
            self.running -= 1

    @requests(on='/async')
    async def concurrent(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.2)
        self.running -= 1

    @requests(on='/batched')
    @dynamic_batching(preferred_batch_size=4, timeout=300)
    def batched(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        for doc in docs:
            doc.text = f'{len(docs)} at once'
            doc.tags = {'names': sorted(kwargs)}

    @requests(on='/short-batch')
    @dynamic_batching(preferred_batch_size=4, timeout=300)
    def short_batch(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        return docs[1:]

    @requests(on='/dict-batch')
    @dynamic_batching(preferred_batch_size=4, timeout=300)
    def dict_batch(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        return {'n': 1}

    @requests(on='/weighed')
    @dynamic_batching(preferred_batch_size=10, timeout=1000, use_custom_metric=True, custom_metric=lambda doc: len(doc.text))
    def weighed(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        for doc in docs:
            doc.pid = len(docs)

    @requests(on='/hang')
    def hang(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        while True:
            pass

    @requests(on='/die')
    def die(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        os.kill(os.getpid(), 9)

    @requests(on='/hog')
    def hog(self, docs: DocList[Item], **kwargs) -> DocList[Item]:
        bytearray(4 << 30)

    def close(self):
        print(f'{self.greeting}, closed', flush=True)


class Broken(Executor):
    """It cannot be made."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        raise RuntimeError('no luck')

"""The executors of the interop suite in Python; executor/src/main.rs holds the same in Rust."""

import asyncio
from pathlib import Path
from typing import Dict, List, Optional

from docarray import BaseDoc, DocList
from docarray.typing import NdArray
from jina import Executor, dynamic_batching, requests


class Text(BaseDoc):
    """A text."""

    text: Optional[str] = None


class Part(BaseDoc):
    """A part of a Mixed."""

    text: str


class Mixed(BaseDoc):
    """One field of each kind that schemas must keep."""

    text: str
    count: int = 0
    note: Optional[str] = None
    vector: Optional[NdArray] = None
    part: Optional[Part] = None
    parts: List[Part] = []


class Nested(BaseDoc):
    """A list of documents in a document, whose schema Python executors cannot tell."""

    parts: DocList[Part]


class FooExecutor(Executor):
    """Sets every document's text, whatever the endpoint."""

    @requests
    async def foo(self, docs: DocList[Text], **kwargs) -> DocList[Text]:
        for doc in docs:
            doc.text = 'foo was called'


class Tools(Executor):
    """One endpoint for each thing that can be right or wrong."""

    @requests(on='/upper')
    async def upper(self, docs: DocList[Text], **kwargs) -> DocList[Text]:
        for doc in docs:
            doc.text = doc.text.upper()

    @requests(on='/fail')
    async def fail(self, docs: DocList[Text], **kwargs) -> DocList[Text]:
        raise ValueError('boom')

    @requests(on='/tokens')
    async def tokens(self, doc: Text, **kwargs) -> Text:
        for n in range(3):
            yield Text(id=str(n), text=f'{doc.text} {n}')

    @requests(on='/hold')
    async def hold(self, docs: DocList[Text], parameters: Dict, **kwargs) -> DocList[Text]:
        """Leaves a file in the directory for each document, and waits until it holds one called `release`."""
        directory = Path(parameters['directory'])
        for doc in docs:
            (directory / doc.id).touch()
        async with asyncio.timeout(60):
            while not (directory / 'release').exists():
                await asyncio.sleep(0.02)

    @requests(on='/mixed')
    async def mixed(self, docs: DocList[Mixed], **kwargs) -> DocList[Mixed]:
        for doc in docs:
            doc.count += 1
            doc.note = doc.note or 'noted'
            doc.parts.append(Part(text=doc.text))


class Batcher(Executor):
    """Writes into each document which documents it was called with."""

    @dynamic_batching(preferred_batch_size=4, timeout=2000)
    @requests(on='/batch')
    def batch(self, docs: DocList[Text], **kwargs) -> DocList[Text]:
        texts = docs.text
        if 'bad' in texts:
            raise ValueError('bad')
        for doc in docs:
            doc.text = ' '.join(texts)

"""The executors that the comparison of gateways is made with: they leave traces of all they were sent."""

import asyncio
import json
from pathlib import Path
from typing import Dict, List, Optional

from docarray import BaseDoc, DocList
from jina import Executor, requests


class Record(BaseDoc):
    """One field of each kind that branches merge in a way of its own."""

    text: Optional[str] = None
    n: Optional[int] = None
    flag: Optional[bool] = None
    words: List[str] = []
    other: Optional[str] = None
    counts: Dict[str, int] = {}
    seen: Dict[str, str] = {}


class Worker(Executor):
    """What the others do, each at its own endpoints."""

    async def work(self, docs: DocList[Record], parameters: Dict, **kwargs):
        """Signs every document, and does what the parameters say."""
        name = self.runtime_args.name
        # For as long as it takes, so that tests can put branches into an order.
        await asyncio.sleep(parameters.get('delays', {}).get(name, 0))
        if 'fail' in parameters or parameters.get('fail_on') in [doc.id for doc in docs]:
            raise ValueError(f'{name} fails')
        matrix = kwargs.get('docs_matrix') or []
        heard = json.dumps(parameters, sort_keys=True)
        for doc in docs:
            doc.text = f'{doc.text or ""} {name}'
            doc.words.append(name)
            doc.counts[name] = doc.counts.get(name, 0) + 1
            doc.seen[name] = heard
            if len(matrix) > 1:
                doc.seen[f'{name} parts'] = json.dumps([part.id for part in matrix])
        if 'erase' in parameters:
            for doc in docs:
                doc.other = None
        if 'mark' in parameters:
            for doc in docs:
                doc.other = name
        if 'add' in parameters:
            docs.append(Record(id=f'{name}-{parameters["add"]:.0f}', text=name, n=int(parameters['add'])))
        if 'share' in parameters:
            docs.append(Record(id='shared', text=name))
        if 'drop' in parameters:
            docs = DocList[Record](docs[1:])
        if 'tell' in parameters:
            return {'docs': len(docs), 'name': name}
        return docs


class Anything(Worker):
    """Takes any endpoint."""

    @requests
    async def anything(self, docs: DocList[Record], **kwargs) -> DocList[Record]:
        return await self.work(docs, **kwargs)


class Both(Worker):
    """Takes any endpoint, one by its name."""

    @requests
    async def anything(self, docs: DocList[Record], **kwargs) -> DocList[Record]:
        return await self.work(docs, **kwargs)

    @requests(on='/work')
    async def by_name(self, docs: DocList[Record], **kwargs) -> DocList[Record]:
        return await self.work(docs, **kwargs)


class Work(Worker):
    """Takes one endpoint only."""

    @requests(on='/work')
    async def by_name(self, docs: DocList[Record], **kwargs) -> DocList[Record]:
        return await self.work(docs, **kwargs)


class Extra(Worker):
    """Takes two endpoints."""

    @requests(on=['/work', '/extra'])
    async def by_name(self, docs: DocList[Record], **kwargs) -> DocList[Record]:
        return await self.work(docs, **kwargs)


class Streamer(Executor):
    """Makes several documents of one."""

    @requests(on='/stream')
    async def stream(self, doc: Record, **kwargs) -> Record:
        """The second only when the file that the text names is there: whoever waits for it has the first by then."""
        yield Record(id='first', text=self.runtime_args.name)
        async with asyncio.timeout(30):
            while not Path(doc.text).exists():
                await asyncio.sleep(0.02)
        yield Record(id='second', text=self.runtime_args.name)

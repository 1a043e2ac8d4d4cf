"""An endpoint for each way in which executors are asked and answer; executor/src/rows.rs holds the same in Rust."""

import asyncio
import json
from pathlib import Path
from typing import Dict, Optional

from docarray import BaseDoc, DocList
from docarray.documents import (
    AudioDoc,
    ImageDoc,
    Mesh3D,
    PointCloud3D,
    PointsAndColors,
    TextDoc,
    VerticesAndFaces,
    VideoDoc,
)
from jina import Executor, requests
from jina.serve.executors.decorators import write
from pydantic import BaseModel


class Line(BaseDoc):
    """A text."""

    text: Optional[str] = None


class Search(BaseModel):
    """What a search may be told."""

    top_k: int
    lang: str = 'en'


class Rows(Executor):
    """One endpoint for each row of the table in test_executor.py."""

    def __init__(self, greeting: str = 'hello', **kwargs):
        super().__init__(**kwargs)
        self.greeting = greeting
        self.state = ''

    @requests
    async def default(self, docs: DocList[Line], **kwargs) -> DocList[Line]:
        for doc in docs:
            doc.text = 'default'

    @requests(on=['/b', '/c'])
    async def several(self, docs: DocList[Line], **kwargs) -> DocList[Line]:
        for doc in docs:
            doc.text = 'several'

    @requests(on='noslash')
    async def noslash(self, docs: DocList[Line], **kwargs) -> DocList[Line]:
        for doc in docs:
            doc.text = 'noslash'

    @requests(on='/new')
    async def new(self, docs: DocList[Line], **kwargs) -> DocList[Line]:
        return DocList[Line]([Line(id=f'new-{n}', text='new') for n in range(len(docs) + 1)])

    @requests(on='/results')
    async def results(self, docs: DocList[Line], **kwargs) -> DocList[Line]:
        for doc in docs:
            doc.text = 'counted'
        return {'n': len(docs)}

    @requests(on='/single')
    def single(self, doc: Line, **kwargs) -> Line:
        if doc.text == 'keep':
            doc.text = 'kept'
            return None
        return Line(id=f'new-{doc.id}', text='new')

    # Jina 3.34 does not wait for what is async and has typed parameters.
    @requests(on='/params')
    def params(self, docs: DocList[Line], parameters: Search, **kwargs) -> DocList[Line]:
        for doc in docs:
            doc.text = f'{parameters.top_k} {parameters.lang}'

    @requests(on='/own')
    async def own(self, docs: DocList[Line], parameters: Dict, **kwargs) -> DocList[Line]:
        for doc in docs:
            doc.text = str(int(parameters['k']))

    @requests(on='/fail')
    async def fail(self, docs: DocList[Line], **kwargs) -> DocList[Line]:
        raise ValueError('boom', 1)

    @requests(on='/parts')
    async def parts(self, docs: DocList[Line], docs_matrix, docs_map, **kwargs) -> DocList[Line]:
        matrix = [[doc.id for doc in part] for part in docs_matrix or []]
        for doc in docs:
            doc.text = json.dumps([matrix, sorted(docs_map or {})])

    @requests(on='/stream')
    async def stream(self, doc: Line, **kwargs) -> Line:
        """The second only when the file that the text names is there: whoever waits for it has the first by then."""
        yield Line(id='first', text=self.greeting)
        async with asyncio.timeout(30):
            while not Path(doc.text).exists():
                await asyncio.sleep(0.02)
        yield Line(id='second', text=self.greeting)

    @requests(on='/greet')
    async def greet(self, docs: DocList[Line], **kwargs) -> DocList[Line]:
        for doc in docs:
            doc.text = self.greeting

    @requests(on='/workspace')
    async def tell_workspace(self, docs: DocList[Line], **kwargs) -> DocList[Line]:
        for doc in docs:
            doc.text = self.workspace

    @requests(on='/env')
    async def env(self, docs: DocList[Line], **kwargs) -> DocList[Line]:
        import os

        for doc in docs:
            doc.text = os.environ.get(doc.text, '')

    @write
    @requests(on='/set')
    async def set_state(self, docs: DocList[Line], **kwargs) -> DocList[Line]:
        for doc in docs:
            self.state = doc.text

    @requests(on='/get')
    async def get_state(self, docs: DocList[Line], **kwargs) -> DocList[Line]:
        for doc in docs:
            doc.text = self.state

    def snapshot(self, snapshot_file: str):
        Path(snapshot_file).write_text(self.state)

    def restore(self, snapshot_file: str):
        self.state = Path(snapshot_file).read_text()


class Predefined(Executor):
    """The documents that come with DocArray, each as it is; those of no type are at the default endpoint."""

    @requests
    async def legacy(self, docs, **kwargs):
        pass

    @requests(on='/text')
    async def text(self, docs: DocList[TextDoc], **kwargs) -> DocList[TextDoc]:
        pass

    @requests(on='/image')
    async def image(self, docs: DocList[ImageDoc], **kwargs) -> DocList[ImageDoc]:
        pass

    @requests(on='/audio')
    async def audio(self, docs: DocList[AudioDoc], **kwargs) -> DocList[AudioDoc]:
        pass

    @requests(on='/video')
    async def video(self, docs: DocList[VideoDoc], **kwargs) -> DocList[VideoDoc]:
        pass

    @requests(on='/mesh')
    async def mesh(self, docs: DocList[Mesh3D], **kwargs) -> DocList[Mesh3D]:
        pass

    @requests(on='/vertices')
    async def vertices(self, docs: DocList[VerticesAndFaces], **kwargs) -> DocList[VerticesAndFaces]:
        pass

    @requests(on='/cloud')
    async def cloud(self, docs: DocList[PointCloud3D], **kwargs) -> DocList[PointCloud3D]:
        pass

    @requests(on='/points')
    async def points(self, docs: DocList[PointsAndColors], **kwargs) -> DocList[PointsAndColors]:
        pass

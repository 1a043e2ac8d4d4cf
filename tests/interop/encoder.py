"""The encoder of examples/semantic-search in Python, and the documents that travel there."""

from typing import List, Optional

import numpy as np
from docarray import BaseDoc, DocList
from docarray.typing import NdArray
from jina import Executor, requests

from minilm import Model


class Text(BaseDoc):
    """What `/search` takes."""

    text: str


class EmbeddedText(BaseDoc):
    """What it answers."""

    text: str
    embedding: NdArray


class Chunk(BaseDoc):
    """A passage of a document."""

    heading: str
    text: str
    start: int
    end: int


class EmbeddedChunk(Chunk):
    """A passage and what it means."""

    embedding: NdArray


class Document(BaseDoc):
    """What `/index` takes, when it has been cut into passages."""

    uri: Optional[str] = None
    title: Optional[str] = None
    text: Optional[str] = None
    chunks: List[Chunk] = []


class EmbeddedDocument(BaseDoc):
    """What it answers."""

    uri: Optional[str] = None
    title: Optional[str] = None
    chunks: List[EmbeddedChunk] = []


class NumpyEncoder(Executor):
    """Embeds texts, queries and the passages of documents."""

    def __init__(self, model_dir: str, **kwargs):
        super().__init__(**kwargs)
        self.model = Model(model_dir)

    @requests(on='/search')
    def search(self, docs: DocList[Text], **kwargs) -> DocList[EmbeddedText]:
        return DocList[EmbeddedText](
            [EmbeddedText(id=doc.id, text=doc.text, embedding=self.model.embed(doc.text)) for doc in docs]
        )

    @requests(on='/index')
    def index(self, docs: DocList[Document], **kwargs) -> DocList[EmbeddedDocument]:
        return DocList[EmbeddedDocument]([self.embedded(doc) for doc in docs])

    def embedded(self, doc: Document) -> EmbeddedDocument:
        chunks = [EmbeddedChunk(**chunk.dict(), embedding=self.in_context(chunk)) for chunk in doc.chunks]
        return EmbeddedDocument(id=doc.id, uri=doc.uri, title=doc.title, chunks=chunks)

    def in_context(self, chunk: Chunk) -> np.ndarray:
        """What a passage means under its headings, which often say what it is about."""
        return self.model.embed(f'{chunk.heading}\n{chunk.text}' if chunk.heading else chunk.text)

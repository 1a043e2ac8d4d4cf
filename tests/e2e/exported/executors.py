"""The executors of `flow.yml`."""

import socket

from docarray import DocList
from docarray.documents import TextDoc
from jina import Executor, requests


class Shout(Executor):
    """Makes texts louder."""

    @requests(on='/say')
    def say(self, docs: DocList[TextDoc], **kwargs) -> DocList[TextDoc]:
        return DocList[TextDoc]([TextDoc(id=doc.id, text=f'{doc.text.upper()} {socket.gethostname()}') for doc in docs])


class Sign(Executor):
    """Says who was there."""

    @requests(on='/say')
    def say(self, docs: DocList[TextDoc], **kwargs) -> DocList[TextDoc]:
        return DocList[TextDoc]([TextDoc(id=doc.id, text=f'{doc.text} {socket.gethostname()}') for doc in docs])

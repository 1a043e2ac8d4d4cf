"""An executor in Python that does nothing."""

from docarray import BaseDoc, DocList
from jina import Executor, requests


class Text(BaseDoc):
    """What the load sends."""

    text: str


class Noop(Executor):
    """It answers what it is sent."""

    @requests
    def noop(self, docs: DocList[Text], **kwargs) -> DocList[Text]:
        pass


class AsyncNoop(Executor):
    """The same as a coroutine."""

    @requests
    async def noop(self, docs: DocList[Text], **kwargs) -> DocList[Text]:
        pass

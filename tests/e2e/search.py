"""The Python client's part of `cargo xtask e2e`: search.py HOST:PORT."""

import sys
from typing import List

from docarray import BaseDoc, DocList
from docarray.documents import TextDoc
from jina import Client


class Match(BaseDoc):
    """A passage that was found; the fields that are looked at here."""

    document: str
    highlight: str


class Found(BaseDoc):
    """The answer to a query."""

    text: str
    total: int
    matches: List[Match]


class Kept(BaseDoc):
    """What has become of a document."""

    passages: int


def main(address: str):
    """Indexes a document, finds it, deletes it, and finds it no more."""
    client = Client(host=f'grpc://{address}')
    rivers = TextDoc(id='rivers', text='# Rivers\n\nThey run to the sargassosea.')
    query = DocList[TextDoc]([TextDoc(text='sargassosea')])

    [kept] = client.post('/index', DocList[TextDoc]([rivers]), return_type=DocList[Kept])
    assert (kept.id, kept.passages) == ('rivers', 1), kept
    [found] = client.post('/search', query, return_type=DocList[Found])
    assert found.total == 1, found
    assert found.matches[0].document == 'rivers', found
    assert '<mark>sargassosea</mark>' in found.matches[0].highlight, found
    client.post('/delete', DocList[TextDoc]([TextDoc(id='rivers')]), return_type=DocList[Kept])
    [found] = client.post('/search', query, return_type=DocList[Found])
    assert found.total == 0, found
    print('the Python client indexed, found and deleted a document')


if __name__ == '__main__':
    main(sys.argv[1])

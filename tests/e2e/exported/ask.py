"""Asks the Flow of `flow.yml` over each of its protocols: ask.py SCALED PORT PORT PORT.

Ends when so many containers of `shout` and both of `sign` have answered.
"""

import sys
import time

from docarray import DocList
from docarray.documents import TextDoc
from jina import Client

PATIENCE = 120


def say(client: Client, n: int) -> list[list[str]]:
    """What becomes of `n` texts: each in words."""
    texts = DocList[TextDoc]([TextDoc(id=str(i), text=f'text{i}') for i in range(n)])
    answers = client.post('/say', texts, request_size=1, return_type=DocList[TextDoc])
    words = {doc.id: doc.text.split() for doc in answers}
    assert len(words) == n, words
    for i in range(n):
        assert words[str(i)][0] == f'TEXT{i}', words
    return [words[str(i)][1:] for i in range(n)]


def main(scaled: int, ports: list[int]):
    """Asks until everybody has answered."""
    clients = [Client(protocol=p, port=port) for p, port in zip(('grpc', 'http', 'websocket'), ports, strict=True)]
    end = time.monotonic() + PATIENCE
    shouters, signers = set(), set()
    while len(shouters) < scaled or len(signers) < 2:
        assert time.monotonic() < end, f'only {shouters} and {signers} have answered after {PATIENCE} s'
        for client in clients:
            for shouter, signer in say(client, 12):
                shouters.add(shouter)
                signers.add(signer)
    print(f'{len(shouters)} containers of the first and {len(signers)} of the second executor answered')


if __name__ == '__main__':
    main(int(sys.argv[1]), [int(port) for port in sys.argv[2:]])

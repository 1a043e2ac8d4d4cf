"""The Python client as a program: `ask.py PROTOCOL PORT TLS`. Which authorities it trusts is up to its environment, which
its libraries read when they are loaded."""

import sys

from docarray import DocList
from jina import Client

from executors import Text

if __name__ == '__main__':
    protocol, port, tls = sys.argv[1:]
    client = Client(host='localhost', port=int(port), protocol=protocol.lower(), tls=tls == 'True')
    answer = client.post('/foo', inputs=DocList[Text]([Text(id='a', text='a')]), return_type=DocList[Text])
    assert {doc.text for doc in answer} == {'foo was called'}, answer

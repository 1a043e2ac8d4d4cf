"""Requests that are none, over HTTP and WebSocket: the right error, and the gateway goes on as before."""

import gzip
import json
import os
import socket
import struct
import zlib
from pathlib import Path

import pytest

from conftest import client, texts
from docarray import DocList
from executors import Text
from processes import is_healthy

MIB = 1 << 20
# Bodies and messages that the gateway of these tests takes.
LIMIT = 8 * MIB
GOOD = json.dumps({'data': [{'id': 'a', 'text': 'a'}]}).encode()
NESTED = 10**6


@pytest.fixture(scope='module')
def gateway(shared):
    """Our gateway before Tools, HTTP and WebSocket on ports of their own."""
    executor = shared.executor('rust', 'Tools').wait_serving()
    options = {'protocol': 'HTTP WEBSOCKET', 'max_message': LIMIT}
    return shared.gateway('rust', executor, **options).wait_serving(is_healthy)


def resident(gateway) -> int:
    """Bytes of memory that the gateway has."""
    pages = int(Path(f'/proc/{gateway.popen.pid}/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE')


def connected(gateway, protocol: str) -> socket.socket:
    """A connection on the level of bytes."""
    return socket.create_connection(('127.0.0.1', gateway.ports[protocol]), timeout=30)


def received(connection: socket.socket, patience: float = 30) -> bytes:
    """All that comes until the other side closes."""
    connection.settimeout(patience)
    pieces = []
    try:
        while piece := connection.recv(1 << 16):
            pieces.append(piece)
    except ConnectionResetError:
        # It closed with bytes of ours unread.
        pass
    return b''.join(pieces)


def http(gateway, body: bytes, path: str = '/mixed', **headers: str):
    """The status and the body of an answer."""
    headers = {'content-type': 'application/json', **{name.replace('_', '-'): value for name, value in headers.items()}}
    head = [f'POST {path} HTTP/1.1', 'host: a', 'connection: close', f'content-length: {len(body)}']
    head += [f'{name}: {value}' for name, value in headers.items()]
    with connected(gateway, 'HTTP') as connection:
        try:
            connection.sendall('\r\n'.join([*head, '', '']).encode() + body)
        except (BrokenPipeError, ConnectionResetError):
            # It has answered, and reads no more.
            pass
        answer = received(connection)
    head, _, body = answer.partition(b'\r\n\r\n')
    assert head, 'there is no answer'
    if b'transfer-encoding: chunked' in head.lower():
        body = b''.join(chunk for n, chunk in enumerate(body.split(b'\r\n')) if n % 2)
    return int(head.split()[1]), body


def mixed(value: str) -> bytes:
    """A document of which one field is this JSON."""
    return b'{"data": [{"text": "x", "count": %s}]}' % value.encode()


def bomb(size: int) -> bytes:
    """A body that is small until it is decompressed."""
    packer = zlib.compressobj(9, wbits=31)
    return b''.join(packer.compress(bytes(MIB)) for _ in range(size // MIB)) + packer.flush()


BODIES = {
    'nothing': (b'', {}, 422),
    'truncated': (GOOD[:-5], {}, 422),
    'text behind it': (GOOD + b'x', {}, 422),
    'no UTF-8': (b'{"data": [{"text": "\xff\xfe"}]}', {}, 422),
    'half of a surrogate': (b'{"data": [{"text": "\\ud800"}]}', {}, 422),
    'control characters': (b'{"data": [{"text": "\x01"}]}', {}, 422),
    'brackets': (b'[' * NESTED, {}, 422),
    'brackets in a document': (b'{"data": [{"text": "x", "vector": ' + b'[' * NESTED, {}, 422),
    'brackets nobody asked for': (b'{"data": [], "more": ' + b'[' * NESTED + b']' * NESTED + b'}', {}, 422),
    'objects': (b'{"data":' * (NESTED // 8), {}, 422),
    'NaN': (mixed('NaN'), {}, 422),
    'Infinity': (mixed('-Infinity'), {}, 422),
    'a number beyond all': (mixed('1e999'), {}, 422),
    'a million digits': (mixed('9' * NESTED), {}, 422),
    'a number of a million digits': (mixed('0.' + '1' * NESTED), {}, 422),
    'a wrong content type': (GOOD, {'content_type': 'text/plain'}, 422),
    'a form': (b'data=1', {'content_type': 'application/x-www-form-urlencoded'}, 422),
    'an unknown encoding': (GOOD, {'content_encoding': 'lzw'}, 415),
    'no gzip': (GOOD, {'content_encoding': 'gzip'}, 400),
    'half of a gzip': (gzip.compress(GOOD)[:-12], {'content_encoding': 'gzip'}, 400),
    'a bad checksum': (gzip.compress(GOOD)[:-8] + bytes(8), {'content_encoding': 'gzip'}, 400),
    'no deflate': (GOOD, {'content_encoding': 'deflate'}, 400),
    'no br': (b'\xff' * 100, {'content_encoding': 'br'}, 400),
    'no zstd': (GOOD, {'content_encoding': 'zstd'}, 400),
    'a bomb': (bomb(1024 * MIB), {'content_encoding': 'gzip'}, 413),
    'too much': (bytes(LIMIT + 1), {}, 413),
}


@pytest.mark.parametrize('name', BODIES)
def test_bodies_that_are_none_are_told_so(gateway, name):
    body, headers, status = BODIES[name]
    got, answer = http(gateway, body, **headers)
    assert (got, bool(json.loads(answer)['detail'])) == (status, True), answer[:500]
    assert len(answer) < 2 * MIB


HEADS = {
    'no HTTP': b'\x00\x01\x02\x03\r\n\r\n',
    'a line without end': b'GET /' + b'a' * MIB,
    'headers without end': b'GET / HTTP/1.1\r\n' + b'a: b\r\n' * 20_000,
    'two lengths': b'POST /mixed HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}',
    'a length that is none': b'POST /mixed HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n{}',
    'chunks that are none': b'POST /mixed HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n',
}


@pytest.mark.parametrize('name', HEADS)
def test_heads_that_are_none_are_refused(gateway, name):
    with connected(gateway, 'HTTP') as connection:
        try:
            connection.sendall(HEADS[name])
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = received(connection)
    assert not answer or answer.split()[1][:1] == b'4', answer[:200]


def test_a_body_that_is_cut_off_ends_its_request_only(gateway):
    with connected(gateway, 'HTTP') as connection:
        connection.sendall(b'POST /mixed HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n' + GOOD)
    assert http(gateway, GOOD)[0] == 200


def test_a_body_that_stops_arriving_is_given_up(stage):
    executor = stage.executor('rust', 'Tools').wait_serving()
    gateway = stage.gateway('rust', executor, protocol='HTTP', body_timeout='300ms').wait_serving(is_healthy)
    with connected(gateway, 'HTTP') as connection:
        connection.sendall(b'POST /mixed HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n' + GOOD)
        assert received(connection).split()[1] == b'408'


def frame(payload: bytes, opcode: int = 1, fin: bool = True, masked: bool = True) -> bytes:
    """A frame of WebSocket."""
    length = len(payload)
    head = bytes([opcode | (0x80 if fin else 0)])
    mask = 0x80 if masked else 0
    if length < 126:
        head += bytes([length | mask])
    elif length < 1 << 16:
        head += struct.pack('>BH', 126 | mask, length)
    else:
        head += struct.pack('>BQ', 127 | mask, length)
    # Zeros as the mask leave the payload as it is.
    return head + (bytes(4) if masked else b'') + payload


def websocket(gateway, sent: bytes, protocol: str = '', ended: bool = False):
    """Sends bytes behind the handshake, and returns the code of the close frame, if there is one."""
    head = 'GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n'
    head += 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    head += f'sec-websocket-protocol: {protocol}\r\n' if protocol else ''
    with connected(gateway, 'WEBSOCKET') as connection:
        connection.sendall(head.encode() + b'\r\n')
        answer = b''
        while b'\r\n\r\n' not in answer:
            answer += connection.recv(1024)
        assert answer.split()[1] == b'101', answer
        try:
            connection.sendall(sent)
            if ended:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        frames = closing(connection, answer.partition(b'\r\n\r\n')[2])
    return struct.unpack('>H', frames[2:4])[0] if frames else None


def closing(connection: socket.socket, came: bytes) -> bytes:
    """The close frame, or nothing if the other side ends without one."""
    while True:
        while len(came) >= 4:
            length, ahead = came[1], 2
            if length == 126:
                length, ahead = struct.unpack('>H', came[2:4])[0], 4
            if len(came) < ahead + length:
                break
            if came[0] == 0x88:
                return came
            came = came[ahead + length :]
        try:
            piece = connection.recv(1 << 16)
        except ConnectionResetError:
            return b''
        if not piece:
            return b''
        came += piece


MESSAGES = {
    'truncated': (frame(GOOD[:-5]), '', 1007),
    'no object': (frame(b'7') + frame(b'{}'), '', 1000),
    'brackets': (frame(b'[' * NESTED), '', 1007),
    'brackets in a document': (frame(b'{"exec_endpoint": "/mixed", "data": ' + b'[' * NESTED), '', 1007),
    'NaN': (frame(b'{"exec_endpoint": "/mixed", "data": [{"text": "x", "count": NaN}]}'), '', 1007),
    'no UTF-8': (frame(b'{"data": [{"text": "\xff\xfe"}]}'), '', 1007),
    'bytes where text is asked for': (frame(GOOD, opcode=2), '', 1003),
    'text where bytes are asked for': (frame(GOOD), 'bytes', 1003),
    'no message': (frame(b'\xff' * 100, opcode=2), 'bytes', 1007),
    'too much': (frame(bytes(LIMIT + 1), opcode=2), 'bytes', 1009),
    'a length beyond all': (b'\x82\xff' + b'\x7f' + b'\xff' * 7 + bytes(4), 'bytes', 1009),
    'too much in pieces': (frame(bytes(LIMIT), 2, fin=False) + frame(bytes(LIMIT), 0), 'bytes', 1009),
    'an unknown opcode': (frame(GOOD, opcode=3), '', 1002),
    'bits that are reserved': (b'\xf1' + frame(GOOD)[1:], '', 1002),
    'no mask': (frame(GOOD, masked=False), '', 1002),
    'the rest of nothing': (frame(GOOD, opcode=0), '', 1002),
    'a ping in pieces': (frame(b'a', opcode=9, fin=False), '', 1002),
    'a ping that is too long': (frame(bytes(126), opcode=9), '', 1002),
}


@pytest.mark.parametrize('name', MESSAGES)
def test_messages_that_are_none_close_their_connection(gateway, name):
    sent, protocol, code = MESSAGES[name]
    assert websocket(gateway, sent, protocol) == code


@pytest.mark.parametrize('cut', [1, 3, 20])
def test_half_of_a_frame_ends_its_connection_only(gateway, cut):
    websocket(gateway, frame(GOOD)[:cut], ended=True)
    assert websocket(gateway, frame(b'{}')) == 1000


def test_a_subprotocol_that_nobody_knows_is_answered_in_json(gateway):
    assert websocket(gateway, frame(GOOD) + frame(b'{}'), 'mqtt') == 1000


def test_memory_stays_as_it_is_and_requests_are_answered(gateway):
    def everything():
        for body, headers, _ in BODIES.values():
            http(gateway, body, **headers)
        for sent, protocol, _ in MESSAGES.values():
            websocket(gateway, sent, protocol)
        for cut in range(1, 20):
            websocket(gateway, frame(GOOD)[:cut], ended=True)

    # Buffers of the allocator are as large as they become after a few rounds.
    for _ in range(3):
        everything()
    before = resident(gateway)
    for _ in range(20):
        everything()
    assert resident(gateway) - before < 64 * MIB
    assert gateway.popen.poll() is None
    caller = client(gateway, protocol='http')
    assert caller.post('/upper', inputs=texts('a'), return_type=DocList[Text]).text == ['A']

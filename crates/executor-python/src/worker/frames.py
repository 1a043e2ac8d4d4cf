"""What goes over the socket: `frame.rs` is the other end."""

import os
import struct

# Frames to this process.
CALL, STREAM, NEXT, CANCEL, CLOSE = 2, 3, 4, 5, 6
# Frames from this process.
HELLO, UNFIT, ANSWER, FAILURE, ITEM, ITEM_FAILURE, END, CLOSED, UNREADABLE = 1, 2, 3, 4, 5, 6, 7, 8, 9
HEAD = struct.Struct('<IBQ')


def framed(kind, number, body):
    return HEAD.pack(9 + len(body), kind, number) + body


def sized(data):
    return struct.pack('<I', len(data)) + data


def varint(number):
    data = bytearray()
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    data.append(number)
    return bytes(data)


class Inbox:
    """The frames that come. Of a large one the body goes to where it stays."""

    def __init__(self):
        self.buffer = bytearray(1 << 16)
        self.view = memoryview(self.buffer)
        self.start = self.end = 0
        self.large = self.missing = None

    def receive(self, flags=0):
        """Takes what has come; waits for something unless told otherwise."""
        if self.start == self.end:
            self.start = self.end = 0
        elif self.start > len(self.buffer) // 2:
            rest = self.buffer[self.start : self.end]
            self.start, self.end = 0, len(rest)
            self.buffer[: self.end] = rest
        try:
            received = connection.recv_into(self.missing or self.view[self.end :], 0, flags)
        except BlockingIOError:
            return
        if not received:
            os._exit(1)
        if self.missing:
            self.missing = self.missing[received:]
        else:
            self.end += received

    def frames(self):
        """Those that are there."""
        if self.large and not self.missing:
            yield self.large
            self.large = None
        while not self.large and self.end - self.start >= HEAD.size:
            length, kind, number = HEAD.unpack_from(self.buffer, self.start)
            body, end = self.start + HEAD.size, self.start + 4 + length
            if end <= self.end:
                self.start = end
                yield kind, number, bytes(self.view[body:end])
            elif end - self.start <= len(self.buffer) // 2:
                return
            else:
                whole, there = bytearray(end - body), self.end - body
                whole[:there] = self.view[body : self.end]
                self.start = self.end = 0
                self.large, self.missing = (kind, number, whole), memoryview(whole)[there:]

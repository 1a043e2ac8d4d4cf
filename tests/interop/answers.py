"""What a gateway answers, in a form that can be compared."""

from dataclasses import dataclass

import grpc
from docarray import DocList
from google.protobuf.json_format import MessageToDict
from jina.proto import jina_pb2

from graphs import START, Case, Post
from workers import Record


def records() -> DocList[Record]:
    """Documents that conditions tell apart."""
    texts = ['zero', 'one', 'two', 'three']
    return DocList[Record](
        Record(
            id=str(n),
            text=texts[n],
            n=n,
            flag=n > 1,
            words=['w'] * n,
            other=texts[1],
            counts={'k': n},
        )
        for n in range(4)
    )


def message(post: Post, parameters: dict, docs: DocList) -> jina_pb2.DataRequestProto:
    """A request as the Python client makes it."""
    request = jina_pb2.DataRequestProto()
    request.header.request_id = 'mine'
    request.header.exec_endpoint = post.endpoint
    if post.target:
        request.header.target_executor = post.target
    request.parameters.update({'__results__': {}, **parameters})
    request.data.docs.CopyFrom(docs.to_protobuf())
    return request


@dataclass
class Answer:
    """An answer, or a failure."""

    code: str
    details: str = ''
    documents: list = None
    parameters: dict = None
    header: dict = None
    status: tuple = None
    routes: list = None
    # When each part of the graph handed on what it had, by its routes.
    times: dict = None

    def differences(self, other: 'Answer') -> dict:
        """The parts in which two answers are not equal."""
        names = ['code', 'documents', 'parameters', 'header', 'status', 'routes']
        pairs = {name: (getattr(self, name), getattr(other, name)) for name in names}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def status(proto) -> tuple:
    """What a status says, but for the lines of code."""
    raised = proto.exception
    return proto.code, proto.description, raised.name, list(raised.args), raised.executor


def ask(port: int, request, floating: set = frozenset()) -> Answer:
    """Has a gateway answer. Of executors that it does not wait for, routes and results tell only by chance, so
    these are left out."""
    with grpc.insecure_channel(f'127.0.0.1:{port}') as channel:
        call = channel.unary_unary(
            '/jina.JinaSingleDataRequestRPC/process_single_data',
            request_serializer=jina_pb2.DataRequestProto.SerializeToString,
            response_deserializer=jina_pb2.DataRequestProto.FromString,
        )
        try:
            answer = call(request, timeout=30)
        except grpc.RpcError as error:
            return Answer(error.code().name, error.details())
    times = {}
    for route in answer.routes:
        handed_on = route.end_time if route.HasField('end_time') and route.executor != 'gateway' else route.start_time
        times[START if route.executor == 'gateway' else route.executor] = handed_on.ToNanoseconds()
    parameters = MessageToDict(answer.parameters)
    for name in floating:
        parameters.get('__results__', {}).pop(name, None)
    return Answer(
        'OK',
        documents=[doc.dict() for doc in DocList[Record].from_protobuf(answer.data.docs)],
        parameters=parameters,
        header={
            'request_id': answer.header.request_id,
            'exec_endpoint': answer.header.exec_endpoint,
            'target_executor': answer.header.target_executor,
        },
        status=status(answer.header.status),
        routes=[
            (route.executor, route.HasField('end_time'), status(route.status))
            for route in answer.routes
            if route.executor not in floating
        ],
        times=times,
    )


def delays(case: Case, post: Post, step: float) -> dict:
    """How long each executor must take for everything to come in the order of the graph."""
    arrives, delays = {START: 0}, {}
    for rank, name in enumerate(case.order()):
        begins = max((arrives[before] for before in case.before(name)), default=0)
        arrives[name] = begins
        if name != START and post.calls(name):
            arrives[name] = max(begins, rank * step)
            delays[name] = arrives[name] - begins
    return delays


def in_order(case: Case, post: Post, answer: Answer) -> bool:
    """Whether what executors made came to each join in the order of the graph."""
    made, order = case.origins(post), case.order()
    for join in case.joins():
        parts = [part for part in case.parts(join) if part in answer.times]
        parts.sort(key=lambda part: order.index(made[part]))
        came = [(answer.times[part], made[part]) for part in parts]
        if any(one[1] != next[1] and one[0] > next[0] for one, next in zip(came, came[1:])):
            return False
    return True

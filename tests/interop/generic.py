"""A client that knows nothing of us: grpcio, with messages learnt by reflection."""

import grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase


class Generic:
    """Calls unary methods by name."""

    def __init__(self, port: int):
        self.channel = grpc.insecure_channel(f'127.0.0.1:{port}')
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)

    def method(self, service: str, method: str):
        """Its path, and the classes of its messages."""
        described = self.pool.FindServiceByName(service).FindMethodByName(method)
        classes = [message_factory.GetMessageClass(m) for m in (described.input_type, described.output_type)]
        return f'/{service}/{method}', *classes

    def call(self, service: str, method: str, **fields):
        """Calls it and returns the answer."""
        path, question, answer = self.method(service, method)
        call = self.channel.unary_unary(
            path, request_serializer=question.SerializeToString, response_deserializer=answer.FromString
        )
        return call(question(**fields), timeout=10)

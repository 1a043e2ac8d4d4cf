"""What a client gets that knows nothing of us but what reflection tells."""

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from grpc_health.v1 import health_pb2, health_pb2_grpc

from generic import Generic

LISTED = {
    'jina.JinaDiscoverEndpointsRPC',
    'jina.JinaGatewayDryRunRPC',
    'jina.JinaInfoRPC',
    'jina.JinaRPC',
    'jina.JinaSingleDataRequestRPC',
    'jina.JinaSingleDocumentRequestRPC',
}


@pytest.fixture(scope='module')
def processes(shared):
    """A gateway and its executor, both ours."""
    executor = shared.executor('rust', 'Tools').wait_serving()
    return {'gateway': shared.gateway('rust', executor).wait_serving(), 'executor': executor}


@pytest.fixture(scope='module', params=['gateway', 'executor'])
def either(request, processes):
    """Calls one of them."""
    return Generic(processes[request.param].port)


@pytest.fixture(scope='module')
def gateway(processes):
    """Calls the gateway."""
    return Generic(processes['gateway'].port)


def test_services_are_listed(either):
    assert LISTED <= set(either.database.get_services())


def test_the_status_says_what_runs(either):
    status = MessageToDict(either.call('jina.JinaInfoRPC', '_status'), preserving_proto_field_name=True)
    assert status['jina']['jina']
    assert 'JINA_DEFAULT_HOST' in status['envs']


def test_the_dry_run_succeeds(gateway):
    status = gateway.call('jina.JinaGatewayDryRunRPC', 'dry_run')
    assert status.code == 0


def test_endpoints_are_discovered_with_their_schemas(either):
    answer = either.call('jina.JinaDiscoverEndpointsRPC', 'endpoint_discovery')
    assert {'/upper', '/fail', '/hold', '/mixed'} <= set(answer.endpoints)
    schemas = MessageToDict(answer)['schemas']
    mixed = schemas['/mixed']['input']
    mixed = mixed.get('model', mixed)
    assert set(mixed['properties']) == {'id', 'text', 'count', 'note', 'vector', 'part', 'parts'}


def test_health_is_told_of_the_process_and_of_each_service(either):
    health = health_pb2_grpc.HealthStub(either.channel)
    for service in ['', *LISTED]:
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING, service
    with pytest.raises(grpc.RpcError) as unknown:
        health.Check(health_pb2.HealthCheckRequest(service='nobody'), timeout=5)
    assert unknown.value.code() == grpc.StatusCode.NOT_FOUND


def test_data_calls_are_made_with_learnt_messages(either):
    path, question, answer = either.method('jina.JinaSingleDataRequestRPC', 'process_single_data')
    request = question()
    request.header.request_id = 'mine'
    request.header.exec_endpoint = '/upper'
    request.data.docs.docs.add().data['text'].text = 'a'
    call = either.channel.unary_unary(
        path, request_serializer=question.SerializeToString, response_deserializer=answer.FromString
    )
    response = call(request, timeout=10)
    assert response.header.request_id == 'mine'
    assert response.data.docs.docs[0].data['text'].text == 'A'


def test_a_call_that_nobody_offers_is_unimplemented(either):
    call = either.channel.unary_unary('/jina.JinaRPC/NoSuchCall')
    with pytest.raises(grpc.RpcError) as refused:
        call(b'', timeout=5)
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED

"""Manifests that `cargo xtask manifests` has rendered into the directory MANIFESTS, and the check of them."""

import copy
import json
import os
from pathlib import Path

import jsonschema
import pytest
import yaml
from references import check, named

RENDERED = sorted(Path(os.environ['MANIFESTS']).glob('*.yaml'))
CHART = Path(__file__).parents[2] / 'deploy' / 'helm'


def read(file):
    return [o for o in yaml.safe_load_all(file.read_text()) if o]


def rendered(name):
    return read(next(file for file in RENDERED if file.stem == name))


@pytest.mark.parametrize('file', RENDERED, ids=lambda file: file.stem)
def test_everything_that_is_referred_to_is_there(file):
    objects = read(file)
    assert len(objects) >= 5
    assert check(objects) == []


def test_the_old_cluster_of_ci_gets_nothing_that_it_does_not_know():
    text = yaml.safe_dump_all(rendered('ci'))
    assert 'grpc:\n' not in text, 'gRPC probes came with 1.24'
    assert 'policy/v1' not in text and 'autoscaling/v2' not in text


@pytest.mark.parametrize(
    'problem, spoil',
    [
        (
            'Service gateway: its selector finds 0 workloads',
            lambda o: o['Service', 'gateway']['spec']['selector'].update(app='x'),
        ),
        (
            'Service gateway: no container has the port web',
            lambda o: o['Service', 'gateway']['spec']['ports'][0].update(targetPort='web'),
        ),
        (
            'segmenter: nobody listens on 8079',
            lambda o: container(o, 'Deployment', 'segmenter')['readinessProbe'].update(grpc={'port': 8079}),
        ),
        (
            'segmenter: the port 8081 is not declared',
            lambda o: container(o, 'Deployment', 'segmenter')['args'].extend(['--port', '8081']),
        ),
        (
            'gateway: there is no ConfigMap other',
            lambda o: container(o, 'Deployment', 'gateway').update(
                envFrom=[{'configMapRef': {'name': 'other'}}]
            ),
        ),
        (
            'indexer: there is no Service other',
            lambda o: o['StatefulSet', 'indexer']['spec'].update(serviceName='other'),
        ),
        (
            'indexer: there is no volume index',
            lambda o: o['StatefulSet', 'indexer']['spec'].update(volumeClaimTemplates=[]),
        ),
        (
            'gateway: no Service is at grpc://segmenter:8080',
            lambda o: o['Service', 'segmenter']['spec']['ports'][0].update(port=80),
        ),
        (
            'HorizontalPodAutoscaler gateway: the workload fixes its replicas',
            lambda o: o['Deployment', 'gateway']['spec'].update(replicas=2),
        ),
    ],
    ids=lambda case: case.replace(' ', '-') if isinstance(case, str) else '',
)
def test_what_is_wrong_is_found(problem, spoil):
    objects = copy.deepcopy(rendered('prod'))
    by_name = {(o['kind'], o['metadata']['name']): o for o in objects}
    if problem.startswith('segmenter: the port'):
        container(by_name, 'Deployment', 'segmenter')['args'].remove('--port')
    spoil(by_name)
    assert problem in check(objects)


@pytest.mark.parametrize(
    'problem, spoil',
    [
        ('indexer: 3 peers for 2 replicas', lambda o: spec(o).update(replicas=2)),
        (
            'indexer: no pod is at indexer-2.indexer-peers.default.svc:8080',
            lambda o: spec(o).update(serviceName='indexer'),
        ),
        (
            'indexer: indexer-peers does not name pods that are not ready',
            lambda o: o['Service', 'indexer-peers']['spec'].pop('publishNotReadyAddresses'),
        ),
        (
            'indexer: pods that wait for each other are started one after the other',
            lambda o: spec(o).pop('podManagementPolicy'),
        ),
    ],
    ids=lambda case: case.replace(' ', '-') if isinstance(case, str) else '',
)
def test_replicas_that_would_not_find_each_other_are_found(problem, spoil):
    objects = rendered('exported-stateful')
    spoil({(o['kind'], o['metadata']['name']): o for o in objects})
    assert problem in check(objects)


def spec(objects):
    return objects['StatefulSet', 'indexer']['spec']


def args(objects, name):
    return container(objects, 'Deployment', name)['args']


@pytest.mark.parametrize(
    'problem, spoil',
    [
        (
            'segmenter: /etc/flowgate/tls/tls.crt is mounted nowhere',
            lambda o: container(o, 'Deployment', 'segmenter').pop('volumeMounts'),
        ),
        (
            'gateway: /etc/flowgate/executors/ca.crt is mounted nowhere',
            lambda o: container(o, 'Deployment', 'gateway')['volumeMounts'].pop(),
        ),
        (
            'gateway: there is no volume tls',
            lambda o: o['Deployment', 'gateway']['spec']['template']['spec'].pop('volumes'),
        ),
        (
            'segmenter: Kubernetes asks over gRPC without TLS only',
            lambda o: container(o, 'Deployment', 'segmenter').update(readinessProbe={'grpc': {'port': 8080}}),
        ),
        (
            'gateway: grpcs://segmenter.default.svc:8080 is called the wrong way',
            lambda o: args(o, 'segmenter').remove('--tls-certfile'),
        ),
    ],
    ids=lambda case: case.replace(' ', '-').replace('/', '-') if isinstance(case, str) else '',
)
def test_what_is_wrong_with_certificates_is_found(problem, spoil):
    objects = copy.deepcopy(rendered('exported-tls'))
    spoil({(o['kind'], o['metadata']['name']): o for o in objects})
    assert problem in check(objects)


def container(objects, kind, name):
    return objects[kind, name]['spec']['template']['spec']['containers'][0]


def test_the_chart_describes_its_values():
    schema = json.loads((CHART / 'flow' / 'values.schema.json').read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    values = yaml.safe_load((CHART / 'flow' / 'values.yaml').read_text())
    jsonschema.validate(values, schema)
    values['gateway']['listen'][0]['protocol'] = 'grpc'
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(values, schema)


def test_the_chart_and_the_overlay_run_the_same_flow():
    overlay, chart = rendered('prod'), rendered('chart-default')
    graph = lambda objects: next(  # noqa: E731
        o['data']['FLOWGATE_GRAPH_DESCRIPTION'].replace(' ', '')
        for o in objects
        if o['kind'] == 'ConfigMap'
    )
    assert json.loads(graph(overlay)) == json.loads(graph(chart))
    assert len(named(chart, 'StatefulSet')) == len(named(overlay, 'StatefulSet')) == 1

"""What the objects of a manifest say of each other, and what of it is not so."""

import json


def workloads(objects):
    """The objects that keep pods."""
    return [o for o in objects if o['kind'] in ('Deployment', 'StatefulSet')]


def containers(workload):
    return workload['spec']['template']['spec']['containers']


def fits(selector, labels):
    return all(labels.get(key) == value for key, value in selector.items())


def named(objects, kind):
    return {o['metadata']['name']: o for o in objects if o['kind'] == kind}


def selected(objects, selector):
    """The workloads whose pods a selector finds."""
    return [w for w in workloads(objects) if fits(selector, w['spec']['template']['metadata']['labels'])]


def ports(workload):
    """The ports of a pod, by number and by name."""
    found = set()
    for container in containers(workload):
        for port in container.get('ports', []):
            found.add(port['containerPort'])
            if 'name' in port:
                found.add(port['name'])
    return found


def check(objects):
    """Every reference to something that is not there."""
    problems = []
    config_maps, services = named(objects, 'ConfigMap'), named(objects, 'Service')
    for name, service in services.items():
        found = selected(objects, service['spec']['selector'])
        if len(found) != 1:
            problems.append(f'Service {name}: its selector finds {len(found)} workloads')
        for port in service['spec']['ports']:
            if any(port['targetPort'] not in ports(workload) for workload in found):
                problems.append(f'Service {name}: no container has the port {port["targetPort"]}')
    for workload in workloads(objects):
        problems += check_workload(workload, objects, config_maps, services)
    for o in objects:
        name = o['metadata']['name']
        if o['kind'] == 'HorizontalPodAutoscaler':
            target = o['spec']['scaleTargetRef']
            found = named(objects, target['kind']).get(target['name'])
            if found is None:
                problems.append(f'HorizontalPodAutoscaler {name}: there is no {target["name"]}')
            elif 'replicas' in found['spec']:
                problems.append(f'HorizontalPodAutoscaler {name}: the workload fixes its replicas')
            elif any('cpu' not in c.get('resources', {}).get('requests', {}) for c in containers(found)):
                problems.append(f'HorizontalPodAutoscaler {name}: the workload asks for no processor time')
        if o['kind'] == 'PodDisruptionBudget' and not selected(objects, o['spec']['selector']['matchLabels']):
            problems.append(f'PodDisruptionBudget {name}: its selector finds nothing')
        if o['kind'] == 'ServiceMonitor':
            wanted = o['spec']['selector']['matchLabels']
            found = [s for s in services.values() if fits(wanted, s['metadata'].get('labels', {}))]
            endpoints = {endpoint['port'] for endpoint in o['spec']['endpoints']}
            if not any(endpoints <= {port['name'] for port in s['spec']['ports']} for s in found):
                problems.append(f'ServiceMonitor {name}: no Service has its port')
    return problems


def check_workload(workload, objects, config_maps, services):
    problems = []
    name, pod = workload['metadata']['name'], workload['spec']['template']
    if not fits(workload['spec']['selector']['matchLabels'], pod['metadata']['labels']):
        problems.append(f'{name}: the selector does not find the pods')
    if workload['kind'] == 'StatefulSet' and workload['spec']['serviceName'] not in services:
        problems.append(f'{name}: there is no Service {workload["spec"]["serviceName"]}')
    for container in containers(workload):
        problems += check_peers(workload, after(container['args'], '--peers'), services)
    volumes = {v['name'] for v in pod['spec'].get('volumes', [])}
    volumes |= {claim['metadata']['name'] for claim in workload['spec'].get('volumeClaimTemplates', [])}
    environment = {}
    for container in containers(workload):
        for mount in container.get('volumeMounts', []):
            if mount['name'] not in volumes:
                problems.append(f'{name}: there is no volume {mount["name"]}')
        for source in container.get('envFrom', []):
            config_map = config_maps.get(source['configMapRef']['name'])
            if config_map is None:
                problems.append(f'{name}: there is no ConfigMap {source["configMapRef"]["name"]}')
            else:
                environment.update(config_map.get('data') or {})
        problems += [f'{name}: {file} is mounted nowhere' for file in unmounted(container, environment)]
        if is_secure(container, environment) and any('grpc' in container.get(probe, {}) for probe in PROBES):
            problems.append(f'{name}: Kubernetes asks over gRPC without TLS only')
        own = {port['containerPort'] for port in container['ports']}
        problems += [f'{name}: nobody listens on {port}' for port in asked(container) - own]
        problems += [f'{name}: the port {port} is not declared' for port in listens(container) - own]
        addresses = after(container['args'], '--deployments-addresses')
        addresses = addresses[0] if addresses else environment.get('FLOWGATE_DEPLOYMENTS_ADDRESSES', '{}')
        problems += check_addresses(name, json.loads(addresses), services)
        problems += check_schemes(name, json.loads(addresses), objects)
    return problems


def check_schemes(name, addresses, objects):
    """The gateway speaks TLS with those that do."""
    problems, config_maps = [], named(objects, 'ConfigMap')
    for address in (address for of_node in addresses.values() for address in of_node):
        service = named(objects, 'Service').get(address.split('://')[-1].split(':')[0].split('.')[0])
        for workload in selected(objects, service['spec']['selector']) if service else []:
            called = containers(workload)[0]
            sources = [config_maps.get(source['configMapRef']['name'], {}) for source in called.get('envFrom', [])]
            environment = {key: value for source in sources for key, value in (source.get('data') or {}).items()}
            if is_secure(called, environment) != address.startswith('grpcs://'):
                problems.append(f'{name}: {address} is called the wrong way')
    return problems


FILES = ('ssl-certfile', 'ssl-keyfile', 'tls-certfile', 'tls-keyfile', 'executors-ca')
PROBES = ('startupProbe', 'readinessProbe', 'livenessProbe')


def file(container, environment, name):
    """The file that an argument or its variable names."""
    variable = environment.get(f'FLOWGATE_{name.replace("-", "_").upper()}')
    return next(iter(after(container['args'], f'--{name}')), variable)


def is_secure(container, environment):
    return any(file(container, environment, name) for name in ('ssl-certfile', 'tls-certfile'))


def unmounted(container, environment):
    """Files of certificates and keys that are in no volume."""
    mounted = tuple(f'{mount["mountPath"]}/' for mount in container.get('volumeMounts', []))
    named_files = [file(container, environment, name) for name in FILES]
    return [file for file in named_files if file and not file.startswith(mounted)]


def check_peers(workload, peers, services):
    """The peers of a stateful executor are its pods, each by a name that it has before it is ready."""
    problems = []
    name, spec = workload['metadata']['name'], workload['spec']
    if peers and len(peers) != spec['replicas']:
        problems.append(f'{name}: {len(peers)} peers for {spec["replicas"]} replicas')
    for number, peer in enumerate(peers):
        host, port = peer.split('://')[-1].rsplit(':', 1)
        pod, service, *_ = host.split('.')
        if pod != f'{name}-{number}' or service != spec['serviceName']:
            problems.append(f'{name}: no pod is at {peer}')
            continue
        found = services.get(service, {'spec': {}})['spec']
        if found.get('clusterIP') != 'None' or not found.get('publishNotReadyAddresses'):
            problems.append(f'{name}: {service} does not name pods that are not ready')
        if int(port) not in {p['port'] for p in found.get('ports', [])}:
            problems.append(f'{name}: no Service is at {peer}')
    if peers and spec.get('podManagementPolicy') != 'Parallel':
        problems.append(f'{name}: pods that wait for each other are started one after the other')
    return problems


def check_addresses(name, addresses, services):
    """The addresses of a gateway that are names of Services name such as there are, with their port."""
    problems = []
    for address in (address for of_node in addresses.values() for address in of_node):
        host, port = address.split('://')[-1].rsplit(':', 1)
        if '.' in host and not host.endswith('.svc'):
            continue
        service = services.get(host.split('.')[0])
        if service is None or int(port) not in {p['port'] for p in service['spec']['ports']}:
            problems.append(f'{name}: no Service is at {address}')
    return problems


def after(arguments, option):
    """The values of an option."""
    if option not in arguments:
        return []
    values = arguments[arguments.index(option) + 1 :]
    end = next((i for i, value in enumerate(values) if value.startswith('--')), len(values))
    return values[:end]


def listens(container):
    """The ports that the arguments ask for."""
    return {int(port) for option in ('--port', '--port-monitoring') for port in after(container['args'], option)}


def asked(container):
    """The ports that probes ask."""
    found = set()
    for probe in PROBES:
        probe = container.get(probe, {})
        if 'grpc' in probe:
            found.add(probe['grpc']['port'])
        if 'httpGet' in probe:
            found.add(probe['httpGet']['port'])
        if 'exec' in probe:
            found.add(int(probe['exec']['command'][3].rsplit(':', 1)[1]))
    return found

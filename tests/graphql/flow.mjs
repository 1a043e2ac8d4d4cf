// Our gateway with GraphQL before an executor of the interop suite, as processes from FLOWGATE_BINARIES.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const PATIENCE = 60_000;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

class Process {
  constructor(program, ...argv) {
    this.said = '';
    const path = join(process.env.FLOWGATE_BINARIES, program);
    this.child = spawn(path, argv.map(String), { stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = once(this.child, 'exit');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (data) => (this.said = (this.said + data).slice(-4000)));
    }
  }

  async stop() {
    this.child.kill('SIGTERM');
    await this.ended;
  }
}

async function isHealthy(port) {
  try {
    return (await fetch(`http://127.0.0.1:${port}/`)).ok;
  } catch {
    return false;
  }
}

// Starts both; `address` is where the gateway is, and `stop` ends them.
export async function start(uses) {
  const [executorPort, port] = [await freePort(), await freePort()];
  const executor = new Process('interop-executor', '--uses', uses, '--host', '127.0.0.1', '--port', executorPort);
  const gateway = new Process(
    ...['gateway', '--host', '127.0.0.1', '--port', port, '--protocol', 'HTTP', '--expose-graphql-endpoint'],
    ...['--graph-description', '{"start-gateway": ["executor"], "executor": ["end-gateway"]}'],
    ...['--deployments-addresses', JSON.stringify({ executor: [`grpc://127.0.0.1:${executorPort}`] })],
  );
  const end = Date.now() + PATIENCE;
  while (!(await isHealthy(port))) {
    if (Date.now() > end || gateway.child.exitCode !== null || executor.child.exitCode !== null) {
      await Promise.all([gateway.stop(), executor.stop()]);
      throw new Error(`the gateway does not serve:\n${gateway.said}\n${executor.said}`);
    }
    await pause(50);
  }
  return {
    address: `127.0.0.1:${port}`,
    async stop() {
      await gateway.stop();
      await executor.stop();
    },
  };
}

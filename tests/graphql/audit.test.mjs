// What the specification "GraphQL over HTTP" asks for, by the audit suite of the package `graphql-http`.

import assert from 'node:assert';
import { after, before, test } from 'node:test';

import { serverAudits } from 'graphql-http';

import { start } from './flow.mjs';

let flow;
before(async () => (flow = await start('Tools')));
after(() => flow?.stop());

const audits = serverAudits({ url: () => `http://${flow.address}/graphql`, fetchFn: fetch });

test('the suite has not lost its cases', () => assert(audits.length >= 60, `${audits.length}`));

// `ok`, or by what is missed: `error` of MUST, `warn` of SHOULD, `notice` of MAY.
for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, async () => {
    const { status, reason } = await audit.fn();
    assert.equal(status, 'ok', reason);
  });
}

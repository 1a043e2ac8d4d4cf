// The client of the package `graphql-ws`, which browsers and GraphiQL use.

import assert from 'node:assert';
import { after, before, test } from 'node:test';

import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { start } from './flow.mjs';

let flow;
let client;
before(async () => {
  flow = await start('Tools');
  client = createClient({ url: `ws://${flow.address}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 });
});
after(async () => {
  await client?.dispose();
  await flow?.stop();
});

async function all(query, variables) {
  const answers = [];
  for await (const answer of client.iterate({ query, variables })) answers.push(answer);
  return answers;
}

test('a stream comes document by document', async () => {
  const answers = await all('subscription($d: TextInput!) { tokens(document: $d) { text } }', { d: { text: 'a' } });
  assert.deepEqual(
    answers.map((answer) => answer.data.tokens.text),
    ['a 0', 'a 1', 'a 2'],
  );
});

test('queries and mutations have one answer', async () => {
  for (const kind of ['query', 'mutation']) {
    const answers = await all(`${kind} { upper(data: [{id: "a", text: "one"}]) { data { id text } } }`);
    assert.deepEqual(answers, [{ data: { upper: { data: [{ id: 'a', text: 'ONE' }] } } }]);
  }
});

test('failures of executors are errors of an answer', async () => {
  const [answer] = await all('{ fail(data: [{text: "one"}]) { data { id } } }');
  assert.equal(answer.data.fail, null);
  assert.equal(answer.errors[0].extensions.code, 'EXECUTOR_FAILED');
});

test('a query that is none ends with its errors', async () => {
  for (const query of ['{ nobody }', '{', 'subscription { upper }']) {
    await assert.rejects(all(query), (errors) => Array.isArray(errors) && errors[0].message.length > 0, query);
  }
});

test('whoever has heard enough leaves, and the connection goes on', async () => {
  for await (const answer of client.iterate({ query: 'subscription { tokens(document: {text: "b"}) { text } }' })) {
    assert.equal(answer.data.tokens.text, 'b 0');
    break;
  }
  const [answer] = await all('{ __typename }');
  assert.equal(answer.data.__typename, 'Query');
});

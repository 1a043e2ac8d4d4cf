"""Schemathesis takes our OpenAPI document at its word: requests that it allows and that it does not."""

import os
import subprocess

import pytest

from processes import is_healthy

# It has an environment of its own: it wants other versions of what Jina wants.
SCHEMATHESIS = os.environ.get('SCHEMATHESIS')
CHECKS = 'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance'


@pytest.mark.skipif(not SCHEMATHESIS, reason='SCHEMATHESIS does not say where it is')
# A busy machine may take several times as long as it takes otherwise.
@pytest.mark.timeout(300)
@pytest.mark.parametrize('uses, examples, excluded', [('Typed', 60, []), ('Tools', 20, ['/fail', '/hold'])])
def test_answers_are_what_the_openapi_document_says(stage, uses, examples, excluded):
    executor = stage.executor('rust', uses).wait_serving()
    gateway = stage.gateway('rust', executor, protocol='HTTP').wait_serving(is_healthy)
    arguments = ['--checks', CHECKS, '--phases', 'examples,coverage,fuzzing', '--seed', '7']
    arguments += ['--max-examples', str(examples)]
    arguments += ['--no-shrink']
    arguments += ['--continue-on-failure', '--no-color', '--request-timeout', '20']
    for path in excluded:
        # They raise, or wait for something, as they are asked.
        arguments += ['--exclude-path', path]
    location = f'http://127.0.0.1:{gateway.port}/openapi.json'
    program = [SCHEMATHESIS, 'run', location, *arguments]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=280, cwd=stage.directory)
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]

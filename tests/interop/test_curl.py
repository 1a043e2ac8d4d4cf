"""The examples with curl in the documentation do what is printed.

The comment `<!-- run: NAME -->` before a block `sh` names the executor of the Flow that it is for. The block that follows
is what curl prints; of it only made-up ids may be others. Examples without such a comment are refused.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

from processes import is_healthy

ROOT = Path(__file__).parents[2]
EXAMPLE = re.compile(
    r'(?:<!-- run: (?P<executor>\w+) -->\n)?```sh\n(?P<command>[^`]*?)```\n(?:\n```(?:json|text)\n(?P<printed>.*?)```\n)?', re.S
)
ID = re.compile(r'\b[0-9a-f]{32}\b')
# Where the documentation has the gateway listen.
ADDRESS = 'localhost:8080'


def examples():
    """All of them, with where they are."""
    files = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('*.md'))]
    for file in files:
        text = file.read_text()
        for found in EXAMPLE.finditer(text):
            if re.search(r'(^|\n)curl ', found['command']):
                line = text.count('\n', 0, found.start('command'))
                yield pytest.param(found, id=f'{file.relative_to(ROOT)}:{line}')


def readable(printed: str):
    """What was printed, as it is compared."""
    masked = ID.sub('<id>', printed.replace('\r\n', '\n').strip())
    try:
        return json.loads(masked)
    except ValueError:
        return masked


@pytest.fixture(scope='module')
def flows(shared):
    """Flows of one executor each, started when they are wanted."""
    started = {}

    def flow(name: str):
        if name not in started:
            executor = shared.executor('rust', name).wait_serving()
            started[name] = shared.gateway('rust', executor, protocol='HTTP').wait_serving(is_healthy)
        return started[name]

    return flow


@pytest.mark.parametrize('example', examples())
def test_curl_prints_what_the_documentation_says(flows, example):
    assert example['executor'] and example['printed'], 'it must say for which executor it is, and what it prints'
    # A gateway that is started in the same block is started by the test.
    command = example['command'][re.search(r'^curl ', example['command'], re.M).start() :]
    assert ADDRESS in command
    command = command.replace(ADDRESS, f'localhost:{flows(example["executor"]).port}')
    curl = subprocess.run(['sh', '-ec', command], capture_output=True, text=True, timeout=30)
    assert curl.returncode == 0, curl.stderr
    assert readable(curl.stdout) == readable(example['printed'])


def test_there_are_examples():
    assert len(list(examples())) > 5

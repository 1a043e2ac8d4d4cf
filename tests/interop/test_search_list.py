"""Short names of executors are completed by the resolver's search list, as clusters expect."""

import json
import shutil
import subprocess
import sys

import pytest

import search_list
from processes import BINARIES, HERE

# Users, mounts and networks of its own; nothing of this machine is changed.
NAMESPACES = ['unshare', '--user', '--map-root-user', '--mount', '--net']


def are_namespaces_permitted() -> bool:
    if shutil.which('unshare') is None:
        return False
    # Some systems let a namespace be made, and permit nothing in it.
    tried = subprocess.run([*NAMESPACES, 'mount', '--bind', '/etc/resolv.conf', '/etc/resolv.conf'], capture_output=True)
    return tried.returncode == 0


@pytest.mark.skipif(not are_namespaces_permitted(), reason='this system permits no namespaces to its users (unshare)')
def test_a_short_name_is_completed_by_the_search_list(tmp_path):
    script = [sys.executable, HERE / 'search_list.py', BINARIES, tmp_path]
    ran = subprocess.run([*NAMESPACES, *map(str, script)], capture_output=True, text=True, timeout=110)
    logs = '\n'.join(log.read_text() for log in tmp_path.glob('*.log'))
    assert ran.returncode == 0, f'{ran.stderr}\n{logs}'
    told = json.loads(ran.stdout)
    assert told['dry_run']['code'] == 0, f'{told}\n{logs}'
    assert told['statuses'] == [0, 0], logs
    # The first domain of the list has no such name, the second one has.
    assert {'encoder.elsewhere.test.', search_list.NAME} <= set(told['asked'])
    assert f'encoder:8080 ({search_list.ADDRESS})' in logs

"""Our gateway and Jina's before the same executors, asked the same."""

import pytest

from answers import ask, delays, in_order, message, records
from deviations import unexplained
from graphs import Case, Post, generate

CASES = dict(generate(seed) for seed in range(54))


def both(ports, case: Case, post: Post) -> tuple:
    """What Jina's gateway and ours answer when the parts of joins come in the order of the graph, which is the order
    that ours merges them in whatever comes first."""
    for step in [0.02, 0.1, 0.3]:
        slow = {'delays': delays(case, post, step)} if case.joins() else {}
        request = message(post, {**post.parameters, **slow}, records())
        theirs, ours = (ask(port, request, case.floating()) for port in ports)
        if theirs.code != 'OK' or in_order(case, post, theirs):
            return theirs, ours
    raise AssertionError('the parts of joins come in another order than that of the graph')


@pytest.mark.parametrize('name', CASES)
def test_both_gateways_answer_the_same(gateways, name):
    case = CASES[name]
    ports = gateways.jina(case).wait_serving().port, gateways.ours(case).wait_serving().port
    for post in case.posts:
        theirs, ours = both(ports, case, post)
        assert not unexplained(case, post, theirs, ours), f'{case}\n{post}\n{theirs}\n{ours}'

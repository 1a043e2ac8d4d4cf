"""Our gateway and Jina's before the same executors, asked the same.

First many graphs by chance, where what may differ is told by deviations.py; then each deviation once, exactly.
"""

import json

import pytest

from answers import ask, delays, in_order, message, records
from deviations import passes_joins, unexplained
from graphs import CONDITIONS, END, Case, Post, edges, generate

CASES = dict(generate(seed) for seed in range(54))

# Each operator alone.
CASES |= {
    f'when {json.dumps(condition)}': Case(edges('start both end'), {'both': condition}, posts=[Post()])
    for condition in CONDITIONS
}


def both(ports, case: Case, post: Post) -> tuple:
    """What Jina's gateway and ours answer when the parts of joins come in the order of the graph, which is the order
    that ours merges them in whatever comes first. Where a join is passed by, Jina's merges nothing."""
    for step in [0.02, 0.1, 0.3]:
        slow = {'delays': delays(case, post, step)} if case.joins() else {}
        request = message(post, {**post.parameters, **slow}, records())
        theirs, ours = (ask(port, request, case.floating()) for port in ports)
        if theirs.code != 'OK' or passes_joins(case, post) or in_order(case, post, theirs):
            return theirs, ours
    raise AssertionError(f'the parts of joins come in another order than that of the graph: {case} {post} {theirs.times}')


@pytest.mark.parametrize('name', CASES)
def test_both_gateways_answer_the_same(gateways, name):
    case = CASES[name]
    ports = gateways.jina(case).wait_serving().port, gateways.ours(case).wait_serving().port
    for post in case.posts:
        theirs, ours = both(ports, case, post)
        assert not unexplained(case, post, theirs, ours), f'{case}\n{post}\n{theirs}\n{ours}'


def ended(process) -> str:
    """What a gateway of ours said that refused to start."""
    assert process.wait(20) == 2, process.said()
    return process.said()


def texts_of(answer) -> list:
    """The texts of its documents."""
    return [doc['text'] for doc in answer.documents]


JOIN = Case(edges('start twin both end', 'start anything both'))


def test_what_comes_last_wins_there_and_what_stands_last_in_the_graph_here(gateways):
    ports = gateways.jina(JOIN).wait_serving().port, gateways.ours(JOIN).wait_serving().port
    for delay in [0.1, 0.5, 2]:
        request = message(Post(), {'delays': {'twin': delay}}, records())
        theirs, ours = (ask(port, request) for port in ports)
        if theirs.times['twin'] > theirs.times['anything']:
            break
    assert texts_of(theirs)[0] == 'zero twin both'
    assert texts_of(ours)[0] == 'zero anything both'
    assert ours.documents[0]['words'] == ['twin', 'anything', 'both']
    assert theirs.documents[0]['words'] == ['anything', 'twin', 'both']


def ask_both(gateways, case: Case, post: Post) -> tuple:
    """What both answer."""
    ports = gateways.jina(case).wait_serving().port, gateways.ours(case).wait_serving().port
    return both(ports, case, post)


def heard(answer, name: str) -> dict:
    """The parameters that an executor was sent."""
    return json.loads(answer.documents[0]['seen'][name])


def test_branches_that_share_an_object_of_parameters_race_there_and_not_here(gateways):
    post = Post(parameters={'k': 0, 'twin': {'k': 1}, 'anything': {'k': 2}})
    theirs, ours = ask_both(gateways, JOIN, post)
    assert [heard(theirs, name)['k'] for name in ['twin', 'anything']] == [2, 2]
    assert [heard(ours, name)['k'] for name in ['twin', 'anything']] == [1, 2]


def test_a_new_document_of_two_branches_is_there_twice_and_here_once(gateways):
    case = Case(edges('start twin work end', 'start anything work', 'start both work'))
    post = Post(parameters={'anything__share': 1, 'both__share': 1})
    theirs, ours = ask_both(gateways, case, post)
    ids = ['0', '1', '2', '3', 'shared']
    assert [doc['id'] for doc in theirs.documents] == [*ids, 'shared']
    assert [doc['id'] for doc in ours.documents] == ids
    assert texts_of(ours)[-1] == 'both work'


def test_a_joiner_that_is_passed_by_loses_a_branch_there_and_not_here(gateways):
    theirs, ours = ask_both(gateways, JOIN, Post(target='twin|anything'))
    assert [{*doc['counts']} - {'k'} for doc in theirs.documents[:1]] in [[{'twin'}], [{'anything'}]]
    assert [{*doc['counts']} - {'k'} for doc in ours.documents[:1]] == [{'twin', 'anything'}]


def test_an_executors_answer_meets_the_request_here_whatever_binds_the_endpoint(gateways):
    case = Case(edges('start spare anything end', 'start anything'))
    theirs, ours = ask_both(gateways, case, Post('/'))
    assert (theirs.code, ours.code) == ('UNKNOWN', 'OK')
    assert texts_of(ours)[0] == 'zero spare anything'


def test_an_answer_that_also_goes_on_is_changed_there_and_not_here(gateways):
    case = Case(edges('start both end', 'both twin end', 'start extra twin'))
    theirs, ours = ask_both(gateways, case, Post())
    assert texts_of(ours)[0] == 'zero both'
    assert theirs.documents != ours.documents


def test_parameters_named_like_an_executor_that_are_no_object_fail_there_and_not_here(gateways):
    case = Case(edges('start both end'))
    theirs, ours = ask_both(gateways, case, Post(parameters={'both': 5}))
    assert (theirs.code, ours.code) == ('UNKNOWN', 'OK')
    assert heard(ours, 'both')['both'] == 5


def test_pythons_look_around_in_a_target_is_understood_there_only(gateways):
    case = Case(edges('start both end'))
    theirs, ours = ask_both(gateways, case, Post(target='(?=b)both'))
    assert (theirs.code, ours.code) == ('OK', 'INVALID_ARGUMENT')


@pytest.mark.parametrize('target', ['(', 'both)'])
def test_an_invalid_target_fails_with_another_code(gateways, target):
    case = Case(edges('start both end'))
    theirs, ours = ask_both(gateways, case, Post(target=target))
    assert (theirs.code, ours.code) == ('UNKNOWN', 'INVALID_ARGUMENT')


@pytest.mark.parametrize('condition', [{'n': {'$ne': 1}}, {'n': 3}])
def test_a_wrong_condition_fails_each_request_there_and_the_start_here(gateways, condition):
    case = Case(edges('start both end'), {'both': condition})
    theirs = ask(gateways.jina(case).wait_serving().port, message(Post(), {}, records()))
    assert theirs.code == 'UNKNOWN'
    assert 'the condition of `both` is wrong' in ended(gateways.ours(case))


def test_a_graph_without_a_beginning_echoes_there_and_is_refused_here(gateways):
    case = Case({'both': [END], 'nobody': ['both']})
    gateways.addresses = {**gateways.addresses, 'nobody': ['grpc://127.0.0.1:1']}
    theirs = ask(gateways.jina(case).wait_serving().port, message(Post(), {}, records()))
    assert texts_of(theirs) == ['zero', 'one', 'two', 'three']
    assert 'nobody' in ended(gateways.ours(case))


def test_neighbours_on_a_second_branch_are_checked_here_only(gateways):
    case = Case(edges('start extra both end', 'extra work both'))
    gateways.jina(case).wait_serving()
    process = gateways.ours(case)
    assert process.wait(20) == 1
    assert '/extra' in process.said()


def test_an_endpoint_that_only_an_early_branch_has_keeps_jina_from_starting(gateways):
    case = Case(edges('start extra both end', 'start work both'))
    theirs = gateways.jina(case)
    assert 'AttributeError' in theirs.wait_ended()
    answer = ask(gateways.ours(case).wait_serving().port, message(Post('/extra'), {}, records()))
    assert texts_of(answer)[0] == 'zero extra both'

"""Where our gateway answers otherwise on purpose: when, in what, and what must be the same all the same.

Each is told in docs/differences.md.
"""

from dataclasses import dataclass
from typing import Callable

from answers import Answer
from graphs import START, WORKERS, Case, Post


@dataclass
class Deviation:
    """One of them."""

    reason: str
    # The parts of an answer that may differ.
    parts: set
    # Whether it is to be expected.
    applies: Callable[[Case, Post, Answer], bool]
    # What is right of a pair of answers that differ, Jina's first.
    holds: Callable[[Post, Answer, Answer], bool]


def any_is_scoped(post: Post) -> bool:
    """Whether a parameter is for one executor only."""
    return any('__' in key.strip('_') for key in post.parameters)


def answer_was_passed_on(case: Case, post: Post, ours: Answer) -> bool:
    """Whether the last word is not that of an executor that did what it should."""
    return case.answers() is None or not post.calls(case.answers())


def same_but(field: str) -> Callable[[Post, Answer, Answer], bool]:
    """Whether the documents are equal but for one field."""

    def without(answer):
        return [{**doc, field: None} for doc in answer.documents]

    return lambda _post, theirs, ours: without(theirs) == without(ours)


def mixes(case: Case, post: Post) -> bool:
    """Whether a join that does not bind the endpoint by its name has parts of a client and of executors."""
    made = case.origins(post)
    for join in case.joins():
        origins = {made[part] for part in case.parts(join)}
        by_default = post.endpoint not in WORKERS[join] and '/default' in WORKERS[join]
        if by_default and join not in case.no_reduce and START in origins and len(origins) > 1:
            return True
    return False


def passes_joins(case: Case, post: Post) -> bool:
    """Whether the executor at a join is passed by."""
    return any(not post.calls(join) for join in case.joins())


def doubles(case: Case, post: Post) -> bool:
    """Whether joins take the same several times: Jina's merge into one of their parts, which the others are then, too."""
    made = case.origins(post)
    origins = [made[part] for join in case.joins() for part in case.parts(join)]
    return len(set(origins)) < len(origins)


def own_parameters(post: Post, _theirs: Answer, ours: Answer) -> bool:
    """Whether ours are the client's."""
    return all(ours.parameters[key] == value for key, value in post.parameters.items())


DEVIATIONS = [
    Deviation(
        'documents of the client and of executors are of different classes to a Python gateway',
        {'code', 'documents', 'parameters', 'header', 'status', 'routes'},
        lambda case, post, _ours: mixes(case, post),
        lambda _post, theirs, ours: theirs.code == 'UNKNOWN'
        and 'Update operation can only be applied' in theirs.details
        and ours.code == 'OK',
    ),
    Deviation(
        'what is for one executor only gets lost where a request is passed on without an answer',
        {'parameters'},
        lambda case, post, ours: any_is_scoped(post)
        and (answer_was_passed_on(case, post, ours) or ours.status[0] != 0),
        own_parameters,
    ),
    Deviation(
        'a joiner that is passed by loses all branches but one',
        {'documents'},
        lambda case, post, _ours: passes_joins(case, post),
        lambda _post, theirs, ours: {doc['id'] for doc in theirs.documents} <= {doc['id'] for doc in ours.documents},
    ),
    Deviation(
        'lists that nobody touched are doubled where a request meets itself',
        {'documents'},
        lambda case, post, _ours: doubles(case, post),
        same_but('words'),
    ),
]


def unexplained(case: Case, post: Post, theirs: Answer, ours: Answer) -> dict:
    """The differences that there is no reason for."""
    different = theirs.differences(ours)
    reasons = [deviation for deviation in DEVIATIONS if deviation.applies(case, post, ours)]
    for deviation in reasons:
        if deviation.parts & {*different} and deviation.holds(post, theirs, ours):
            different = {part: pair for part, pair in different.items() if part not in deviation.parts}
    return different

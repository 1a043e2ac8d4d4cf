"""Graphs and requests to compare gateways with: many shapes, by chance, but the same ones each time."""

import random
from dataclasses import dataclass, field

START, END = 'start-gateway', 'end-gateway'

# Who is there to stand in a graph, and the endpoints each binds (workers.py).
WORKERS = {
    'anything': {'/default'},
    'spare': {'/default'},
    'both': {'/default', '/work'},
    'twin': {'/default', '/work'},
    'work': {'/work'},
    'extra': {'/work', '/extra'},
}

CONDITIONS = [
    {'n': {'$eq': 2}},
    {'n': {'$neq': 2}},
    {'n': {'$lt': 2}},
    {'n': {'$lte': 2}},
    {'n': {'$gt': 2}},
    {'n': {'$gte': 2}},
    {'n': {'$in': [0, 3]}},
    {'n': {'$nin': [0, 3]}},
    {'text': {'$regex': 'o'}},
    {'words': {'$size': 2}},
    {'n': {'$exists': True}},
    {'nowhere': {'$exists': False}},
    {'nowhere': {'$eq': 1}},
    {'n': {'$gte': 1, '$lte': 3}},
    {'n': {'$gt': 0}, 'flag': {'$eq': True}},
    {'$and': [{'n': {'$gt': 0}}, {'n': {'$lt': 3}}]},
    {'$or': [{'n': {'$eq': 0}}, {'text': {'$regex': '^t'}}]},
    {'$or': {'n': {'$eq': 0}, 'flag': {'$eq': True}}},
    {'$not': {'n': {'$eq': 1}}},
    {'counts__k': {'$gte': 2}},
    {'text': {'$eq': '{other}'}},
    {'n': {'$eq': 99}},
]


@dataclass
class Post:
    """A request."""

    endpoint: str = '/work'
    target: str = ''
    parameters: dict = field(default_factory=dict)

    def calls(self, name: str) -> bool:
        """Whether an executor is called, where the target is a plain beginning of names or several of them."""
        bound = WORKERS[name] & {self.endpoint, '/default'}
        return bool(bound) and (not self.target or any(map(name.startswith, self.target.split('|'))))


@dataclass
class Case:
    """A graph, and what is asked of it."""

    graph: dict
    conditions: dict = field(default_factory=dict)
    no_reduce: list = field(default_factory=list)
    posts: list = field(default_factory=list)

    def names(self) -> list:
        """All executors."""
        named = [*self.graph, *(name for after in self.graph.values() for name in after)]
        return [name for name in dict.fromkeys(named) if name not in (START, END)]

    def successors(self, name: str) -> list:
        """The executors after one."""
        return [after for after in self.graph.get(name, []) if after != END]

    def parts(self, name: str) -> list:
        """What an executor waits for, in the order in which it comes first to last in the graph."""
        return [before for before in self.order() if name in self.graph.get(before, [])]

    def order(self) -> list:
        """An executor follows all it needs; of those that could come next, the first depth-first does."""
        depth_first = []

        def walk(name):
            if name not in depth_first:
                depth_first.append(name)
                for after in self.successors(name):
                    walk(after)

        walk(START)
        order = []
        while len(order) < len(depth_first):
            order.append(next(name for name in depth_first if name not in order and self.before(name) <= {*order}))
        return order

    def before(self, name: str) -> set:
        """All that an executor needs."""
        return {before for before, after in self.graph.items() if name in after}

    def starts_with_jina(self) -> bool:
        """Whether Jina's gateway can start. It wants to know what documents each endpoint takes, looks at the first way
        through the graph from the last executor it could begin with, and fails if nobody there has that endpoint."""

        def first_way(name):
            after = self.graph[name][:1]
            return {name} if not after or after == [END] else {name} | first_way(after[0])

        way = first_way(self.graph[START][-1])
        everywhere = set().union(*(WORKERS[name] for name in self.order() if name != START))
        return everywhere == set().union(*(WORKERS[name] for name in way))

    def floating(self) -> set:
        """The executors that the answer does not wait for."""
        leads_out = {name for name, after in self.graph.items() if END in after}
        while more := {name for name, after in self.graph.items() if leads_out & {*after}} - leads_out:
            leads_out |= more
        return {*self.order()} - leads_out - {START}

    def answers(self) -> str:
        """Whose output is the answer."""

        def walk(name):
            for after in self.graph.get(name, []):
                found = name if after == END else walk(after)
                if found:
                    return found
            return None

        return walk(START)

    def origins(self, post: 'Post') -> dict:
        """Who made what each executor hands on."""
        made = {START: START}
        for name in self.order()[1:]:
            parts = {made[part] for part in self.parts(name)}
            made[name] = parts.pop() if len(parts) == 1 and not post.calls(name) else name
        return made

    def joins(self) -> list:
        """The executors with several parts."""
        return [name for name in self.order() if len(self.before(name)) > 1]


def edges(*chains: str) -> dict:
    """A graph from chains such as `a b c`; `start` and `end` are the gateway, and what ends in nothing floats."""
    graph = {}
    for chain in chains:
        names = [{'start': START, 'end': END}.get(name, name) for name in chain.split()]
        for before, after in zip(names, names[1:]):
            graph.setdefault(before, [])
            if after not in graph[before]:
                graph[before].append(after)
        if names[-1] != END:
            graph.setdefault(names[-1], [])
    return graph


# A letter stands for an executor.
SHAPES = {
    'single': ['start a end'],
    'chain of two': ['start a b end'],
    'chain of four': ['start a b c d end'],
    'join of two': ['start a c end', 'start b c'],
    'branches after one': ['start a b d end', 'a c d'],
    'join of three': ['start a d end', 'start b d', 'start c d'],
    'join of four': ['start a e end', 'start b e', 'start c e', 'start d e'],
    'join of a branch and the gateway': ['start a b end', 'start b'],
    'branches of different length': ['start a b d end', 'start c d'],
    'join of joins': ['start a c e end', 'start b c', 'start d e'],
    'join, then a chain': ['start a c d end', 'start b c'],
    'two diamonds': ['start a b d e f end', 'a c d', 'd f'],
    'floating at the start': ['start a b end', 'start c'],
    'floating in the middle': ['start a b end', 'a c'],
    'floating chain': ['start a b end', 'a c d'],
    'only floating': ['start a'],
    'two ways out': ['start a b end', 'a c end'],
    'out in the middle': ['start a b end', 'a end'],
}

TARGETS = ['', '', '', 'both', 'anything', 'work|extra', 'anything|both|twin', 'nobody']


def generate(seed: int) -> tuple:
    """One case, and its name."""
    chance = random.Random(seed)
    shape = list(SHAPES)[seed % len(SHAPES)]
    letters = sorted({name for chain in SHAPES[shape] for name in chain.split() if len(name) == 1})
    while True:
        names = dict(zip(letters, chance.sample(sorted(WORKERS), len(letters))))
        named = [' '.join(names.get(name, name) for name in chain.split()) for chain in SHAPES[shape]]
        case = Case(edges(*named))
        # The second cannot follow the first, because it does not bind all that the first does.
        if 'work' not in case.graph.get('extra', []) and case.starts_with_jina():
            break
    joins = case.joins()
    if chance.random() < 0.5:
        for name in chance.sample(sorted(names.values()), chance.randint(1, min(2, len(names)))):
            case.conditions[name] = chance.choice(CONDITIONS)
    if joins and chance.random() < 0.25:
        case.no_reduce.append(chance.choice(joins))
    case.posts.append(Post('/work'))
    for _ in range(3):
        target = chance.choice(TARGETS)
        post = Post(chance.choice(['/work', '/work', '/extra', '/default', '/elsewhere']), target)
        for name in chance.sample(sorted(names.values()), chance.randint(0, len(names))):
            what = chance.choice(['add', 'mark', 'erase', 'drop', 'tell', 'k'])
            post.parameters[f'{name}__{what}'] = chance.randint(1, 5)
        if chance.random() < 0.3:
            post.parameters[chance.choice(['k', 'tell', 'mark', '__private'])] = chance.randint(1, 5)
        if chance.random() < 0.2:
            post.parameters[f'{chance.choice(sorted(names.values()))}__fail'] = 1
        case.posts.append(post)
    return f'{seed}: {shape}', case

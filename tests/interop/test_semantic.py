"""examples/semantic-search: its encoder computes what numpy does, and its Flow finds passages by what they mean."""

import asyncio
import functools
import json
import os
import subprocess
import sys
from typing import List, Optional

import grpc
import numpy as np
import pytest
import yaml
from docarray import BaseDoc, DocList
from google.protobuf.json_format import ParseDict
from jina import Client
from jina.proto import jina_pb2

import minilm
from conftest import client
from encoder import Document, EmbeddedText, Text
from processes import BINARIES, HERE, children, free_port
from sentences import DOCUMENTS, QUESTIONS, TEXTS, WORDS

PROGRAM = BINARIES / 'semantic-search'
FLOW = HERE.parents[1] / 'examples/semantic-search/flow.yml'
# How far a number may be from ours: less than by the usual approximation of GELU.
CLOSE = 1e-5


class Kept(BaseDoc):
    """What `/index` and `/delete` of the Flow answer."""

    passages: int
    vectors: int
    title: Optional[str] = None


class Match(BaseDoc):
    """A passage that was found."""

    document: str
    uri: Optional[str] = None
    title: Optional[str] = None
    heading: str
    text: str
    start: int
    end: int
    score: float
    word_rank: Optional[int] = None
    meaning_rank: Optional[int] = None
    similarity: Optional[float] = None
    highlight: str
    marks: List[int]

    def place(self):
        """What two Flows must agree on."""
        numbers = {'score', 'similarity'}
        return {name: value for name, value in self.dict().items() if name not in numbers}


class Ranked(BaseDoc):
    """What `/search` of the Flow answers."""

    text: str
    total: int
    matches: List[Match]


@pytest.fixture(scope='module', autouse=True)
def environment():
    """What the Flow file and the programs look up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('MODEL_DIR', str(minilm.DIRECTORY))
        patch.setenv('JINA_PYTHON', sys.executable)
        yield


@pytest.fixture(scope='module')
def model():
    """Ours, in numpy."""
    return minilm.Model()


# === The encoder ===


@pytest.fixture(scope='module')
def wanted(model):
    """The vector of each text."""
    return {name: model.embed(text) for name, text in TEXTS.items()}


@pytest.fixture(scope='module', params=['as it is', 'a few tokens at once'])
def encoder(request, shared):
    """The encoder alone."""
    few = {} if request.param == 'as it is' else {'batch_tokens': 100}
    uses_with = json.dumps({'model_dir': str(minilm.DIRECTORY), **few})
    port = free_port()
    arguments = ['--uses', 'Encoder', '--uses-with', uses_with, '--host', '127.0.0.1', '--port', port]
    return shared.start('encoder', port, PROGRAM, 'executor', *arguments).wait_serving()


def asked() -> list[Text]:
    return [Text(id=name, text=text) for name, text in TEXTS.items()]


def check_vectors(answers, wanted):
    """Each text has its vector, of the right type."""
    assert [answer.id for answer in answers] == list(wanted)
    for answer in answers:
        assert answer.text == TEXTS[answer.id]
        assert (answer.embedding.dtype, answer.embedding.shape) == (np.float32, (384,))
    apart = {answer.id: float(np.abs(answer.embedding - wanted[answer.id]).max()) for answer in answers}
    assert {name: far for name, far in apart.items() if not far < CLOSE} == {}


def test_ours_computes_the_numbers_that_sentence_transformers_shows(model):
    first = model.embed('This is an example sentence')[:4]
    assert np.abs(first - [0.0676569, 0.0634959, 0.0487131, 0.0793049]).max() < 1e-6


def test_the_texts_reach_beyond_what_the_model_reads(model, wanted):
    assert len(TEXTS) == len({vector.tobytes() for vector in wanted.values()}) + 1, 'nothing is as good as spaces'
    endless = TEXTS['much too long']
    assert np.array_equal(model.embed(endless + ' And more.'), wanted['much too long'])
    assert not np.array_equal(model.embed(endless[:500]), wanted['much too long'])


def test_each_text_alone_has_its_vector(encoder, wanted):
    caller = client(encoder)
    answers = [caller.post('/search', DocList[Text]([doc]), return_type=DocList[EmbeddedText])[0] for doc in asked()]
    check_vectors(answers, wanted)


def test_all_texts_in_one_request_have_their_vectors(encoder, wanted):
    answers = client(encoder).post('/search', DocList[Text](asked()), return_type=DocList[EmbeddedText])
    check_vectors(answers, wanted)


def test_all_texts_in_requests_at_the_same_time_have_their_vectors(encoder, wanted):
    caller = Client(host='127.0.0.1', port=encoder.port, protocol='grpc', asyncio=True)

    async def one(doc):
        async for docs in caller.post('/search', DocList[Text]([doc]), return_type=DocList[EmbeddedText]):
            return docs[0]

    async def calls():
        return await asyncio.gather(*[one(doc) for doc in asked()])

    check_vectors(asyncio.run(calls()), wanted)


def refused(*arguments, **variables):
    """How the program ends, and what it says."""
    command = [str(word) for word in [PROGRAM, *arguments]]
    environment = {**os.environ, **variables}
    ended = subprocess.run(command, cwd=HERE, env=environment, capture_output=True, text=True, timeout=60)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.parametrize('missing', ['config.json', 'tokenizer.json', 'model.safetensors'])
def test_a_file_that_the_model_lacks_is_named(tmp_path, missing):
    for file in minilm.DIRECTORY.iterdir():
        if file.name != missing:
            (tmp_path / file.name).symlink_to(file)
    uses_with = json.dumps({'model_dir': str(tmp_path)})
    code, said = refused('executor', '--uses', 'Encoder', '--uses-with', uses_with, '--port', free_port())
    assert code > 0 and str(tmp_path / missing) in said, said


def test_a_flow_without_its_model_does_not_start(tmp_path):
    file = write_flow(tmp_path, free_port())
    code, said = refused('flow', '--uses', file, MODEL_DIR=str(tmp_path / 'none'))
    assert code > 0 and str(tmp_path / 'none' / 'config.json') in said, said


# === The Flow ===


def write_flow(directory, port, language='rust'):
    """The Flow file of the example, for a free port and a directory of its own, maybe with the encoder in Python."""
    flow = yaml.safe_load(FLOW.read_text())
    flow['with']['workspace'] = str(directory / 'space')
    flow['gateway'].update(host='127.0.0.1', port=port)
    executors = {executor['name']: executor for executor in flow['executors']}
    if language == 'python':
        executors['encoder']['uses'] = str(HERE / 'encoder.yml')
    file = directory / 'flow.yml'
    file.write_text(yaml.safe_dump(flow, sort_keys=False))
    return file


def start(stage, directory, language='rust'):
    """The Flow, serving."""
    directory.mkdir(exist_ok=True)
    port = free_port()
    file = write_flow(directory, port, language)
    return stage.start(f'flow-{language}', port, PROGRAM, 'flow', '--uses', file).wait_serving()


def index(flow, documents):
    docs = [Document(id=name, uri=f'file:///{name}', text=text) for name, text in documents.items()]
    return client(flow).post('/index', DocList[Document](docs), return_type=DocList[Kept])


def delete(flow, *names):
    docs = [BaseDoc(id=name) for name in names]
    return client(flow).post('/delete', DocList[BaseDoc](docs), return_type=DocList[Kept])


def search(flow, *questions, **parameters):
    """What is found for each question."""
    docs = DocList[Text]([Text(id=str(n), text=text) for n, text in enumerate(questions)])
    options = {'parameters': parameters} if parameters else {}
    answers = client(flow).post('/search', docs, return_type=DocList[Ranked], **options)
    assert answers.text == list(questions)
    return list(answers)


def ids(answer):
    return [match.id for match in answer.matches]


@pytest.fixture(scope='module')
def flows(shared):
    """The Flow with its own encoder, and the Flow with ours in Python, both with all documents."""
    both = [start(shared, shared.directory / language, language) for language in ['rust', 'python']]
    assert [len(children(flow)) for flow in both] == [0, 1], 'one of them runs Python'
    for flow in both:
        index(flow, DOCUMENTS)
    return both


@pytest.mark.parametrize('question', QUESTIONS)
def test_a_question_finds_the_passage_that_answers_it_in_other_words(flows, question):
    [answer] = search(flows[0], question)
    best = answer.matches[0]
    assert (best.id, best.word_rank, best.meaning_rank) == (QUESTIONS[question], None, 1)
    assert best.score == pytest.approx(1 / 61)
    assert answer.total == len(answer.matches) == 10
    assert [match.meaning_rank for match in answer.matches] == list(range(1, 11))


@pytest.mark.parametrize('words', WORDS)
def test_a_passage_that_has_the_words_and_means_them_comes_first(flows, words):
    [answer] = search(flows[0], words)
    best = answer.matches[0]
    assert (best.id, best.word_rank, best.meaning_rank) == (WORDS[words], 1, 1)
    assert best.score == pytest.approx(2 / 61)
    assert '<mark>' in best.highlight and len(best.marks) >= 2
    text = best.text.encode()
    marked = {text[a:b].decode().lower() for a, b in zip(best.marks[::2], best.marks[1::2])}
    assert marked <= set(words.lower().split()) and marked


def test_passages_say_where_they_are(flows):
    [answer] = search(flows[0], 'how do I stop the server?')
    best = answer.matches[0]
    assert (best.document, best.uri, best.title) == ('operations.md', 'file:///operations.md', 'Operations')
    assert best.heading == 'Operations > Ending'
    assert DOCUMENTS['operations.md'].encode()[best.start : best.end].decode() == best.text
    assert '<mark>' not in best.highlight and best.highlight.startswith('At SIGTERM')


def test_similarities_and_their_order_are_those_of_numpy(flows, model):
    questions = [*QUESTIONS, *WORDS]
    embed = functools.cache(model.embed)
    for question, answer in zip(questions, search(flows[0], *questions, limit=100), strict=True):
        near = sorted(answer.matches, key=lambda match: match.meaning_rank)
        assert len(near) > len(DOCUMENTS), 'all passages'
        in_context = [f'{match.heading}\n{match.text}' if match.heading else match.text for match in near]
        cosines = [float(embed(text) @ embed(question)) for text in in_context]
        assert [match.similarity for match in near] == pytest.approx(cosines, abs=CLOSE), question
        assert cosines == sorted(cosines, reverse=True), question


def test_both_encoders_make_the_same_flow(flows):
    questions = [*QUESTIONS, *WORDS, 'a question about all and nothing']
    rust, python = [search(flow, *questions, limit=20) for flow in flows]
    for ours, theirs in zip(rust, python, strict=True):
        assert [match.place() for match in ours.matches] == [match.place() for match in theirs.matches]
        for number in ['score', 'similarity']:
            numbers = [[getattr(match, number) for match in answer.matches] for answer in [ours, theirs]]
            assert numbers[0] == pytest.approx(numbers[1], abs=CLOSE)
        assert ours.total == theirs.total


def test_pages_follow_each_other(flows):
    question = 'how do I stop the server?'
    [whole] = search(flows[0], question, limit=6)
    pages = [search(flows[0], question, limit=2, offset=offset)[0] for offset in [0, 2, 4]]
    assert [name for page in pages for name in ids(page)] == ids(whole)
    assert [match.meaning_rank for page in pages for match in page.matches] == [1, 2, 3, 4, 5, 6]


def test_questions_without_ids_are_answered(flows):
    docs = [{'data': {'text': {'text': text}}} for text in ['orchestra', 'weather']]
    fields = {'header': {'execEndpoint': '/search'}, 'data': {'docs': {'docs': docs}}}
    request = ParseDict(fields, jina_pb2.DataRequestProto())
    with grpc.insecure_channel(f'127.0.0.1:{flows[0].port}') as channel:
        call = channel.unary_unary(
            '/jina.JinaSingleDataRequestRPC/process_single_data',
            request_serializer=jina_pb2.DataRequestProto.SerializeToString,
            response_deserializer=jina_pb2.DataRequestProto.FromString,
        )
        answer = call(request, timeout=20)
    assert answer.header.status.code == jina_pb2.StatusProto.SUCCESS, answer.header.status
    best = [ranked.matches[0].id for ranked in DocList[Ranked].from_protobuf(answer.data.docs)]
    assert best == ['music.txt#0', 'rain.txt#0']


def test_documents_are_kept_replaced_and_deleted(stage, tmp_path):
    flow = start(stage, tmp_path / 'flow')
    kept = index(flow, DOCUMENTS)
    assert {doc.id: (doc.passages, doc.vectors) for doc in kept} == {
        name: (2, 2) if name == 'operations.md' else (1, 1) for name in DOCUMENTS
    }
    assert {doc.id: doc.title for doc in kept}['operations.md'] == 'Operations'
    assert ids(search(flow, 'orchestra')[0])[0] == 'music.txt#0'

    index(flow, {'music.txt': 'Lava pours out of craters.', 'operations.md': '# Operations\n\nNothing is left.'})
    [orchestra, volcano, stop] = search(flow, 'orchestra', 'volcano', 'how do I stop the server?', limit=100)
    assert ids(volcano)[0] == 'music.txt#0' and volcano.matches[0].text == 'Lava pours out of craters.'
    assert ids(orchestra)[0] != 'music.txt#0'
    assert [match.text for match in stop.matches if match.document == 'operations.md'] == ['Nothing is left.']
    assert len(stop.matches) == len(DOCUMENTS)

    removed = delete(flow, 'music.txt', 'none.txt', 'bread.txt')
    assert [(doc.id, doc.passages, doc.vectors) for doc in removed] == [
        *[('music.txt', 1, 1), ('none.txt', 0, 0), ('bread.txt', 1, 1)],
    ]
    for answer in search(flow, 'volcano', 'yeast', limit=100):
        assert not {'music.txt', 'bread.txt'} & {match.document for match in answer.matches}
        assert len(answer.matches) == len(DOCUMENTS) - 2


def test_everything_is_found_again_after_a_crash_and_after_a_restart(stage, tmp_path):
    questions = [*QUESTIONS, *WORDS]
    flow = start(stage, tmp_path / 'flow')
    index(flow, DOCUMENTS)
    delete(flow, 'chess.txt')
    before = search(flow, *questions)
    flow.kill()
    crashed = start(stage, tmp_path / 'flow')
    assert search(crashed, *questions) == before
    index(crashed, {'chess.txt': DOCUMENTS['chess.txt']})
    before = search(crashed, *questions)
    crashed.terminate()
    assert crashed.wait() == 0
    assert search(start(stage, tmp_path / 'flow'), *questions) == before

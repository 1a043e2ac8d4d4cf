"""Texts of many kinds, to embed."""

TEXTS = {
    'a sentence': 'This is an example sentence',
    'a question': 'How do I stop the server?',
    'one word': 'gateway',
    'one letter': 'x',
    'nothing': '',
    'spaces only': ' \t\n  ',
    'in capitals': 'DO NOT SHOUT AT ME',
    'German': 'Größere Änderungen müssen überprüft werden, bevor man sie ausliefert – sonst wird’s ärgerlich.',
    'French': 'L’été dernier, nous avons dîné à l’hôtel près de la forêt.',
    'Chinese': '网关把请求转发给执行器,并合并它们的回答。',
    'Japanese': 'ゲートウェイはリクエストを転送します。',
    'Russian': 'Шлюз передаёт запросы исполнителям.',
    'Arabic': 'تقوم البوابة بتوجيه الطلبات',
    'emoji': 'Ship it 🚀🚀 and celebrate 🎉 with the family 👨‍👩‍👧‍👦',
    'combining accents': 'Cafe\u0301 cre\u0300me bru\u0302le\u0301e',
    'signs that are no text': 'a\u0000b\u200bc\ufffdd\u202ee',
    'numbers': '3.14159 1,000,000 0x7fff 2026-11-25T02:20:09Z 192.168.0.1:8080 -40°C',
    'Markdown': '# Stopping\n\n* press **Ctrl-C**, or\n* send `SIGTERM`; see [there](ops.md)\n\n> It drains.\n',
    'code': 'fn main() -> ExitCode {\n    let n: Vec<_> = (0..9).map(|i| i * 2).collect();\n    dbg!("{n:?}");\n}\n',
    'special tokens': '[CLS] what [MASK] is [SEP] this [PAD] [UNK]',
    'a word without end': 'pneumonoultramicroscopicsilicovolcanoconiosis' * 4,
    'a paragraph': 'A gateway takes requests of clients and asks executors. '
    'It knows the order in which they are asked, what they may be asked at once, and how their answers are joined. '
    'If an executor is lost, its requests fail, and others are asked from then on.',
    'just too long': 'word ' * 255,
    'much too long': ' '.join(f'Sentence {n} of a text that nobody reads to its end.' for n in range(200)),
}

# None of them has a word of the questions.
DOCUMENTS = {
    'operations.md': '# Operations\n\n## Ending\n\nAt SIGTERM a process drains: new calls are refused, those under way '
    'are finished, then it exits.\n\n## Memory\n\n'
    'Each worker gets at most so many bytes; beyond that, allocations fail.\n',
    'dogs.txt': 'Puppies need long walks, fresh water and much patience.',
    'bread.txt': 'Knead flour, yeast, salt and water, leave dough to rise overnight, then bake until golden.',
    'stars.txt': 'Galaxies hold billions of suns; telescopes gather their faint light.',
    'football.txt': 'Eleven players on each side try to score goals within ninety minutes.',
    'money.txt': 'Banks pay interest on savings and charge more for loans.',
    'medicine.txt': 'Aspirin lowers fever and relieves headaches.',
    'rain.txt': 'Clouds form where warm moist air cools; drops fall once they are heavy enough.',
    'trains.txt': 'Fast railways link major cities, with a departure every hour.',
    'music.txt': 'Violins, cellos and flutes follow their conductor through a symphony.',
    'garden.txt': 'Tomatoes like full sun, rich soil and regular watering.',
    'law.txt': 'A judge hears both parties, and a jury reaches its verdict.',
    'sea.txt': 'Whales cross oceans and sing to each other over great distances.',
    'chess.txt': 'Castling moves king and rook at once; checkmate ends play.',
    'tls.txt': 'Certificates prove identities, and encryption hides traffic from eavesdroppers.',
}

# The passage that answers each.
QUESTIONS = {
    'how do I stop the server?': 'operations.md#0',
    'what limits RAM?': 'operations.md#1',
    'my young pet': 'dogs.txt#0',
    'how is this loaf made?': 'bread.txt#0',
    'astronomy': 'stars.txt#0',
    'mortgage': 'money.txt#0',
    'painkillers': 'medicine.txt#0',
    'weather': 'rain.txt#0',
    'orchestra': 'music.txt#0',
    'growing vegetables': 'garden.txt#0',
    'secure connections': 'tls.txt#0',
}

# The passage that has the words and is about them.
WORDS = {
    'yeast dough': 'bread.txt#0',
    'SIGTERM': 'operations.md#0',
    'Castling king rook': 'chess.txt#0',
    'telescopes': 'stars.txt#0',
}

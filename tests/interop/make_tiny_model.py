"""Makes the model that the tests of examples/semantic-search load: of the kind of all-MiniLM-L6-v2, with 8 numbers in a
vector, weights drawn at random, and the vectors that `minilm` computes with them.

    python tests/interop/make_tiny_model.py examples/semantic-search/tests/tiny
"""

import json
import sys
from pathlib import Path

import minilm
import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WIDTH, INNER, LAYERS, HEADS, LENGTH = 8, 16, 2, 2, 12
WORDS = '[PAD] [UNK] [CLS] [SEP] the cat dog sat on mat ##s stop server how do i ? . , é 中'.split()
TEXTS = ['the cat sat on the mat.', 'Dogs', 'how do I stop the server?', '', ' ', 'unheard words', 'é中', 'the cat ' * 20]


def tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordPiece({word: n for n, word in enumerate(WORDS)}, unk_token='[UNK]'))
    made.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(('[SEP]', 3), ('[CLS]', 2))
    # Limits of its training, which are not those of the model.
    made.enable_truncation(5)
    made.enable_padding(length=5)
    return made


def weights() -> dict:
    random = np.random.default_rng(34)
    made = {}

    def draw(name, *shape):
        made[name] = random.normal(0, 0.3, shape).astype(np.float32)

    def linear(name, into, out):
        draw(f'{name}.weight', out, into)
        draw(f'{name}.bias', out)

    def norm(name):
        draw(f'{name}.weight', WIDTH)
        made[f'{name}.weight'] += 1
        draw(f'{name}.bias', WIDTH)

    draw('embeddings.word_embeddings.weight', len(WORDS), WIDTH)
    draw('embeddings.position_embeddings.weight', 16, WIDTH)
    draw('embeddings.token_type_embeddings.weight', 2, WIDTH)
    norm('embeddings.LayerNorm')
    for n in range(LAYERS):
        layer = f'encoder.layer.{n}'
        for kind in ['query', 'key', 'value']:
            linear(f'{layer}.attention.self.{kind}', WIDTH, WIDTH)
        linear(f'{layer}.attention.output.dense', WIDTH, WIDTH)
        norm(f'{layer}.attention.output.LayerNorm')
        linear(f'{layer}.intermediate.dense', WIDTH, INNER)
        linear(f'{layer}.output.dense', INNER, WIDTH)
        norm(f'{layer}.output.LayerNorm')
    return made


CONFIG = {
    'model_type': 'bert',
    'vocab_size': len(WORDS),
    'hidden_size': WIDTH,
    'num_hidden_layers': LAYERS,
    'num_attention_heads': HEADS,
    'intermediate_size': INNER,
    'hidden_act': 'gelu',
    'hidden_dropout_prob': 0.1,
    'max_position_embeddings': 16,
    'type_vocab_size': 2,
    'initializer_range': 0.02,
    'layer_norm_eps': 1e-12,
    'pad_token_id': 0,
}

MODULES = [
    {'idx': n, 'name': str(n), 'path': path, 'type': f'sentence_transformers.models.{kind}'}
    for n, (path, kind) in enumerate([('', 'Transformer'), ('1_Pooling', 'Pooling'), ('2_Normalize', 'Normalize')])
]

POOLING = {'word_embedding_dimension': WIDTH, 'pooling_mode_cls_token': False, 'pooling_mode_mean_tokens': True}


def main(directory: Path):
    def write(name: str, value):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + '\n')

    write('config.json', CONFIG)
    write('modules.json', MODULES)
    write('1_Pooling/config.json', POOLING)
    write('sentence_bert_config.json', {'max_seq_length': LENGTH, 'do_lower_case': False})
    tokenizer().save(str(directory / 'tokenizer.json'))
    save_file(weights(), directory / 'model.safetensors')
    model = minilm.Model(directory)
    write('expected.json', {text: [round(float(n), 6) for n in model.embed(text)] for text in TEXTS})


if __name__ == '__main__':
    main(Path(sys.argv[1]))

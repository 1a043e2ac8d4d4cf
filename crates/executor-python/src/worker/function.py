"""The functions of the executor."""

import inspect


class Unreadable(Exception):
    """Documents or parameters that do not fit; the function was not called."""


class Function:
    """A function of the executor, with all of it that is the same for each call."""

    def __init__(self, executor, function, batched):
        from docarray import DocList

        self.executor = executor
        self.fn = function.fn
        self.batched = batched
        self.is_coroutine = inspect.iscoroutinefunction(function.fn)
        self.one_by_one = not function.is_generator and not function.is_batch_docs
        single = function.is_generator or function.is_singleton_doc
        self.takes = DocList[function.request_schema] if single else function.request_schema
        self.schema = function.response_schema
        self.model = function.parameters_model if function.parameters_is_pydantic_model else None

    def arguments(self, given):
        given['tracing_context'] = None
        if self.model is not None:
            given['parameters'] = self.model(**given['parameters'])
        return given

    def call(self, given):
        given = self.arguments(given)
        if not self.one_by_one:
            return self.fn(self.executor, **given)
        docs, answers = given.pop('docs'), self.answers()
        for doc in docs:
            answer = self.fn(self.executor, doc=doc, **given)
            answers.append(doc if answer is None else answer)
        return answers

    async def wait(self, given):
        """The same for a coroutine."""
        given = self.arguments(given)
        if not self.one_by_one:
            return await self.fn(self.executor, **given)
        docs, answers = given.pop('docs'), self.answers()
        for doc in docs:
            answer = await self.fn(self.executor, doc=doc, **given)
            answers.append(doc if answer is None else answer)
        return answers

    def answers(self):
        from docarray import DocList

        return DocList[self.schema]()

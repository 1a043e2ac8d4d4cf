"""Makes this process a worker: its limits and signals, Jina, and the user's class."""

import json
import os
import platform
import select
import signal
import sys
import traceback


def unfit(stage, error, message=None):
    """Says why this process cannot be a worker, and ends it."""
    report = {
        'stage': stage,
        'error': message or f'{type(error).__name__}: {error}',
        'module': getattr(error, 'name', None) if isinstance(error, ImportError) else None,
        'traceback': '' if stage == 'environment' else ''.join(
            traceback.format_exception(type(error), error, error.__traceback__)
        ),
        'interpreter': sys.executable,
        'version': platform.python_version(),
    }
    connection.sendall(framed(UNFIT, 0, json.dumps(report).encode()))
    sys.stdout.flush()
    os._exit(0)


def watch_parent(connection):
    """Ends this process when the other end is gone, whatever the user's code does meanwhile."""
    gone = select.poll()
    gone.register(connection.fileno(), select.POLLRDHUP)
    gone.poll()
    os._exit(1)


def ignore_signals():
    """The parent says when it is time to end. Processes that the user's code forks are as they always are."""
    own = os.getpid()

    def received(number, _frame):
        if os.getpid() != own:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, received)
    signal.signal(signal.SIGINT, received)


def limit_memory(most):
    if most:
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def import_jina():
    try:
        import docarray
        import jina
        from jina._docarray import docarray_v2
    except Exception as error:
        unfit('environment', error)
    if not docarray_v2:
        error = ImportError(f'docarray {docarray.__version__} is too old: 0.30 or later is needed', name='docarray')
        unfit('environment', error, str(error))


def is_of_init(error, base):
    """Whether the executor's own `__init__` raised it."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(
        frame.f_code.co_name == '__init__' and isinstance(frame.f_locals.get('self'), base) for frame, _ in frames
    )


def load(setup):
    """The request handler of Jina with the executor in it."""
    from jina.logging.logger import JinaLogger
    from jina.parsers import set_pod_parser
    from jina.serve.executors import BaseExecutor
    from jina.serve.runtimes.worker.request_handling import WorkerRequestHandler

    args = set_pod_parser().parse_args([])
    for name, value in setup['args'].items():
        setattr(args, name, value)
    try:
        return WorkerRequestHandler(args, JinaLogger(args.name), deployment_name=args.name.split('/')[0])
    except Exception as error:
        unfit('executor' if is_of_init(error, BaseExecutor) else 'configuration', error)


def memoise_types():
    """docarray asks pydantic for the validator of a type anew for every value, which takes longer than to use it."""
    from docarray.utils._internal.pydantic import is_pydantic_v2

    if not is_pydantic_v2:
        return
    from pydantic import TypeAdapter

    adapters = {}

    def parse_obj_as(kind, value):
        adapter = adapters.get(kind)
        if adapter is None:
            adapter = adapters[kind] = TypeAdapter(kind)
        return adapter.validate_python(value)

    for name, module in list(sys.modules.items()):
        if name.startswith('docarray.typing.') and 'parse_obj_as' in vars(module):
            module.parse_obj_as = parse_obj_as

"""New code for the executor that runs, where its files change."""

import importlib
import os
import sys
import threading
import time

# How often files are looked at, in seconds.
PAUSE = 0.5


class Sources:
    """The `.py` files below the executor's folder, and those of `py_modules`, as they were when they were last seen."""

    def __init__(self, executor, py_modules):
        own = getattr(sys.modules.get(type(executor).__module__), '__file__', None)
        paths = set(py_modules or [])
        if own:
            paths.add(own)
            for folder, _, names in os.walk(os.path.dirname(os.path.abspath(own))):
                paths.update(os.path.join(folder, name) for name in names if name.endswith('.py'))
        self.seen = {path: self.look(path) for path in map(os.path.abspath, paths)}

    @staticmethod
    def look(path):
        try:
            about = os.stat(path)
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino

    def changed(self):
        """Files that are different from when this was asked last. One that is gone may be on its way to be written."""
        changed = []
        for path, seen in self.seen.items():
            now = self.look(path)
            if now is not None and now != seen:
                self.seen[path] = now
                changed.append(path)
        return changed

    def watch(self, tell):
        """Calls `tell` with what has changed, from a thread of its own."""

        def forever():
            while True:
                time.sleep(PAUSE)
                changed = self.changed()
                if changed:
                    tell(changed)

        threading.Thread(target=forever, daemon=True).start()


def reload_into(executor, changed):
    """Runs changed modules again and gives the executor its new class; what it holds stays, and so do its endpoints."""
    by_file = {}
    for module in list(sys.modules.values()):
        file = getattr(module, '__file__', None)
        if file:
            by_file[os.path.abspath(file)] = module
    own = sys.modules[type(executor).__module__]
    # The executor's own module last: it imports from the others.
    modules = [by_file[file] for file in changed if file in by_file and by_file[file] is not own]
    importlib.invalidate_caches()
    codes = []
    for module in [*modules, own]:
        # From the source: what is compiled is told apart by seconds.
        with open(module.__file__, encoding='utf-8') as file:
            codes.append((module, compile(file.read(), module.__file__, 'exec')))
    # A mistake in one of them must not leave the others new.
    for module, code in codes:
        exec(code, module.__dict__)
    names = {endpoint: function.fn.__name__ for endpoint, function in executor.requests.items()}
    executor.__class__ = getattr(own, type(executor).__name__)
    executor.requests.clear()
    executor._add_requests(names)

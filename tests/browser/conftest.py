"""What the tests have in common: Chromium, and a Flow whose pages it opens."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

from processes import Stage, is_healthy

CHROMIUM = os.environ['CHROMIUM']
# Where pictures of the pages are left for whoever wants to look at them.
PICTURES = Path(os.environ['FLOWGATE_PICTURES'])


@pytest.fixture(scope='session')
def chromium():
    """The browser. It runs without a sandbox of its own, which it does not have for root and in containers."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=['--no-sandbox', '--disable-dev-shm-usage'])
        yield browser
        browser.close()


@pytest.fixture(scope='session')
def gateway(tmp_path_factory):
    """Our gateway before Tools of the interop suite, with everything that has a page."""
    stage = Stage(tmp_path_factory.mktemp('stage'))
    executor = stage.executor('rust', 'Tools').wait_serving()
    options = {'title': 'Tools', 'expose_graphql_endpoint': True}
    yield stage.gateway('rust', executor, protocol='HTTP', **options).wait_serving(is_healthy)
    stage.close()


class Visit:
    """A page, and what came of opening it."""

    def __init__(self, page, base: str):
        self.page = page
        self.base = base
        # What was asked of others than the gateway, whether they answered or not, and was not kept from it.
        self.elsewhere = []
        self.errors = []
        self.refused = []
        page.on('response', lambda response: self.note(response.url))
        page.on('requestfailed', lambda request: self.note_failed(request))
        page.on('pageerror', lambda error: self.errors.append(str(error)))

    def note(self, url: str):
        """Notes where it went."""
        parts = urlsplit(url)
        if parts.scheme in ('http', 'https', 'ws', 'wss') and f'http://{parts.netloc}' != self.base:
            self.elsewhere.append(url)

    def note_failed(self, request):
        """Notes what did not work, of which that the page's policy refused never left the browser."""
        if request.failure == 'csp':
            self.refused.append(request.url)
        else:
            self.note(request.url)

    def open(self, path: str):
        """Opens a page of the gateway."""
        self.page.goto(self.base + path)

    def picture(self, name: str):
        """Takes a picture."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f'{name}.png')


@pytest.fixture
def visit(chromium, gateway):
    """A visitor of the gateway: nothing may come from elsewhere, and nothing may fail."""
    context = chromium.new_context(viewport={'width': 1280, 'height': 1400})
    context.set_default_timeout(30_000)
    visit = Visit(context.new_page(), f'http://127.0.0.1:{gateway.port}')
    yield visit
    context.close()
    assert visit.elsewhere == []
    assert visit.errors == []

"""The pages that are made of the OpenAPI document."""

import json

from playwright.sync_api import expect

LOGO = 'https://cdn.redoc.ly/redoc/logo-mini.svg'


def test_an_endpoint_is_tried_out_in_swagger_ui(visit):
    visit.open('/docs')
    endpoint = visit.page.locator('.opblock', has=visit.page.get_by_text('/upper', exact=True))
    endpoint.locator('.opblock-summary').click()
    endpoint.get_by_role('button', name='Try it out').click()
    endpoint.locator('textarea.body-param__text').fill(json.dumps({'data': [{'id': 'a', 'text': 'from a browser'}]}))
    endpoint.get_by_role('button', name='Execute').click()
    answer = endpoint.locator('.live-responses-table .response').first
    expect(answer.locator('.response-col_status')).to_contain_text('200')
    expect(answer.locator('.response-col_description')).to_contain_text('FROM A BROWSER')
    answer.scroll_into_view_if_needed()
    visit.picture('docs')


def test_every_endpoint_is_read_about_in_redoc(visit):
    visit.open('/redoc')
    expect(visit.page.locator('h1').first).to_contain_text('Tools')
    menu = visit.page.locator('.menu-content')
    for path in ['/upper', '/mixed', '/nested', '/tokens']:
        expect(menu.get_by_text(f'Endpoint {path}')).to_be_visible()
    menu.get_by_text('Endpoint /upper').click()
    sections = visit.page.locator('[id^="operation/"]')
    section = sections.filter(has=visit.page.get_by_role('heading', name='Endpoint /upper'))
    expect(section).to_contain_text('target_executor')
    visit.picture('redoc')
    # The search runs in a worker.
    visit.page.get_by_role('searchbox').or_(visit.page.get_by_placeholder('Search...')).fill('nested')
    expect(visit.page.locator('[data-role="search:results"]')).to_contain_text('/nested')
    # The one thing that its bundle would fetch.
    assert set(visit.refused) <= {LOGO}

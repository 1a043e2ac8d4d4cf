"""GraphiQL, on the address of GraphQL."""

from playwright.sync_api import expect


UNDERSTOOD = """
    query => {
        const editor = document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror;
        return editor.documentAST?.loc.source.body === query;
    }
"""


def run(visit, query: str):
    """Puts a query into the editor, which is no text area, and runs it."""
    editor = visit.page.locator('.graphiql-query-editor .CodeMirror')
    editor.evaluate('(editor, query) => editor.CodeMirror.setValue(query)', query)
    # GraphiQL reads what was written a moment later, and needs to know whether it is a subscription.
    visit.page.wait_for_function(UNDERSTOOD, arg=query)
    visit.page.get_by_role('button', name='Execute query').click()


def test_a_query_is_answered_and_its_types_are_documented(visit):
    visit.open('/graphql')
    visit.page.get_by_role('button', name='Show Documentation Explorer').click()
    explorer = visit.page.locator('.graphiql-doc-explorer')
    explorer.get_by_text('Query', exact=True).click()
    expect(explorer).to_contain_text('upper')
    expect(explorer).to_contain_text('TextInput')
    run(visit, '{ upper(data: [{id: "a", text: "from a browser"}]) { data { id text } } }')
    expect(visit.page.locator('.graphiql-response')).to_contain_text('FROM A BROWSER')
    visit.picture('graphiql')


def test_a_stream_is_subscribed_to(visit):
    visit.open('/graphql')
    run(visit, 'subscription { tokens(document: {text: "word"}) { text } }')
    expect(visit.page.locator('.graphiql-response')).to_contain_text('word 2')
    visit.picture('graphiql-subscription')


def test_mistakes_are_shown(visit):
    visit.open('/graphql')
    run(visit, '{ nobody }')
    expect(visit.page.locator('.graphiql-response')).to_contain_text('GRAPHQL_VALIDATION_FAILED')

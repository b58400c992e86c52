import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { EVENT_TYPES } from '@tenure/contract'
import { auditRoutes } from './audit-routes.ts'
import { keyRoutes } from './key-routes.ts'
import { faultsOfDocument, type OpenApiDocument } from './test-openapi.ts'
import { createTestServer, type TestServer } from './test-server.ts'

describe('the OpenAPI document', () => {
  let server: TestServer
  let document: OpenApiDocument
  before(async () => {
    server = await createTestServer({ routes: [keyRoutes, auditRoutes], docs: true })
    document = (await server.app.inject('/openapi.json')).json()
  })
  after(() => server.stop())

  it('is of version 3.1 and has no fault: ids, answers, security, and a class for every field', () => {
    assert.equal(document.openapi, '3.1.0')
    assert.deepEqual(faultsOfDocument(document), [])
  })

  it('would have faults if a route forgot something', () => {
    const broken = structuredClone(document) as OpenApiDocument
    const operation = broken.paths['/v1/api_keys']!['post']!
    delete operation.operationId
    operation.security = []
    delete operation.responses['4XX']
    const body = operation.requestBody!.content['application/json']!.schema as { properties: Record<string, Record<string, unknown>> }
    delete body.properties['name']!['x-field-class']
    assert.deepEqual(faultsOfDocument(broken).toSorted(), [
      'post /v1/api_keys asks for no key',
      'post /v1/api_keys has no operationId',
      'post /v1/api_keys names no 4XX',
      'post /v1/api_keys requestBody/name has no field class',
    ])
  })

  it('describes every event as a webhook, with its example', () => {
    assert.deepEqual(Object.keys(document.webhooks).toSorted(), [...EVENT_TYPES].toSorted())
    for (const type of EVENT_TYPES) {
      const content = document.webhooks[type]!.post.requestBody!.content['application/json']!
      assert.equal((content.example as { type: string }).type, type)
    }
  })

  it('offers the idempotency key on every POST below /v1', () => {
    const parameters = document.paths['/v1/api_keys']!['post']!.parameters ?? []
    assert.ok(parameters.some(({ name }) => name === 'Idempotency-Key'))
  })

  it('is shown at /docs without anything from outside', async () => {
    const page = await server.app.inject('/docs/')
    assert.equal(page.statusCode, 200)
    assert.match(String(page.headers['content-security-policy']), /connect-src 'self'/)
    assert.doesNotMatch(page.body, /(src|href)="https?:/)
    const [, script] = /src="([^"]+\.js)"/.exec(page.body) ?? []
    assert.ok(script)
    assert.equal((await server.app.inject(new URL(script, 'http://x/docs/').pathname)).statusCode, 200)
  })

  it('is not shown as pages when they are switched off', async () => {
    const plain = await createTestServer()
    try {
      assert.equal((await plain.app.inject('/docs/')).statusCode, 404)
      assert.equal((await plain.app.inject('/openapi.json')).statusCode, 200)
    } finally {
      await plain.stop()
    }
  })
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { findFreePort } from './free-port.ts'

describe('a free port', () => {
  it('is not the wanted one where somebody has it, and is where it was given back', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo

    const other = await findFreePort('127.0.0.1', port)
    await new Promise((resolve) => taken.close(resolve))

    assert.ok(other > port)
    assert.equal(await findFreePort('127.0.0.1', port), port)
  })

  it('is any where 0 is wanted', async () => {
    assert.ok((await findFreePort('127.0.0.1', 0)) > 0)
  })
})

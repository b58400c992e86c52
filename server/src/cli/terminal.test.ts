import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createProgress } from './progress.ts'
import { formatTable } from './table.ts'
import { createTerminal } from './terminal.ts'

function streams(isTTY: boolean) {
  const written = { out: '', err: '' }
  const into = (name: 'out' | 'err') => ({
    isTTY,
    columns: 80,
    write(text: string) {
      written[name] += text
    },
  })
  return { written, stdout: into('out'), stderr: into('err') }
}

describe('output', () => {
  it('has no colour without a terminal, and none where NO_COLOR is set', () => {
    const colour = (isTTY: boolean, env: Record<string, string>) => createTerminal({ ...streams(isTTY), env }).colors.red('x')

    assert.notEqual(colour(true, {}), 'x')
    assert.equal(colour(true, { NO_COLOR: '1' }), 'x')
    assert.equal(colour(false, {}), 'x')
  })

  it('lets no text of others steer the terminal', () => {
    const { written, ...both } = streams(true)
    const terminal = createTerminal({ ...both, env: {} })

    terminal.out(`a\u001b[2J\u001b]0;title\u0007b\r\u009b31mc ${terminal.colors.red('red')}`)

    assert.equal(written.out, 'a[2J]0;titleb31mc \u001b[31mred\u001b[39m\n')
  })
})

describe('progress', () => {
  const show = (isTTY: boolean, json: boolean) => {
    const { written, ...both } = streams(isTTY)
    const progress = createProgress(createTerminal({ ...both, json, env: {} }))
    for (const done of [0, 50, 100]) progress.update('Sending', done, 100)
    progress.update('Applying', 3, 3)
    progress.end()
    return written
  }

  it('is plain lines without a terminal: one when a stage begins, one when it ends', () => {
    assert.equal(show(false, false).err, 'Sending …\nSending 100 %  100 of 100\nApplying …\nApplying 100 %  3 of 3\n')
  })

  it('is a bar on a terminal, and leaves an empty line behind', () => {
    const { err, out } = show(true, false)

    assert.match(err, /█████/)
    assert.ok(err.endsWith('\r\u001b[2K'))
    assert.equal(out, '')
  })

  it('is silent with --json', () => {
    assert.deepEqual(show(true, true), { out: '', err: '' })
  })
})

describe('a table', () => {
  const columns = [
    { title: 'ID', value: ([id]: string[]) => id! },
    { title: 'URL', value: ([, url]: string[]) => url!, gives: true },
  ]

  it('fits the width by shortening the columns that give way, never an id', () => {
    const id = 'dlv_01a20a60cb9f752bb51bc3e2e2b94ee6'

    const lines = formatTable(columns, [[id, `https://${'x'.repeat(100)}.example`]], 80)

    assert.ok(lines.every((line) => line.length <= 80))
    assert.ok(lines[1]?.startsWith(`${id}  https://x`) && lines[1].endsWith('…'))
  })

  it('shortens nothing where the width is unlimited', () => {
    assert.match(formatTable(columns, [['a', 'x'.repeat(500)]], Number.POSITIVE_INFINITY)[1]!, /x{500}$/)
  })
})

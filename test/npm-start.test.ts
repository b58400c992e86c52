import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { freePort, REPO } from './proof/child.ts'
import { inFolder } from './proof/folder.ts'
import { waitUntil } from './proof/platform.ts'

describe('npm start', () => {
  it('makes a company, prints a curl that hires somebody, shows the delivery, and stops at Ctrl-C', { timeout: 120_000 }, async () => {
    await inFolder('dev', async (folder) => {
      const env = {
        ...process.env,
        TENURE_FOLDER: join(folder, 'tenure'),
        PORT: String(await freePort()),
        METRICS_PORT: '0',
        NO_COLOR: '1',
      }
      const child = spawn('npm', ['start'], { cwd: REPO, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
      const exited = once(child, 'exit')
      let shown = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (shown += part.toString()))
      try {
        await waitUntil(async () => shown.includes('Deliveries, live'), 90_000, `the card; shown so far: ${shown}`)
        const [, curl] = /^(curl [\s\S]*?\n)\n/m.exec(shown) ?? []
        assert.ok(curl, 'there is no curl in the card')
        const hired = spawn('bash', ['-c', curl.trim()], { stdio: ['ignore', 'pipe', 'ignore'] })
        const [answer] = (await once(hired.stdout, 'data')) as [Buffer]
        assert.match(answer.toString(), /"employee_id":"emp_/)
        await waitUntil(async () => /employment\.started .*payroll/.test(shown), 20_000, 'the delivery to be shown')
        const { url, key } = JSON.parse(await readFile(join(folder, 'tenure/cli.json'), 'utf8')) as { url: string; key: string }
        const people = await fetch(`${url}/v1/employees?limit=200`, { headers: { authorization: `Bearer ${key}` } })
        const { data } = (await people.json()) as { data: unknown[] }
        assert.ok(data.length >= 60, `${data.length} people`)
      } finally {
        process.kill(-child.pid!, 'SIGINT')
        await exited
      }
      assert.match(shown, /Stopping/)
      await assert.rejects(readFile(join(folder, 'tenure/postgres/postmaster.pid')), 'the database still runs')
    })
  })
})

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { employmentStarted } from '@tenure/contract'
import pg from 'pg'
import { buildEvent, signDelivery, testSecret } from './testing.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(join(ROOT, 'receiver/README.md'), 'utf8')
const blocks = [...README.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code)
const [plain = '', inPostgres = '', inExpress = '', inTests = ''] = blocks

const given = process.env.TEST_DATABASE_ADMIN
const secret = testSecret()
const event = buildEvent('employment.started', employmentStarted.example, { employee_id: 'emp_1', effective_date: '2026-09-01' })

describe('the README', () => {
  let folder = ''
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tenure-readme-'))
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    for (const [place, code] of blocks.entries()) writeFileSync(join(folder, `block-${place}.ts`), code)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** Runs a block as a program of its own, sends it an event, and says what came back and what it printed. */
  async function receive(code: string, env: Record<string, string> = {}): Promise<{ answers: string[]; printed: string }> {
    const port = await freePort()
    const file = join(folder, `block-${blocks.indexOf(code)}.ts`)
    const program = spawn(process.execPath, [file], { env: { ...process.env, TENURE_SECRET: secret, PORT: String(port), ...env } })
    let printed = ''
    for (const stream of [program.stdout, program.stderr]) stream.on('data', (chunk) => (printed += chunk))
    try {
      const answers: string[] = []
      for (const [name, signedWith] of Object.entries({ first: secret, second: secret, forged: testSecret() })) {
        const response = await post(`http://127.0.0.1:${port}/webhooks`, await signDelivery(event, { secret: signedWith }), program)
        answers.push(`${name} ${response.status} ${response.status === 200 ? await response.text() : ''}`.trim())
      }
      return { answers, printed }
    } finally {
      program.kill()
    }
  }

  it('holds four programs that compile under strict', () => {
    assert.equal(blocks.length, 4)
    const config = {
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: { typeRoots: [join(ROOT, 'node_modules/@types')] },
      include: ['*.ts'],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))

    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript-7/bin/tsc'), '-p', folder], { stdio: 'pipe', encoding: 'utf8' })
  })

  it('opens with a receiver of six lines that works', async () => {
    const { answers, printed } = await receive(plain)

    assert.equal(plain.split('\n').filter((line) => line.trim() !== '').length, 6)
    assert.deepEqual(answers, ['first 200 {"handled":true}', 'second 200 {"handled":true}', 'forged 400'])
    assert.match(printed, /emp_1 starts on 2026-09-01/)
  })

  it('shows an inbox that makes one record of two deliveries', {
    skip: given ? false : 'TEST_DATABASE_ADMIN names no PostgreSQL',
  }, async () => {
    const admin: pg.ClientConfig = JSON.parse(given ?? '{}')
    const database = `readme_${randomBytes(6).toString('hex')}`
    await query(admin, `create database ${database}`)
    try {
      await query({ ...admin, database }, 'create table payroll_record (employee_id text not null)')
      const { user, host = '', port, password } = admin
      const url = `postgresql://${user}:${password ?? ''}@/${database}?host=${encodeURIComponent(host)}&port=${port}`

      const { answers, printed } = await receive(inPostgres, { DATABASE_URL: url })

      assert.deepEqual(answers, ['first 200 {"handled":true}', 'second 200 {"duplicate":true}', 'forged 400'], printed)
      assert.deepEqual(await query({ ...admin, database }, 'select employee_id from payroll_record'), [{ employee_id: 'emp_1' }])
    } finally {
      await query(admin, `drop database if exists ${database}`)
    }
  })

  it('mounts it in Express so that it works', async () => {
    const { answers, printed } = await receive(inExpress)

    assert.deepEqual(answers, ['first 200 {"handled":true}', 'second 200 {"handled":true}', 'forged 400'])
    assert.match(printed, /employment\.started/)
  })

  it('shows a test that passes', () => {
    execFileSync(process.execPath, [join(folder, `block-${blocks.indexOf(inTests)}.ts`)], { stdio: 'pipe' })
  })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Waits until the program listens, for 20 s at most or until it has ended. */
async function post(url: string, { headers, body }: Awaited<ReturnType<typeof signDelivery>>, program: ChildProcess): Promise<Response> {
  for (let tries = 0; ; tries++) {
    try {
      return await fetch(url, { method: 'POST', headers, body })
    } catch (error) {
      if (tries === 400 || program.exitCode !== null) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function query(config: pg.ClientConfig, statement: string): Promise<unknown[]> {
  const client = new pg.Client(config)
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

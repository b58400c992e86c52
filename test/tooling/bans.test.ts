import assert from 'node:assert'
import { describe, it } from 'node:test'
import { banFaultsIn } from '../../tools/bans.ts'

type Case = readonly [code: string, path?: string]

const SLICE = 'server/src/people/hire-employee.ts'

const REFUSED: Readonly<Record<string, readonly Case[]>> = {
  clock: [['Date.now()'], ['new Date()'], ['globalThis.Date.now()'], ['Date()'], ['new Date()', 'server/src/app.ts']],
  chance: [['Math.random()']],
  timer: [['setTimeout(f, 1)'], ['globalThis.setInterval(f, 1)'], ["import { setTimeout } from 'node:timers'"], ['setImmediate(f)']],
  egress: [
    ['await fetch(url)'],
    ['globalThis.fetch(url)'],
    ["import { request } from 'undici'"],
    ["await import('undici')"],
    ["export { request } from 'undici'"],
    ["import http from 'node:http'\nhttp.request(url)"],
    ["import * as https from 'https'\nhttps.get(url)"],
    ["import { connect } from 'node:net'"],
    ["import { createConnection as open } from 'node:net'"],
    ["import net from 'node:net'\nnew net.Socket()"],
    ["await import('node:tls')"],
    ['new WebSocket(url)'],
    ['fetch(url)', 'server/src/delivery/dispatch.ts'],
    ['fetch(url)', 'receiver/src/receiver.ts'],
    ['const send = ({ fetch }) => fetch(url)\nfetch(url)'],
  ],
  environment: [
    ['process.env.HOME'],
    ["process['env']"],
    ['globalThis.process.env'],
    ["import { env } from 'node:process'"],
    ['process.env', 'contract/src/a.ts'],
  ],
  'database-door': [["import pg from 'pg'"], ["import { Pool } from 'pg'"], ["await import('pg')"]],
  'sql-values': [
    ['tx.query(`select ${name}`)'],
    ["tx.query('select ' + name)"],
    ['tx.query({ text: `select ${name}` })'],
    ['sql.raw(`select ${name}`)'],
    ['pool.query(`select ${name}`)', 'examples/payroll/src/store.ts'],
    ['tx.query(`select ${name}`)', 'server/src/database/roles.ts'],
  ],
}

const ALLOWED: Readonly<Record<string, readonly Case[]>> = {
  clock: [
    ['new Date(text)'],
    ['now()'],
    ['Date.now()', 'server/src/kit/clock.ts'],
    ['// Date.now()'],
    ["'Date.now()'"],
    ['Date.now()', 'bench/a.ts'],
  ],
  chance: [
    ['Math.random()', 'server/src/kit/poll.ts'],
    ['Math.random()', 'server/src/people/hire-employee.test.ts'],
  ],
  timer: [["import { setTimeout as sleep } from 'node:timers/promises'\nawait sleep(1)"]],
  egress: [
    ['fetch(url)', 'server/src/delivery/egress/send.ts'],
    ['fetch(url)', 'server/src/cli/hire.ts'],
    ["import { request } from 'undici'", 'server/src/delivery/egress/send.ts'],
    ["import { createServer } from 'node:http'"],
    ["import type { Dispatcher } from 'undici'"],
    ["import { type Socket, isIP } from 'node:net'"],
    ['const send = ({ fetch }) => fetch(url)'],
    ['cache.fetch(url)'],
  ],
  environment: [['process.env', 'server/src/config.ts'], ['process.env.HOME', 'server/src/cli/main.ts'], ['child.env']],
  'database-door': [
    ["import pg from 'pg'", 'server/src/database/pool.ts'],
    ["import type { Pool } from 'pg'"],
    ["import pg from 'pg'", 'examples/payroll/src/store.ts'],
  ],
  'sql-values': [
    ['tx.query(`select ${COLUMNS}`)'],
    ["tx.query('select $1', [name])"],
    ['sql`select ${name}`'],
    ['tx.query(`set role ${quoteIdentifier(role)}`)'],
    ['// allow(sql-values): the id has just been checked.\ntx.query(`select ${id}`)'],
  ],
}

const named = (ban: string, [code, path = SLICE]: Case) => banFaultsIn(path, code).filter((fault) => fault.includes(` ${ban}: `))

describe('bans', () => {
  for (const [ban, cases] of Object.entries(REFUSED)) {
    for (const one of cases) {
      it(`refuses ${JSON.stringify(one[0])} in ${one[1] ?? SLICE} (${ban})`, () => assert.notDeepEqual(named(ban, one), []))
    }
  }

  for (const [ban, cases] of Object.entries(ALLOWED)) {
    for (const one of cases) {
      it(`allows ${JSON.stringify(one[0])} in ${one[1] ?? SLICE} (${ban})`, () => assert.deepEqual(named(ban, one), []))
    }
  }

  it('names the line and how to mend it', () => {
    assert.deepEqual(banFaultsIn(SLICE, '\n\nDate.now()'), [`${SLICE}:3 clock: take a Clock as an argument (server/src/kit/clock.ts)`])
  })

  it('takes no exception without the name of the ban and a reason', () => {
    assert.equal(banFaultsIn(SLICE, '// allow(timer): other\nDate.now()').length, 1)
    assert.equal(banFaultsIn(SLICE, '// allow(clock)\nDate.now()').length, 1)
  })
})

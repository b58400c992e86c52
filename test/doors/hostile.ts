type Json = Readonly<Record<string, unknown>>

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`

/** Bodies that no operation could take, with their names. */
export function hostileBodies(canary: string): [name: string, body: string | Uint8Array][] {
  return [
    ['10 MB', Buffer.alloc(10_000_000, 0x20)],
    ['10,000 deep', nested(10_000)],
    ['100,000 open lists', '['.repeat(100_000)],
    ['half a body', `{"name":"${canary}`],
    ['__proto__', `{"__proto__":{"scopes":["${canary}"]}}`],
    ['constructor.prototype', `{"constructor":{"prototype":{"x":"${canary}"}}}`],
    ['not UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d])],
    ['a NUL', `{"name":"${canary}\\u0000"}`],
    ['half a surrogate pair', `{"name":"${canary}\\ud800"}`],
    ['a name that is a NUL', `{"\\u0000":"${canary}"}`],
    ['UTF-16', Buffer.from('{"name":"x"}', 'utf16le')],
    ['XML', `<?xml version="1.0"?><x>${canary}</x>`],
  ]
}

/** Text that has broken something somewhere. */
export const TEXTS = (canary: string): string[] => [
  '',
  ' ',
  `${canary}\u0000`,
  `'; drop table employee; -- ${canary}`,
  `' or '1'='1`,
  `\\'; select set_config('tenure.tenant_id', 'ten_x', false) --`,
  '%00',
  '$1',
  '{}',
  'null',
  'true',
  '-1',
  '1e999',
  '99999999999999999999',
  '0x10',
  '2026-02-30',
  '0000-01-01',
  '9999-12-31',
  '2026-12-31T23:59:60Z',
  '9999-12-31T23:59:59-23:59',
  '../../etc/passwd',
  'http://169.254.169.254/latest',
  `line\r\nset-cookie: ${canary}`,
  '<script>alert(1)</script>',
  '=cmd|calc!A0',
  '\u202egnp.exe',
  '\uffff',
  '😀'.repeat(40),
  canary.repeat(20),
  'emp_0000000000000000000000',
  'Europe/../UTC',
]

export const LISTS = ['[]', '[null]', '[[]]', '["a","b"]', '[1e300]', '[9007199254740993]', '[-1,"x"]', '[8640000000000001,"x"]']

/** The body with one field after another replaced by what does not belong there, left out, or given a neighbour. */
export function mutations(body: Json, canary: string): [name: string, body: unknown][] {
  const values: unknown[] = [
    ...TEXTS(canary),
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    Number.MAX_SAFE_INTEGER + 1,
    [],
    {},
    [null],
    { [`${canary} x`]: canary },
    Array.from({ length: 5_000 }, () => canary),
    'x'.repeat(20_000),
  ]
  const places = pathsOf(body)
  return places.flatMap((path): [string, unknown][] => [
    ...values.map((value): [string, unknown] => [
      `${path.join('.')} = ${JSON.stringify(value).slice(0, 60)}`,
      replaced(body, path, () => value),
    ]),
    [`${path.join('.')} left out`, replaced(body, path, () => undefined)],
    [`${path.join('.')} with a neighbour`, replaced(body, [...path.slice(0, -1), 'tenant_id'], () => canary)],
  ])
}

type Path = readonly (string | number)[]

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return at.length > 0 ? [at] : []
  const below = Object.entries(value).flatMap(([name, field]) => pathsOf(field, [...at, Array.isArray(value) ? Number(name) : name]))
  return at.length > 0 ? [at, ...below] : below
}

function replaced(value: unknown, [step, ...rest]: Path, by: () => unknown): unknown {
  if (step === undefined) return by()
  if (Array.isArray(value)) return value.map((one, index) => (index === step ? replaced(one, rest, by) : one))
  return { ...(value as Json), [step]: replaced((value as Json)[step], rest, by) }
}

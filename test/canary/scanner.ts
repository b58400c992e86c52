import type { Canary } from './canaries.ts'

export type Hit = { readonly canary: Canary; readonly encoding: string }

/** The forms in which a value can lie around: what a search of bytes, of a dump or of a log would have to look for. */
export function encodingsOf(value: string): readonly (readonly [encoding: string, needle: string])[] {
  const bytes = Buffer.from(value)
  const forms: [string, string][] = [
    ['plain', value],
    ['lower case', value.toLowerCase()],
    ['hex', bytes.toString('hex')],
    ['UTF-16LE in hex', Buffer.from(value, 'utf16le').toString('hex')],
    ['URL', encodeURIComponent(value)],
    ['JSON escapes', [...value].map((one) => (one < '\x7f' ? one : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)).join('')],
    ...[0, 1, 2].flatMap((phase): [string, string][] => [
      [`base64, phase ${phase}`, base64At(bytes, phase)],
      [`base64url, phase ${phase}`, base64At(bytes, phase).replaceAll('+', '-').replaceAll('/', '_')],
    ]),
  ]
  // Digits without their dashes are any number: only text is looked for in this form.
  if (!/^[\d-]+$/.test(value)) forms.push(['without dashes', value.replaceAll('-', '')])
  return forms
}

/** The characters that the value makes in base64 when it begins `phase` bytes into a group of three, whatever stands around it. */
function base64At(bytes: Buffer, phase: number): string {
  const text = Buffer.concat([Buffer.alloc(phase), bytes]).toString('base64')
  return text.slice(Math.ceil((phase * 8) / 6), Math.floor(((phase + bytes.length) * 8) / 6))
}

const HEAD = 8

export type Scanner = {
  readonly needles: number
  scan(text: string): Hit[]
}

/** Looks for all forms of all canaries in one pass: needles are found by their first eight characters. */
export function createScanner(canaries: readonly Canary[]): Scanner {
  const byHead = new Map<string, { needle: string; hit: Hit }[]>()
  const maybe = new Uint8Array(1 << 16)
  let needles = 0
  for (const canary of canaries) {
    const seen = new Set<string>()
    for (const [encoding, needle] of encodingsOf(canary.value)) {
      if (seen.has(needle)) continue
      seen.add(needle)
      if (needle.length < HEAD) throw new Error(`A canary of ${canary.field} is too short to be told from chance.`)
      needles++
      const head = needle.slice(0, HEAD)
      const known = byHead.get(head)
      if (known) known.push({ needle, hit: { canary, encoding } })
      else byHead.set(head, [{ needle, hit: { canary, encoding } }])
      maybe[fold(needle, 0)] = 1
    }
  }
  return {
    needles,
    scan(text) {
      const hits: Hit[] = []
      for (let at = 0; at <= text.length - HEAD; at++) {
        if (!maybe[fold(text, at)]) continue
        const found = byHead.get(text.slice(at, at + HEAD))
        for (const { needle, hit } of found ?? []) if (text.startsWith(needle, at)) hits.push(hit)
      }
      return hits
    },
  }
}

/** Sixteen bits of the first four characters: most positions are passed over without making a string. */
function fold(text: string, at: number): number {
  return ((text.charCodeAt(at) * 31 + text.charCodeAt(at + 1)) * 31 + text.charCodeAt(at + 2) * 7 + text.charCodeAt(at + 3) * 1021) & 0xffff
}

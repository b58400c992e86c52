import { createHash } from 'node:crypto'
import type { Effect } from './read-reconciliation.ts'
import type { PayrollRecord } from './read-records.ts'

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d5d9e0, #3a3f48); --soft: light-dark(#5a6270, #a3abb8) }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem }
h1 { font-size: 1.4rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p { color: var(--soft); margin: .25rem 0 }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem .4rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { color: var(--soft); font-weight: 500 }
.amount { font-variant-numeric: tabular-nums }
@media (max-width: 40rem) {
  thead { position: absolute; clip-path: inset(50%); height: 1px; overflow: hidden; width: 1px }
  tr { border-bottom: 1px solid var(--line); display: block; padding: .5rem 0 }
  td { border: 0; display: grid; gap: .5rem; grid-template-columns: 6.5rem 1fr; padding: .1rem 0 }
  td::before { color: var(--soft); content: attr(data-label) }
}`

/** The page's own style and nothing else: no script runs, whatever somebody is called. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

export type Page = {
  readonly asOf: string
  readonly records: readonly PayrollRecord[]
  readonly next: string | null
  readonly totals: { readonly open: number; readonly closed: number }
  readonly effects: readonly Effect[]
}

export function renderPage({ asOf, records, next, totals, effects }: Page): string {
  const more = next ? `<p><a href="/?after=${escapeHtml(next)}">Next page</a></p>` : ''
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Payroll</title><style>${STYLE}</style></head>
<body>
<main>
<h1>Payroll</h1>
<p>${totals.open} open and ${totals.closed} closed records. Pay as of ${escapeHtml(asOf)}.</p>
<h2>Records</h2>
${table(['Employee', 'Number', 'Title', 'Pay', 'From', 'Until', 'Tax', 'Status'], records.map(recordRow), 'No records yet. The first employment.started opens one.')}
${more}
<h2>Last events</h2>
${table(['Time', 'Event', 'Employee', 'Sequence', 'Outcome'], effects.map(effectRow), 'No events yet.')}
</main>
</body>
</html>
`
}

function recordRow({ employment_id, employee_id, employee_number, name, assignments, compensation, ...record }: PayrollRecord): string[] {
  const { country, form } = record.tax_profile
  return [
    `<a href="/records/${escapeHtml(employment_id)}">${escapeHtml(name ?? employee_id)}</a>`,
    escapeHtml(employee_number),
    escapeHtml(assignments.map(({ title }) => title ?? '').join(', ')),
    `<span class="amount">${compensation.flatMap(({ components }) => components.map(componentText)).join('<br>')}</span>`,
    escapeHtml(record.start_date),
    escapeHtml(record.end_date),
    escapeHtml([country, form].filter(Boolean).join(' ')),
    escapeHtml(record.status),
  ]
}

function componentText({ kind, amount, currency, period }: PayrollRecord['compensation'][number]['components'][number]): string {
  return escapeHtml(`${amount} ${currency} per ${period.replaceAll('_', ' ')}${kind === 'base' ? '' : ` (${kind.replaceAll('_', ' ')})`}`)
}

function effectRow({ received_at, type, employee_id, sequence, outcome }: Effect): string[] {
  return [received_at.toISOString().slice(0, 19).replace('T', ' '), type, employee_id, sequence, outcome].map(escapeHtml)
}

/** Cells are HTML already. */
function table(labels: readonly string[], rows: readonly (readonly string[])[], whenEmpty: string): string {
  if (rows.length === 0) return `<p>${whenEmpty}</p>`
  const head = labels.map((label) => `<th scope="col">${label}</th>`).join('')
  const body = rows.map((cells) => `<tr>${cells.map((cell, index) => `<td data-label="${labels[index]}">${cell}</td>`).join('')}</tr>`)
  return `<table><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table>`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeHtml(text: string | null): string {
  return (text ?? '').replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}

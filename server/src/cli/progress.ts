import type { Terminal } from './terminal.ts'

/** Shows how far long work has come. Ends the line it drew when `end` is called, in any case. */
export type Progress = {
  update(label: string, done: number, total: number): void
  end(): void
}

const BAR = 24

/** A bar that is redrawn on a terminal; elsewhere a plain line for each stage at its begin and its end; nothing with --json. */
export function createProgress({ json, interactive, err }: Pick<Terminal, 'json' | 'interactive' | 'err'>): Progress {
  if (json) return { update() {}, end() {} }
  return interactive ? drawnProgress(err) : plainProgress(err)
}

function drawnProgress(err: Terminal['err']): Progress {
  let shown = ''
  return {
    update(label, done, total) {
      const share = total > 0 ? Math.min(1, done / total) : 0
      const filled = Math.round(share * BAR)
      const line = `${label.padEnd(12)} ${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${counts(done, total)}`
      if (line === shown) return
      shown = line
      err.write(`\r\u001b[2K${line}`)
    },
    end() {
      if (shown) err.write('\r\u001b[2K')
      shown = ''
    },
  }
}

function plainProgress(err: Terminal['err']): Progress {
  let stage: { label: string; line: string } | undefined
  const finish = () => {
    if (stage) err.write(`${stage.line}\n`)
    stage = undefined
  }
  return {
    update(label, done, total) {
      if (stage?.label !== label) {
        finish()
        err.write(`${label} …\n`)
      }
      stage = { label, line: `${label} ${counts(done, total)}` }
    },
    end: finish,
  }
}

function counts(done: number, total: number): string {
  return total > 0 ? `${Math.floor(Math.min(1, done / total) * 100)} %  ${grouped(done)} of ${grouped(total)}` : grouped(done)
}

function grouped(number: number): string {
  return number.toLocaleString('en-US')
}

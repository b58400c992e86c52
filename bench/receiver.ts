import { fork } from 'node:child_process'
import { once } from 'node:events'

export type Report = {
  readonly received: number
  readonly bytes: number
  readonly first: number
  readonly last: number
  readonly arrivals: Record<string, number>
  readonly sample?: { readonly headers: Record<string, string>; readonly body: string }
}

export type BenchReceiver = {
  readonly url: string
  /** How many have arrived: the question to ask while it works, where the report itself would be a load. */
  count(): Promise<number>
  report(): Promise<Report>
  reset(): Promise<void>
  stop(): Promise<void>
}

/** Starts the receiver of the benchmarks in a process of its own, as a receiving system would be. */
export async function startReceiver(): Promise<BenchReceiver> {
  const child = fork(new URL('./receiver-process.ts', import.meta.url), { execPath: process.execPath })
  const ask = async <Answer>(question: string): Promise<Answer> => {
    const answered = once(child, 'message')
    child.send(question)
    const [answer] = await answered
    return answer as Answer
  }
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    count: () => ask<number>('count'),
    report: () => ask<Report>('report'),
    reset: () => ask('reset'),
    async stop() {
      const exited = once(child, 'exit')
      child.kill()
      await exited
    },
  }
}

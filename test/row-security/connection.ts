import type { asAdmin } from '../../server/src/database/test-database.ts'

/** One connection to PostgreSQL, as a test holds it. */
export type Connection = Parameters<Parameters<typeof asAdmin>[1]>[0]

/** Runs a COPY … TO STDOUT and answers its text. The driver itself drops the lines. */
export async function copyOut(client: Connection, text: string): Promise<string> {
  const chunks: Buffer[] = []
  const { connection } = client as unknown as { connection: NodeJS.EventEmitter }
  const keep = ({ chunk }: { chunk: Buffer }) => chunks.push(Buffer.from(chunk))
  connection.on('copyData', keep)
  try {
    await client.query(text)
  } finally {
    connection.off('copyData', keep)
  }
  return Buffer.concat(chunks).toString()
}

import { publicField } from '@tenure/contract'
import Type, { type Static, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { defineProblem } from '../kit/problem.ts'

const cursorNotValid = defineProblem('cursor-not-valid', 422, 'The cursor is not one that this list gave out.')

const MAX_LIMIT = 200
const DEFAULT_LIMIT = 50

/** The two query fields of every list. Spread them into the schema of a list that has filters too. */
export const pageFields = {
  limit: Type.Optional(
    publicField(Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT, description: 'How many to return at most.' })),
  ),
  cursor: Type.Optional(
    publicField(Type.String({ minLength: 1, maxLength: 1_000, description: 'Where to go on: the `next_cursor` of the page before.' })),
  ),
}

export const PageQuery = Type.Object(pageFields, { additionalProperties: false })
export type PageQuery = Static<typeof PageQuery>

/** A page of a list, as it is answered. */
export function page<Item extends TSchema>(item: Item) {
  const nextCursor = Type.Union([Type.String(), Type.Null()], { description: 'Null on the last page.' })
  return Type.Object({ data: Type.Array(item), next_cursor: publicField(nextCursor) }, { additionalProperties: false })
}

export type Page<Item> = { data: Item[]; next_cursor: string | null }

/** The limit of a request, as `limit` rows to show; ask the database for one more, to know whether another page follows. */
export function limitOf({ limit }: PageQuery): number {
  return limit ?? DEFAULT_LIMIT
}

/** Cuts `limit + 1` rows down to a page; `position` names the place of a row in the order of the list. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  position: (row: Row) => CursorPosition,
  show: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const more = rows.length > limit && last !== undefined
  return { data: shown.map(show), next_cursor: more ? encodeCursor(position(last)) : null }
}

/** The values of the columns by which a list is ordered; they must name one row alone, and survive JSON unchanged. */
export type CursorPosition = readonly (string | number | null)[]

export function encodeCursor(position: CursorPosition): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url')
}

/** Reads a cursor that has to fit `shape` (a `Type.Tuple`), so that one of another list or of somebody's making is refused. */
export function decodeCursor<Shape extends TSchema>(cursor: string | undefined, shape: Shape): Static<Shape> | undefined {
  if (cursor === undefined) return undefined
  const position = parse(Buffer.from(cursor, 'base64url').toString())
  if (Value.Check(shape, position)) return position
  throw cursorNotValid({
    errors: [
      {
        pointer: '/query/cursor',
        message: 'is not a cursor of this list',
        mend: 'Leave it out to begin again, or send the `next_cursor` unchanged.',
      },
    ],
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

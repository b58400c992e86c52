export type Generator = {
  /** What it makes, in a few words. */
  readonly makes: string
  readonly script: string
}

/**
 * What is generated and committed. Each script writes its files and, given `--check`, writes nothing and exits with 1
 * when a file is not what it would write. A new generator is a line here.
 */
export const GENERATORS: readonly Generator[] = [
  { makes: 'types of the tables', script: 'tools/generate/table-types.ts' },
  { makes: 'docs/configuration.md', script: 'tools/generate/configuration.ts' },
]

export async function importFile(_kind: string, _flags: unknown): Promise<void> {}

import { defineProblem } from '../kit/problem.ts'

export const importNotFound = defineProblem('import-not-found', 404, 'There is no such import.')
export const importSettled = defineProblem('import-settled', 409, 'The import has ended already.')
export const importMappingNotValid = defineProblem('import-mapping-not-valid', 422, 'The column mapping of the import is not valid.')
export const importColumnsNotValid = defineProblem('import-columns-not-valid', 422, 'The columns of the file do not fit the import.')
export const importFileNotReadable = defineProblem('import-file-not-readable', 422, 'The file cannot be read as CSV in UTF-8.')

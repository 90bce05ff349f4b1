export const threats: readonly { readonly row: number; readonly threat: string; readonly countermeasure: string }[]
export function namedRows(text: string): number[]
export function testFiles(): { readonly file: string; readonly text: string }[]

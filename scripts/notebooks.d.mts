export interface Notebook {
  readonly cells: readonly {
    readonly cell_type: string
    readonly source: readonly string[]
    readonly outputs?: readonly Output[]
    readonly execution_count?: number | null
  }[]
}

export interface Output {
  readonly output_type: string
  readonly text?: readonly string[]
  readonly data?: Readonly<Record<string, unknown>>
}

export function notebookNames(): string[]
export function readNotebook(name: string): Notebook
export function runNotebook(name: string): Promise<Notebook>

/** Why a file could not be used, without its path: the message of the system carries that of this machine. */
export function reasonOf(thrown: unknown): string {
  const code = (thrown as NodeJS.ErrnoException | undefined)?.code
  const known = { ENOENT: 'no such file', EACCES: 'no permission', EISDIR: 'is a folder', ENOTDIR: 'no such folder' }
  return known[code as keyof typeof known] ?? code ?? String(thrown)
}

/** What of the platform's own module is used. */
declare module 'cloudflare:workers' {
  export function waitUntil(promise: Promise<unknown>): void
}

/** Keeps the page for times without a network: a service worker of our own with the files of this build. */

/** Begins once the page has nothing more urgent to do. Without service workers (or over plain http) nothing is kept. */
export function keepOffline(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  addEventListener('load', () => {
    setTimeout(() => {
      // Not to be kept is no error of the page: a private window, or files from a disk.
      navigator.serviceWorker.register(new URL('./sw.js', document.baseURI), { scope: './' }).catch(() => {})
    }, 2000)
  })
}

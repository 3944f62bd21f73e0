/** The socket in front of the app. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { MonitorError } from '../core/index.ts'
import type { ServerConfig } from './config/config.ts'
import type { ServerApp } from './http/app.ts'
import { errorResponse, HttpError } from './http/errors.ts'
import { boundConnections, type Connections } from './serveConnections.ts'
import { takeDirectly } from './serveDirect.ts'

export interface Listening {
  /** Such as `http://127.0.0.1:8000`. */
  readonly origin: string
  readonly port: number
  readonly connections: Connections
  /**
   * Stops accepting, and waits for the requests under way, for `waitMs` at most. Resolves to whether all of them were
   * finished.
   */
  stop(waitMs: number): Promise<boolean>
}

export interface HostOptions extends Pick<ServerConfig, 'host' | 'port'> {
  readonly limits: Pick<ServerConfig['limits'], 'maxConnections' | 'maxHeaderBytes' | 'receiveTimeoutMs'>
  /** Told of what the adapter could not turn into a request or an answer. */
  readonly onFailure: (thrown: unknown) => void
}

/** For the head of a request to arrive. */
const HEADERS_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 30_000

/** Listens. Rejects with `bad_config` if the address cannot be had. */
export async function listen(
  { fetch, detect }: Pick<ServerApp, 'fetch' | 'detect'>,
  { host, port, limits, onFailure }: HostOptions,
): Promise<Listening> {
  const listener = getRequestListener(fetch, {
    errorHandler: (thrown) => {
      // The adapter's own refusals: a bad address or a bad host.
      if ((thrown as Error)?.name === 'RequestError') return errorResponse(badRequest())
      onFailure(thrown)
      return errorResponse(new HttpError(500, 'internal', 'the server failed; its log says why'))
    },
  })
  const options = {
    maxHeaderSize: limits.maxHeaderBytes,
    requestTimeout: limits.receiveTimeoutMs,
    headersTimeout: Math.min(HEADERS_TIMEOUT_MS, limits.receiveTimeoutMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 1000,
  }
  const server = createServer(options, (incoming, outgoing) => {
    if (!takeDirectly(detect, incoming, outgoing)) listener(incoming, outgoing).catch(onFailure)
  })
  const connections = boundConnections(server, limits.maxConnections)
  await opened(server, host, port)
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    origin: `http://${name}:${address.port}`,
    port: address.port,
    connections,
    stop: (waitMs) => stopped(server, waitMs),
  }
}

function badRequest(): HttpError {
  return new HttpError(400, 'bad_request', 'the address or the host of the request is malformed')
}

function opened(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reasons: Readonly<Record<string, string>> = {
        EADDRINUSE: 'is taken; choose another --port',
        EACCES: 'is not allowed; choose a --port above 1023',
        EADDRNOTAVAIL: 'is no address of this machine; choose another --host',
        ENOTFOUND: 'is no address of this machine; choose another --host',
      }
      reject(new MonitorError('bad_config', reasons[cause.code ?? ''] ?? cause.message, `${host}:${port}`, { cause }))
    })
    server.listen({ host: host.replace(/^\[|\]$/g, ''), port }, resolve)
  })
}

function stopped(server: Server, waitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.closeAllConnections()
      resolve(false)
    }, waitMs)
    server.close(() => {
      clearTimeout(timer)
      resolve(true)
    })
    server.closeIdleConnections()
  })
}

/** The Worker: answers a request, whose body is the wanted step or `null`, with what the runtime found. */
import { runMatrix } from './run.ts'

export default {
  async fetch(request: Request): Promise<Response> {
    return Response.json(await runMatrix((await request.json()) ?? undefined))
  },
}
